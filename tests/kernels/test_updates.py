"""The compiled steps of optimizers against the bodies of the algorithms, in float64."""

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import REASON, compiled
from tallow.kernels.updates import TABLE
from tallow.optim.adadelta import adadelta
from tallow.optim.adagrad import adagrad
from tallow.optim.adam import adam
from tallow.optim.rmsprop import rmsprop
from tallow.optim.sgd import sgd

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

SIZES = (1, 0, 70_000, 33, 100_003)  # parts of one range, which ends within parameters

# (the update, how many arrays of state, their use in this variant, has it steps, settings)
ALGORITHMS = {
    "sgd": (sgd, (False,), False, {"momentum": 0, "dampening": 0, "nesterov": False}),
    "sgd, momentum": (sgd, (True,), False, {"momentum": 0.9, "dampening": 0.3, "nesterov": False}),
    "sgd, nesterov": (sgd, (True,), False, {"momentum": 0.9, "dampening": 0, "nesterov": True}),
    "adam": (
        adam, (True, True, False), True,
        {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "decoupled_weight_decay": False},
    ),
    "adamw, amsgrad": (
        adam, (True, True, True), True,
        {"betas": (0.8, 0.99), "eps": 1e-8, "amsgrad": True, "decoupled_weight_decay": True},
    ),
    "rmsprop": (
        rmsprop, (True, False, False), True,
        {"alpha": 0.9, "eps": 1e-8, "momentum": 0, "centered": False},
    ),
    "rmsprop, centred": (
        rmsprop, (True, True, True), True,
        {"alpha": 0.9, "eps": 1e-2, "momentum": 0.5, "centered": True},
    ),
    "adagrad": (adagrad, (True,), True, {"lr_decay": 0.1, "eps": 1e-10}),
    "adadelta": (adadelta, (True, True), True, {"rho": 0.9, "eps": 1e-6}),
}  # fmt: skip


def columns(rng, state, steps):
    """Parameters, gradients, state (squares that exceed those of means) and counts of steps."""
    normal = lambda n: rng.standard_normal(n).astype(np.float32)  # noqa: E731
    made = [[normal(n) for n in SIZES] for _ in range(2)]
    between = lambda n: rng.uniform(0.7, 0.8, n).astype(np.float32)  # noqa: E731
    made += [[between(n) for n in SIZES] if used else [] for used in state]
    return made + ([[i + 1.0 for i in range(len(SIZES))]] if steps else [])


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_steps(name, threads, maximize):
    update, state, steps, settings = ALGORITHMS[name]
    mine = columns(np.random.default_rng(0), state, steps)
    wide = [[np.array(x, np.float64) for x in column] for column in mine]
    how = {"lr": 0.05, "weight_decay": 0.1, "maximize": maximize, **settings}
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        assert TABLE[update.name, "cpu"](*mine, **how) is None
    finally:
        compiled.set_threads(before)
    update.body(np, *wide, **how)
    for column, expected in zip(mine, wide, strict=True):
        for x, y in zip(column, expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=2e-5, atol=2e-6)


OPTIMIZERS = {
    "SGD": sgd, "Adam": adam, "AdamW": adam, "RMSprop": rmsprop, "Adagrad": adagrad,
    "Adadelta": adadelta,
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_use_them(name, monkeypatch):
    monkeypatch.setattr(OPTIMIZERS[name], "body", None)
    p = tallow.nn.Parameter(tallow.ones(3))
    optimizer = getattr(tallow.optim, name)([p])
    (2 * p).sum().backward()
    optimizer.step()
    assert (p < 1).all()


def test_steps_decline_what_they_do_not_do():
    how = {
        "lr": 0.1, "weight_decay": 0, "maximize": False, "momentum": 0, "dampening": 0,
        "nesterov": False,
    }  # fmt: skip
    kernel, x = TABLE["sgd", "cpu"], np.ones(3, np.float32)
    fixed = x.copy()
    fixed.flags.writeable = False
    for p, g in ((np.ones(3), x), (fixed, x), (x, np.ones(4, np.float32)), (x, x[::-1])):
        assert kernel([p], [g], [], **how) is NotImplemented
    assert (x == 1).all()
