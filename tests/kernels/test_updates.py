"""The compiled steps of optimizers against the bodies of the algorithms, in float64.

Each runs as a chain; some have a kernel of their own besides.
"""

from functools import partial

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import REASON, compiled
from tallow.kernels.updates import TABLE
from tallow.optim.adadelta import adadelta
from tallow.optim.adagrad import adagrad
from tallow.optim.adam import adam
from tallow.optim.adamax import adamax
from tallow.optim.asgd import asgd
from tallow.optim.nadam import nadam
from tallow.optim.radam import radam
from tallow.optim.rmsprop import rmsprop
from tallow.optim.rprop import rprop
from tallow.optim.sgd import sgd
from tallow.optim.update import Update

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
    "adamax": (adamax, (True, True), True, {"betas": (0.9, 0.99), "eps": 1e-8}),
    "nadam": (
        nadam, (True, True), True,
        {"betas": (0.9, 0.99), "eps": 1e-8, "momentum_decay": 4e-3, "decoupled_weight_decay": True},
    ),
    "radam": (  # of which the first steps do without squares
        radam, (True, True), True,
        {"betas": (0.9, 0.999), "eps": 1e-8, "decoupled_weight_decay": False},
    ),
    "rprop": (rprop, (True, True), True, {"etas": (0.5, 1.2), "step_sizes": (1e-6, 0.85)}),
    "asgd": (asgd, (True,), True, {"lambd": 0.1}),
}  # fmt: skip


def columns(rng, state, steps):
    """Parameters, gradients, state (squares that exceed those of means) and counts of steps."""
    normal = lambda n: rng.standard_normal(n).astype(np.float32)  # noqa: E731
    made = [[normal(n) for n in SIZES] for _ in range(2)]
    between = lambda n: rng.uniform(0.7, 0.8, n).astype(np.float32)  # noqa: E731
    made += [[between(n) for n in SIZES] if used else [] for used in state]
    return made + ([[2 * i + 1.0 for i in range(len(SIZES))]] if steps else [])


OTHER_NUMBERS = {"nadam": [0.9, 0.8, 0.7, 0.6, 0.5], "asgd": [1.0, 1.0, 0.5, 0.25, 1.0]}


def kernels_of(update):
    """As a chain, and the algorithm's own."""
    kernels = {"chain": partial(TABLE["elementwise", "cpu"], update)}
    return kernels | ({"own": own} if (own := TABLE.get((update.name, "cpu"))) else {})


CASES = [(name, kind) for name, case in ALGORITHMS.items() for kind in kernels_of(case[0])]


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name, kind", CASES)
def test_steps(name, kind, threads, maximize):
    update, state, steps, settings = ALGORITHMS[name]
    mine = columns(np.random.default_rng(0), state, steps)
    if name in OTHER_NUMBERS:
        mine.append(OTHER_NUMBERS[name])
    wide = [[np.float64(x) for x in column] for column in mine]
    how = {"lr": 0.05, "weight_decay": 0.1, "maximize": maximize, **settings}
    how = {name: how[name] for name in update.settings}
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        assert kernels_of(update)[kind](*mine, **how) is None
    finally:
        compiled.set_threads(before)
    update.each(np, wide, how)
    for column, expected in zip(mine, wide, strict=True):
        for x, y in zip(column, expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=2e-5, atol=2e-6)


OPTIMIZERS = "SGD Adam AdamW RMSprop Adagrad Adadelta Adamax NAdam RAdam Rprop ASGD".split()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_use_them(name, monkeypatch):
    monkeypatch.setattr(Update, "each", None)
    p = tallow.nn.Parameter(tallow.ones(3))
    optimizer = getattr(tallow.optim, name)([p])
    (2 * p).sum().backward()
    optimizer.step()
    assert (p < 1).all()


@pytest.mark.parametrize("kind", ["own", "chain"])
def test_steps_decline_what_they_do_not_do(kind):
    how = {
        "lr": 0.1, "weight_decay": 0, "maximize": False, "momentum": 0, "dampening": 0,
        "nesterov": False,
    }  # fmt: skip
    kernel, x = kernels_of(sgd)[kind], np.ones(3, np.float32)
    fixed = x.copy()
    fixed.flags.writeable = False
    for p, g in ((np.ones(3), x), (fixed, x), (x, np.ones(4, np.float32)), (x, x[::-1])):
        assert kernel([p], [g], [], **how) is NotImplemented
    assert (x == 1).all()


def test_chains_follow_their_settings():
    """A chain is made for what is 0, not for the numbers, which may change from step to step."""
    p = tallow.nn.Parameter(tallow.zeros(3))
    optimizer = tallow.optim.Adamax([p], weight_decay=0.0)
    for lr, weight_decay in ((0.5, 0), (0.25, 0.0), (0.25, 0.5), (1, 0.25), (0.5, 0)):
        optimizer.param_groups[0].update(lr=lr, weight_decay=weight_decay)
        before, state = p.detach().numpy().astype(np.float64), optimizer.state[p]
        p.grad = tallow.tensor([1.0, -2.0, 3.0])
        mean, norm = (
            np.float64(state[k].numpy()) if state else np.zeros(3) for k in ("exp_avg", "exp_inf")
        )
        step = state["step"].item() + 1 if state else 1
        adamax.body(
            np, before, p.grad.numpy(), mean, norm, step, lr=lr, betas=(0.9, 0.999), eps=1e-8,
            weight_decay=weight_decay, maximize=False,
        )  # fmt: skip
        optimizer.step()
        np.testing.assert_allclose(p.detach().numpy(), before, rtol=1e-6)


def test_steps_of_memory_that_is_shared():
    """As the body computes it, whatever is written first."""
    p = tallow.nn.Parameter(tallow.tensor([1.0, 2.0]))
    p.grad = p.detach()
    tallow.optim.ASGD([p], lr=0.5, lambd=0.0).step()
    assert p.tolist() == [0.5, 1.0]
