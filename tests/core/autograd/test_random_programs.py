"""Random programs of views, changes in place and arithmetic: values and gradients are PyTorch's.

What PyTorch refuses tallow may compute, since it keeps other values: then the gradient must be that
of finite differences. What fails is shown as source.
"""

import warnings

import numpy as np
import pytest

import tallow
from tallow.errors import TallowError

PROGRAMS = 20  # a test
LINES = 8
ACTIONS = {"view": 5, "change": 5, "arithmetic": 4, "assignment": 2}


class Writer:
    """Writes one program, following the shapes of its variables."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.shapes = {}
        self.lines = []
        self.arrays = self.random.uniform(-1, 1, (2, 3, 4))
        self.new("x.clone()", (3, 4))
        self.new("x * y", (3, 4))

    def program(self):
        names, weights = list(ACTIONS), np.array(list(ACTIONS.values()))
        for action in self.random.choice(names, LINES, p=weights / weights.sum()):
            getattr(self, action)()
        total = " + ".join(f"({name} * {n + 1}).sum()" for n, name in enumerate(self.shapes))
        return "\n".join([*self.lines, f"total = {total} + (x * 0 + y * 0).sum()"])

    def new(self, source, shape):
        name = f"v{len(self.shapes)}"
        self.lines.append(f"{name} = {source}")
        self.shapes[name] = shape

    def pick(self, options):
        return options[self.random.integers(len(options))]

    def variable(self):
        return self.pick(list(self.shapes.items()))

    def alike(self, shape):
        """A variable of a shape, or x or y, or a number."""
        found = [name for name, other in self.shapes.items() if other == shape]
        found += ["x", "y"] * (shape == (3, 4)) + ["0.7"]
        return self.pick(found)

    def view(self):
        name, shape = self.variable()
        options = [("detach()", shape), ("clone()", shape), ("unsqueeze(0)", (1, *shape))]
        if shape:
            i = self.random.integers(shape[0])
            options += [
                (f"select(0, {i})", shape[1:]), (f"narrow(0, {i}, 1)", (1, *shape[1:])),
                ("reshape(-1)", (int(np.prod(shape)),)), ("view(-1)", (int(np.prod(shape)),)),
                ("flip(0)", shape), ("expand(2, *{0}.shape)", (2, *shape)),
            ]  # fmt: skip
        if len(shape) > 1:
            turned = shape[:-2] + shape[:-3:-1]
            options += [("transpose(-1, -2)", turned), ("mT", turned)] * 2
            options += [("diagonal()", shape[2:] + (min(shape[:2]),))]
        call, shape = self.pick([o for o in options if np.prod(o[1]) <= 48 and len(o[1]) < 4])
        self.new(f"{name}.{call.format(name)}", shape)

    def change(self):
        name, shape = self.variable()
        call = self.pick(
            ["mul_({})", "add_({})", "sub_({}, alpha=0.5)", "tanh_()", "sin_()", "neg_()",
             "zero_()", "fill_(0.3)", "copy_({})", "clamp_(-0.5, 0.5)", "addcmul_({0}, {0})",
             "sigmoid_()", "mul_(1.5)", "relu_()", "pow_(2)"]
        )  # fmt: skip
        other = self.alike(shape)
        if other == "0.7" and ("copy_" in call or "addcmul_" in call):
            other = name
        with_no_grad = "with torch.no_grad(): " if self.random.random() < 0.1 else ""
        self.lines.append(f"{with_no_grad}{name}.{call.format(other)}")

    def arithmetic(self):
        name, shape = self.variable()
        other = self.alike(shape)
        options = [
            (f"{name} * {other}", shape), (f"{name} + {other}", shape), (f"{name}.tanh()", shape),
            (f"({name} - {other}).sin()", shape), (f"{name}.exp().clamp(max=3)", shape),
            (f"{name} * 0.5 + 1", shape), (f"{name}.sum()", ()), (f"{name}.contiguous()", shape),
            (f"torch.where({name} > 0, {name}, {other})", shape),
        ]  # fmt: skip
        if shape:
            options += [(f"{name}.sum(0)", shape[1:]), (f"{name}.amax(0)", shape[1:])]
            options += [(f"torch.cat([{name}, {name}])", (2 * shape[0], *shape[1:]))]
        if len(shape) == 2:
            options += [(f"{name} @ {name}.T", (shape[0], shape[0]))]
        self.new(*self.pick([o for o in options if np.prod(o[1]) <= 48]))

    def assignment(self):
        name, shape = self.variable()
        if not shape:
            return
        i = self.random.integers(shape[0])
        key, inner = self.pick(
            [(f"{i}", shape[1:]), (f"{i}:", (shape[0] - i, *shape[1:])), ("...", shape),
             (f"[{i}, 0]", None), ("::2", None), (f"{name} > 0", None)]
        )  # fmt: skip
        value = self.alike(inner) if inner is not None else self.pick(["0.4", "y.sum()"])
        sign = self.pick(["=", "=", "+=", "*="])
        self.lines.append(f"{name}[{key}] {sign} {value}")


def run(library, source, arrays):
    """The total, its gradients and all variables as arrays, or the exception."""
    x, y = (library.tensor(array, requires_grad=True) for array in arrays)
    names = {"torch": library, "x": x, "y": y}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(source, names)
            names["total"].backward()
        except Exception as error:
            return error
    found = [names["total"], x.grad, y.grad, *(v for n, v in names.items() if n[0] == "v")]
    return [v.detach().numpy() for v in found]


def slope(source, arrays, direction):
    """The derivative of the total along a direction, by finite differences."""
    step = 1e-6 * direction
    high, low = (run(tallow, source, arrays + sign * step)[0] for sign in (1, -1))
    return (high - low) / 2e-6


def judge(torch, seed):
    """True if both libraries computed a program and agree; raises if tallow is wrong."""
    writer = Writer(seed)
    source, arrays = writer.program(), writer.arrays
    expected, got = run(torch, source, arrays), run(tallow, source, arrays)
    if isinstance(got, Exception):
        assert isinstance(got, TallowError), f"{source}\n{got!r}"
        refused = isinstance(expected, Exception) or "expanded or read-only" in str(got)
        assert refused, f"{source}\n{got!r} where PyTorch computes"
        return False
    if isinstance(expected, Exception):
        # Of an element assigned twice both values get its gradient, as in PyTorch.
        if not any(part in source for part in ("detach", "no_grad", "[[0, 0]]")):
            direction = np.random.default_rng(seed).uniform(-1, 1, arrays.shape)
            along = (np.stack(got[1:3]) * direction).sum()
            measured = slope(source, arrays, direction)
            np.testing.assert_allclose(along, measured, 1e-4, 1e-4, err_msg=source)
        return False
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-9, err_msg=source)
    return True


@pytest.mark.parametrize("seed", range(10))
def test_as_pytorch(seed):
    torch = pytest.importorskip("torch")
    agreed = [judge(torch, 1000 * seed + n) for n in range(PROGRAMS)]
    assert sum(agreed) > PROGRAMS / 5  # the others are refused
