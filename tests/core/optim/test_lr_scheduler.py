"""Schedules give PyTorch's learning rates to the last bit, and their states are alike."""

import copy
import warnings

import pytest

import tallow
from tallow import nn, optim
from tallow.optim.lr_scheduler import LRScheduler, SequentialLR, StepLR

torch = pytest.importorskip("torch")


class Halving:
    """A function of the epoch that has state."""

    def __init__(self):
        self.factor = 0.5

    def __call__(self, epoch):
        return self.factor**epoch


def rising(x):
    return 1 + x / 100


def optimizer_of(library, name="SGD"):
    """An optimizer with two groups."""
    params = [library.zeros(1, requires_grad=True) for _ in range(2)]
    settings = {"momentum": 0.9} if name == "SGD" else {}
    groups = [{"params": params[0]}, {"params": params[1], "lr": 0.02}]
    return getattr(library.optim, name)(groups, lr=0.5, **settings)


def sequence(library, optimizer, schedules, milestones):
    kinds = library.optim.lr_scheduler
    parts = [getattr(kinds, name)(optimizer, **kw) for name, kw in schedules]
    if milestones is None:
        return kinds.ChainedScheduler(parts, optimizer)
    return kinds.SequentialLR(optimizer, parts, milestones)


def make(library, name, settings, optimizer):
    if name == "SequentialLR":
        return sequence(library, optimizer, **settings)
    if name == "ChainedScheduler":
        return sequence(library, optimizer, settings["schedules"], None)
    kinds = library.optim.swa_utils if name == "SWALR" else library.optim.lr_scheduler
    return getattr(kinds, name)(optimizer, **copy.deepcopy(settings))


CASES = [
    ("LambdaLR", {"lr_lambda": rising}),
    ("LambdaLR", {"lr_lambda": [rising, Halving()]}),
    ("MultiplicativeLR", {"lr_lambda": rising}),
    ("MultiplicativeLR", {"lr_lambda": [Halving(), rising]}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 3, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 9, 9, 40]}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 30}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 40}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 45, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 11, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 7}),
    ("CyclicLR", {"base_lr": [0.01, 0.1], "max_lr": [0.1, 1], "step_size_up": 4,
                  "step_size_down": 9, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "mode": "exp_range",
                  "gamma": 0.97, "base_momentum": 0.5}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "scale_fn": rising,
                  "scale_mode": "iterations", "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "scale_fn": Halving()}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60}),
    ("OneCycleLR", {"max_lr": [1.0, 0.1], "epochs": 6, "steps_per_epoch": 10, "three_phase": True,
                    "pct_start": 0.25, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60, "cycle_momentum": False, "div_factor": 3.0}),
    ("SWALR", {"swa_lr": 0.1}),
    ("SWALR", {"swa_lr": [0.1, 0.3], "anneal_epochs": 20, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.1, "anneal_epochs": 0}),
    ("SequentialLR", {
        "schedules": [("LinearLR", {"total_iters": 9}), ("CosineAnnealingLR", {"T_max": 30}),
                               ("ExponentialLR", {"gamma": 0.9})],
        "milestones": [10, 35],
    }),
    ("SequentialLR", {
        "schedules": [("ConstantLR", {"total_iters": 4}), ("StepLR", {"step_size": 5})],
        "milestones": [20],
    }),
    ("ChainedScheduler", {
        "schedules": [("ConstantLR", {"total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})],
    }),
]  # fmt: skip


def steps(optimizer, scheduler, count):
    """The rates, and the momenta, of a number of steps."""
    seen = []
    for _ in range(count):
        optimizer.step()
        scheduler.step()
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            seen.append((group["lr"], group.get("momentum"), group.get("betas")))
    return seen


def comparable(state):
    """A state without what is a private matter of PyTorch's."""
    return {
        name: comparable(value) if isinstance(value, dict) else value
        for name, value in state.items()
        if name not in ("_anneal_func_type", "_scale_fn_ref")
    }


@pytest.mark.parametrize("optimizer_name", ["SGD", "Adam"])
@pytest.mark.parametrize("name, settings", CASES)
def test_rates(name, settings, optimizer_name):
    seen, states, groups = [], [], []
    for library in (tallow, torch):
        optimizer = optimizer_of(library, optimizer_name)
        scheduler = make(library, name, settings, optimizer)
        first = [group["lr"] for group in optimizer.param_groups]
        seen.append([first, *steps(optimizer, scheduler, 58)])
        states.append(comparable(scheduler.state_dict()))
        groups.append(optimizer.state_dict()["param_groups"])
    assert seen[0] == seen[1]
    assert states[0] == states[1]
    assert groups[0] == groups[1]


@pytest.mark.parametrize("name, settings", CASES)
def test_states_resume(name, settings):
    whole = optimizer_of(tallow)
    scheduler = make(tallow, name, settings, whole)
    steps(whole, scheduler, 23)
    saved = copy.deepcopy((whole.state_dict(), scheduler.state_dict()))

    resumed = optimizer_of(tallow)
    other = make(tallow, name, settings, resumed)
    resumed.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    expected = steps(whole, scheduler, 30)
    assert steps(resumed, other, 30) == expected

    theirs = optimizer_of(torch)
    scheduler = make(torch, name, settings, theirs)
    theirs.load_state_dict({**saved[0], "state": {}})
    scheduler.load_state_dict(saved[1])
    assert steps(theirs, scheduler, 30) == expected


@pytest.mark.parametrize("name, settings", [
    ("StepLR", {"step_size": 3}), ("ExponentialLR", {"gamma": 0.9}), ("LinearLR", {}),
    ("CosineAnnealingLR", {"T_max": 30}), ("LambdaLR", {"lr_lambda": rising}),
    ("MultiStepLR", {"milestones": [5, 20]}), ("PolynomialLR", {"total_iters": 50}),
    ("ConstantLR", {"total_iters": 25}),
])  # fmt: skip
def test_resumed_by_last_epoch(name, settings):
    seen = []
    for library in (tallow, torch):
        optimizer = optimizer_of(library)
        steps(optimizer, make(library, name, settings, optimizer), 20)
        scheduler = make(library, name, {**settings, "last_epoch": 20}, optimizer)
        seen.append(steps(optimizer, scheduler, 20))
        with pytest.raises(KeyError, match="initial_lr"):
            make(library, name, {**settings, "last_epoch": 20}, optimizer_of(library))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name, settings", [
    ("StepLR", {"step_size": 3}), ("MultiStepLR", {"milestones": [5, 5, 20]}),
    ("ConstantLR", {}), ("LinearLR", {}), ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"power": 2.0, "total_iters": 30}), ("CosineAnnealingLR", {"T_max": 30}),
    ("LambdaLR", {"lr_lambda": rising}),
])  # fmt: skip
def test_steps_to_an_epoch(name, settings):
    seen = []
    for library in (tallow, torch):
        optimizer = optimizer_of(library)
        scheduler = make(library, name, settings, optimizer)
        optimizer.step()
        rates = []
        for epoch in (4, 2, 17, 33):
            with pytest.warns(UserWarning, match="epoch"):
                scheduler.step(epoch)
            rates.append(scheduler.get_last_lr())
        seen.append(rates)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("settings", [{"T_0": 7}, {"T_0": 5, "T_mult": 3}])
def test_warm_restarts_take_fractions(settings):
    seen = []
    for library in (tallow, torch):
        optimizer = optimizer_of(library)
        scheduler = make(library, "CosineAnnealingWarmRestarts", settings, optimizer)
        rates = []
        for epoch in (0.5, 3.25, 7, 26.5, 90, None, None):
            scheduler.step(epoch)
            rates.append((scheduler.get_last_lr(), scheduler.last_epoch, scheduler.T_cur))
        seen.append(rates)
        with pytest.raises(ValueError):
            scheduler.step(-1)
    assert seen[0] == seen[1]


PLATEAUS = [
    {},
    {"mode": "max", "factor": 0.5, "patience": 2},
    {"patience": 1, "cooldown": 3, "threshold": 0.5, "threshold_mode": "abs"},
    {"mode": "max", "patience": 0, "threshold": 0.1, "threshold_mode": "abs", "min_lr": 0.01},
    {"patience": 0, "factor": 0.3, "min_lr": [0.1, 0.001], "eps": 1e-3},
]


@pytest.mark.parametrize("settings", PLATEAUS)
def test_plateaus(settings):
    measures = [5, 4, 4.1, 3, 3.2, 3.1, 3.3, 3.05, 2, 2.5, 2.4, 2.9] * 5
    seen, states = [], []
    for library in (tallow, torch):
        optimizer = optimizer_of(library)
        scheduler = make(library, "ReduceLROnPlateau", settings, optimizer)
        rates = []
        for i, measure in enumerate(measures):
            scheduler.step(library.tensor(float(measure)))
            rates.append(scheduler.get_last_lr())
            if i == 31:
                state = copy.deepcopy(scheduler.state_dict())
                scheduler = make(library, "ReduceLROnPlateau", settings, optimizer)
                scheduler.load_state_dict(state)
        seen.append(rates)
        states.append(scheduler.state_dict())
    assert seen[0] == seen[1] and states[0] == states[1]


def test_a_plateau_of_more_groups():
    for settings, error in (({"min_lr": [0.1, 0.1]}, RuntimeError), ({"min_lr": 0.1}, None)):
        optimizer = optimizer_of(tallow)
        scheduler = make(tallow, "ReduceLROnPlateau", {"patience": 0, **settings}, optimizer)
        optimizer.add_param_group({"params": [nn.Parameter(tallow.ones(1))], "lr": 1.0})
        scheduler.step(1.0)
        if error:
            with pytest.raises(error, match="expected min_lrs for 3 groups, got 2"):
                scheduler.step(2.0)
        else:
            scheduler.step(2.0)
            assert optimizer.param_groups[2]["lr"] == 0.1


WRONG = [
    ("LambdaLR", {"lr_lambda": [rising]}, ValueError),
    ("MultiplicativeLR", {"lr_lambda": 3}, TypeError),
    ("ConstantLR", {"factor": 1.5}, ValueError),
    ("LinearLR", {"start_factor": 0}, ValueError),
    ("LinearLR", {"end_factor": 2}, ValueError),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}, ValueError),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0.5}, ValueError),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "0"}, ValueError),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1, "mode": "square"}, ValueError),
    ("CyclicLR", {"base_lr": [0.1], "max_lr": 1}, ValueError),
    ("OneCycleLR", {"max_lr": 1}, ValueError),
    ("OneCycleLR", {"max_lr": 1, "total_steps": 0}, ValueError),
    ("OneCycleLR", {"max_lr": 1, "epochs": 3, "steps_per_epoch": 0.5}, ValueError),
    ("OneCycleLR", {"max_lr": 1, "total_steps": 5, "pct_start": 2}, ValueError),
    ("OneCycleLR", {"max_lr": 1, "total_steps": 5, "anneal_strategy": "tanh"}, ValueError),
    ("ReduceLROnPlateau", {"factor": 1.0}, ValueError),
    ("ReduceLROnPlateau", {"mode": "least"}, ValueError),
    ("ReduceLROnPlateau", {"threshold_mode": "both"}, ValueError),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}, ValueError),
    ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "tanh"}, ValueError),
    ("SWALR", {"swa_lr": 0.1, "anneal_epochs": -1}, ValueError),
    ("SequentialLR", {"schedules": [], "milestones": []}, ValueError),
    ("SequentialLR", {"schedules": [("ConstantLR", {})], "milestones": [3]}, ValueError),
    ("SequentialLR", {"schedules": [("ReduceLROnPlateau", {})], "milestones": []}, ValueError),
    ("ChainedScheduler", {"schedules": [("ReduceLROnPlateau", {})]}, ValueError),
]  # fmt: skip


@pytest.mark.parametrize("name, settings, error", WRONG)
def test_wrong_settings(name, settings, error):
    for library in (tallow, torch):
        with pytest.raises(error) as caught:
            make(library, name, settings, optimizer_of(library))
        if library is tallow:
            assert str(caught.value).startswith(f"{name}: expected ")


def test_wrong_optimizers():
    with pytest.raises(TypeError, match="StepLR: expected an Optimizer, got int"):
        StepLR(3, 1)
    one, other = optimizer_of(tallow), optimizer_of(tallow)
    with pytest.raises(
        ValueError, match="expected schedulers of one optimizer, got another's at 1"
    ):
        SequentialLR(one, [StepLR(one, 1), StepLR(other, 1)], [3])
    with pytest.raises(TypeError, match="ChainedScheduler: expected schedulers, got int at 0"):
        optim.lr_scheduler.ChainedScheduler([3], one)
    adagrad = optim.Adagrad([nn.Parameter(tallow.ones(1))])
    for name, settings in (("OneCycleLR", {"total_steps": 5}), ("CyclicLR", {"base_lr": 0.1})):
        with pytest.raises(
            ValueError, match=f"{name}: expected an optimizer with momentum or betas"
        ):
            make(tallow, name, {"max_lr": 1.0, **settings}, adagrad)


def test_one_cycle_ends():
    optimizer = optimizer_of(tallow)
    scheduler = make(tallow, "OneCycleLR", {"max_lr": 1.0, "total_steps": 5}, optimizer)
    steps(optimizer, scheduler, 5)
    with pytest.raises(ValueError, match="OneCycleLR: expected at most 5 steps, got step 6"):
        scheduler.step()


def test_order_of_steps():
    optimizer = optimizer_of(tallow)
    scheduler = StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"expected optimizer.step\(\) to be called before"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


def test_the_next_rates_are_not_for_asking():
    scheduler = StepLR(optimizer_of(tallow), 1)
    with pytest.warns(UserWarning, match=r"use get_last_lr\(\)"):
        scheduler.get_lr()


def test_rates_that_are_tensors_are_filled():
    seen = []
    for library in (tallow, torch):
        rate = library.tensor(0.5)
        optimizer = library.optim.SGD([library.zeros(1, requires_grad=True)], lr=rate)
        scheduler = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step()
        scheduler.step()
        assert optimizer.param_groups[0]["lr"] is rate
        seen.append((rate.item(), scheduler.get_last_lr()[0].item(), scheduler.base_lrs[0].item()))
    assert seen[0] == seen[1] == (0.25, 0.25, 0.5)


def test_own_schedules():
    class Inverse(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = optimizer_of(tallow)
    scheduler = Inverse(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25, 0.01]
    with pytest.raises(NotImplementedError, match="LRScheduler: expected a subclass to define"):
        LRScheduler(optimizer)
