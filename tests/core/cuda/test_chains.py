"""Chains as CUDA kernels, run on the processor, against their bodies on NumPy in float64."""

import numpy as np
import pytest
from ml_dtypes import bfloat16

import tallow
from tallow import nn, optim
from tallow.kernels.chain import choose
from tallow.kernels.cuda import chains, optimizers
from tallow.kernels.cuda.launch import Source
from tallow.optim.update import elementwise
from tallow.testing import assert_close
from tallow.testing.devices import Array

pytestmark = pytest.mark.usefixtures("emulated")

ERRORS = {np.dtype(t): e for t, e in (("f2", 2e-3), (bfloat16, 2e-2), ("f4", 1e-6), ("f8", 1e-14))}


class Reference:
    """NumPy, and the functions of chains that it lacks."""

    def __getattr__(self, name):
        return getattr(np, name)

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))


FORMULAS = {
    "sums": lambda xp, x, y, z, *, a, b: (
        (x + y) * a - (z - b) + (a - x) / (y * y + 1.0), x + (y - x) * z, z * 0.0 + b
    ),
    "functions": lambda xp, x, y, z, *, a, b: (
        xp.sqrt(abs(x)) + xp.exp(-y) + xp.tanh(z) + xp.sigmoid(x * a) + xp.sign(y) - -z
    ),
    "choices": lambda xp, x, y, z, *, a, b: (
        xp.where(x < y, z, a) + xp.where(x >= b, b, y) + xp.where(y <= z, a, b)
        + xp.maximum(x, a) * xp.minimum(y, z) + xp.clip(z, -a, a) + ((x > 0.5) & (y > 0)) * y
    ),
    "numbers": lambda xp, x, y, z, *, a, b: (
        x * (a**2 - 1 / b + 2**a) + y * choose(a > b, a, b) + z * choose(-a >= b, a, -b - 0.5)
    ),
}  # fmt: skip


def drawn(shape, dtype, seed, view=0):
    """Random numbers, which begin `view` elements after an aligned address."""
    values = np.random.default_rng(seed).uniform(-2, 2, int(np.prod(shape)) + view)
    return values.astype(dtype)[view:].reshape(shape)


def close(got, expected, dtype):
    got = got if isinstance(got, tuple) else (got,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for mine, right in zip(got, expected, strict=True):
        assert mine.dtype == dtype and mine.shape == right.shape
        right = right.astype(np.float64)
        difference = np.abs(mine.host.astype(np.float64) - right).max()
        assert difference <= 5 * ERRORS[dtype] * max(1, np.abs(right).max())


def compared(made, arrays, **numbers):
    dtype = next(x.dtype for x in arrays if x.dtype.kind in "fV")
    wide = [x.astype(np.float64) if x.dtype.kind in "fV" else x for x in arrays]
    close(made(*map(Array, arrays), **numbers), made.body(Reference(), *wide, **numbers), dtype)


@pytest.mark.parametrize("dtype", ERRORS, ids=str)
@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name, dtype):
    made = chains.Pass(FORMULAS[name])
    for size, view in ((1, 0), (7, 1), (2000, 0), (2001, 3)):
        arrays = [drawn((size,), dtype, seed, view * (seed > 0)) for seed in range(3)]
        compared(made, arrays, a=0.75, b=1.5)
        compared(made, arrays, a=2, b=-1.25)


@pytest.mark.parametrize("shapes", [
    ((3, 5, 70), (5, 1), (3, 5, 70)), ((40, 33), (33,), ()), ((2, 3, 4), (2, 1, 1), (4,)),
    ((1, 1), (1,), ()), ((7,), (2, 7), (1, 1)), ((2, 1, 600), (2, 3, 600), (1, 1, 1)),
    ((4, 3, 2, 2), (1, 3, 1, 1), (2, 2)),
])  # fmt: skip
def test_operands_are_repeated(shapes):
    made = chains.Pass(FORMULAS["sums"])
    arrays = [drawn(shape, "f4", seed) for seed, shape in enumerate(shapes)]
    given, whole = map(Array, arrays), np.broadcast_shapes(*shapes)
    got = made(*given, a=0.75, b=1.5)
    if shapes == ((2, 1, 600), (2, 3, 600), (1, 1, 1)):
        assert got is NotImplemented  # of the first neither rows nor channels are repeated
        return
    assert all(x.shape == whole for x in got)
    expected = made.body(np, *[x.astype("f8") for x in arrays], a=0.75, b=1.5)
    close(got, tuple(np.broadcast_to(x, whole) for x in expected), np.dtype("f4"))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_bytes_and_truths(dtype):
    made = chains.Pass(lambda xp, x, keep, y, *, scale: x * scale * xp.where(keep, 2.0, 0.0) + y)
    for size in (5, 64, 1003):
        rng = np.random.default_rng(0)
        x, keep = rng.integers(0, 256, size).astype(np.uint8), rng.integers(0, 2, size) == 1
        compared(made, [x, keep, drawn((size,), dtype, 1)], scale=1 / 255)


def test_what_it_does_not_take():
    made = chains.Pass(FORMULAS["sums"])
    x, how = Array(np.ones((2, 3), "f4")), {"a": 1, "b": 2}
    for other in (
        np.ones((2, 3)), np.ones((3, 2), "f4").T, np.ones((2, 2, 3), "f4")[:, :1],
        np.ones((0, 3), "f4"), np.ones((2, 3), "i8"),
    ):  # fmt: skip
        assert made(x, Array(other), x, **how) is NotImplemented
    assert made(*[Array(np.ones(3, bool))] * 3, **how) is NotImplemented


# Steps


def test_parameters_may_have_made_different_numbers_of_steps(monkeypatch):
    """Those of one count go into one launch."""
    launched, launch = [], Source.__call__

    def noting(self, kernel, like, blocks, *args):
        launched.append((kernel, blocks))
        launch(self, kernel, like, blocks, *args)

    monkeypatch.setattr(Source, "__call__", noting)
    found = []
    for where in ("cpu", "standin"):
        params = [nn.Parameter(tallow.ones(n).to(where)) for n in (3, 4, 5)]
        optimizer = optim.NAdam(params, lr=0.1)
        for step in range(4):
            for i, p in enumerate(params):
                p.grad = tallow.full((3 + i,), 0.5 - i).to(where) if step or i != 1 else None
            launched.clear()
            optimizer.step()
        found.append([p.detach().cpu() for p in params])
    assert launched == [("step", (1, 2)), ("step", (1, 1))]
    for one, other in zip(*found, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("counted", ["here", "there"])
def test_an_algorithm_of_a_program_s_own(counted):
    @elementwise
    def shrink(xp, p, g, mean, step, *, lr, limits):
        mean += (g - mean) / (step + 1)
        p -= lr * choose(step > 2, xp.clip(mean, *limits), mean * 2.0)

    class Shrink(optim.Optimizer):
        _algorithm = shrink
        _hosts = True
        _slots = {"mean": None}

    settings = {"lr": 0.5, "limits": (-0.25, float("inf")), "capturable": counted == "there"}
    found = []
    for where in ("cpu", "standin"):
        p = nn.Parameter(tallow.arange(600.0).to(where))
        optimizer = Shrink([p], dict(settings))
        for step in range(4):
            p.grad = (tallow.arange(600.0) * (1 - step)).to(where)
            optimizer.step()
        found.append(p.detach().cpu())
    assert_close(*found)


def test_nothing_is_changed_where_one_array_declines():
    columns = [[Array(np.ones(2, "f4")), Array(np.ones((2, 3), "f4").T)] for _ in range(2)]
    assert not optimizers._takes(columns) and optimizers._takes([columns[0][:1]])
