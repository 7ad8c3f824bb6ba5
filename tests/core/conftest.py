"""`parity` and `both`: one piece of source run under PyTorch and tallow must come to the same.

`parity` is called with operands and compares gradients; `both` runs whole pieces from tables.
"""

import ast
import warnings

import numpy as np
import pytest

import tallow
from tallow.testing.devices import devices

TOLERANCES = {
    "float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "complex64": 2e-6, "float64": 1e-10,
    "complex128": 1e-10,
}  # fmt: skip


@pytest.fixture(scope="session")
def parity():
    """The comparison with PyTorch, skipped where that is not installed."""
    return Parity(pytest.importorskip("torch"))


class Parity:
    """Call with source (statements, the last an expression; `torch` is the library) and operands.

    NumPy arrays become tensors, those of floating and complex dtype with gradients; other operands
    are as they are. Values, dtypes, shapes, strides (if asked) and the operands' gradients are
    compared.
    """

    def __init__(self, torch, others=()):
        self.torch = torch
        self.others = others  # devices on which the source must come to the same as well

    def everywhere(self):
        """The comparison with PyTorch, and of all devices that there are."""
        return Parity(self.torch, devices())

    def __call__(self, source, *, gradients=True, factor=1, strides=False, **operands):
        expected, slopes = self.run(self.torch, source, operands, gradients, strides)
        for where in ("cpu", *self.others):
            tallow.set_default_device(where)
            try:
                layout = strides and where == "cpu"
                got, own_slopes = self.run(tallow, source, operands, gradients, layout)
            finally:
                tallow.set_default_device("cpu")
            same(got, expected, factor, f"{source} on {where}")
            same(own_slopes, slopes, 10 * factor, f"gradients of {source} on {where}")

    def fails(self, source, match=None, *, gradients=True, **operands):
        """Both raise, tallow an exception that is also of PyTorch's type, and says `match`."""
        with pytest.raises((RuntimeError, ValueError, TypeError, IndexError, KeyError)) as theirs:
            self.run(self.torch, source, operands, gradients, False)
        builtin = (NotImplementedError, RuntimeError, ValueError, TypeError, IndexError, KeyError)
        kind = next(kind for kind in builtin if isinstance(theirs.value, kind))
        with pytest.raises(kind, match=match or ".") as ours:
            self.run(tallow, source, operands, gradients, False)
        assert isinstance(ours.value, tallow.errors.TallowError), repr(ours.value)

    def run(self, library, source, operands, gradients, strides):
        names = {"torch": library} | {
            name: tensor(library, value, gradients) for name, value in operands.items()
        }
        *statements, last = ast.parse(source).body
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(ast.Module(statements, []), source, "exec"), names)
            result = eval(compile(ast.Expression(last.value), source, "eval"), names)
            found = describe(result, strides)
            outputs = [x for x in flat(result) if x.requires_grad]
            if gradients and outputs:
                library.autograd.backward(outputs, [weights(library, x) for x in outputs])
        leaves = {name: getattr(names[name], "grad", None) for name in operands}
        return found, {name: describe(g, False) for name, g in leaves.items()}


def tensor(library, value, gradients):
    if not isinstance(value, np.ndarray):
        return value
    made = library.tensor(value)
    return made.requires_grad_() if gradients and value.dtype.kind in "fc" else made


def weights(library, x):
    rng = np.random.default_rng(1)
    values = rng.uniform(-1, 1, tuple(x.shape))
    if x.dtype.is_complex:
        values = values + 1j * rng.uniform(-1, 1, tuple(x.shape))
    return library.tensor(values, dtype=x.dtype)


def flat(result):
    if isinstance(result, tuple | list):
        return [x for part in result for x in flat(part)]
    return [result] if hasattr(result, "requires_grad") else []


def describe(x, strides):
    """A result as Python values and arrays: (dtype, shape, requires_grad, array) for a tensor."""
    if isinstance(x, tuple | list):
        return [describe(part, strides) for part in x]
    if not hasattr(x, "requires_grad"):
        return x
    name = str(x.dtype).rpartition(".")[2]
    plain = x.detach().cpu()
    if hasattr(plain, "resolve_neg"):
        plain = plain.resolve_conj().resolve_neg()
    array = (plain.float() if name == "bfloat16" else plain).numpy()
    layout = tuple(x.stride()) if strides else None
    return (name, tuple(x.shape), layout, x.requires_grad, array)


def same(got, expected, factor, what):
    if isinstance(expected, dict):
        for name in expected:
            same(got[name], expected[name], factor, f"{what}, {name}")
    elif isinstance(expected, list):
        assert isinstance(got, list) and len(got) == len(expected), f"{what}: {got}, not {expected}"
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            same(a, b, factor, f"{what}, part {i}")
    elif isinstance(expected, tuple):
        assert isinstance(got, tuple), f"{what}: {got}"
        (dtype, shape, layout, recorded, _), plan = expected, got[:-1]
        layout = layout if plan[2] is not None else None
        assert plan == (dtype, shape, layout, recorded), f"{what}: {plan}, not {expected[:-1]}"
        tolerance = factor * TOLERANCES.get(expected[0], 0)
        np.testing.assert_allclose(got[-1], expected[-1], tolerance, tolerance, err_msg=what)
    else:
        assert got == expected and type(got) is type(expected), f"{what}: {got!r}, not {expected!r}"


# Tables of source


def pytest_generate_tests(metafunc):
    """`test_orders(both, snippet)` runs for each piece of source in the module's `ORDERS`.

    Empty lines separate the pieces.
    """
    if "snippet" in metafunc.fixturenames:
        table = getattr(metafunc.module, metafunc.function.__name__.removeprefix("test_").upper())
        pieces = [part.strip("\n") for part in table.split("\n\n") if part.strip()]
        metafunc.parametrize("snippet", pieces, ids=map(str, range(len(pieces))))


@pytest.fixture(scope="session")
def both():
    """Run source, whose last statement is an expression, under PyTorch and tallow; compare.

    `torch` is the library and `T` its `tensor`. Tensors are compared with dtype, shape and
    requires_grad, and if PyTorch raises, tallow must raise an exception of that type: then the
    result is False.
    """
    torch = pytest.importorskip("torch")

    def check(source):
        expected, got = value_of(torch, source), value_of(tallow, source)
        if isinstance(expected, Exception):
            kinds = (NotImplementedError, RuntimeError, ValueError, TypeError, IndexError)
            kind = next(kind for kind in kinds if isinstance(expected, kind))
            assert isinstance(got, kind), f"{source}\n{got!r} where PyTorch raises {expected!r}"
            return False
        assert not isinstance(got, Exception), f"{source}\n{got!r}"
        same_values(got, expected, source)
        return True

    return check


def value_of(library, source):
    """The value of the last expression in plain form, or the exception."""
    names = {"torch": library, "T": library.tensor}
    *statements, last = ast.parse(source).body
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(ast.Module(statements, []), source, "exec"), names)
            return plain(eval(compile(ast.Expression(last.value), source, "eval"), names))
        except Exception as error:
            return error


def plain(x):
    """Tensors as [dtype, shape, requires_grad, elements]; tuples as lists."""
    if isinstance(x, tuple | list):
        return [plain(part) for part in x]
    if isinstance(x, dict):
        return {key: plain(part) for key, part in x.items()}
    if not hasattr(x, "requires_grad"):
        return x
    name = str(x.dtype).rpartition(".")[2]
    values = x.detach()
    values = values.resolve_conj() if hasattr(values, "resolve_conj") else values
    return [name, list(x.shape), x.requires_grad, values.tolist()]


def same_values(got, expected, source):
    if isinstance(expected, dict):
        assert list(got) == list(expected), f"{source}\n{list(got)} for {list(expected)}"
        for key in expected:
            same_values(got[key], expected[key], source)
    elif isinstance(expected, list):
        assert isinstance(got, list) and len(got) == len(expected), (
            f"{source}\n{got} for {expected}"
        )
        for a, b in zip(got, expected, strict=True):
            same_values(a, b, source)
    elif isinstance(expected, float | complex):
        np.testing.assert_allclose(got, expected, 2e-6, 2e-6, err_msg=source)
    else:
        assert got == expected, f"{source}\n{got} for {expected}"
