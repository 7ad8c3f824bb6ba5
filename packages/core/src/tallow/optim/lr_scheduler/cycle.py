"""Schedules that go up and down again, and the momentum the other way."""

import math

from tallow.errors import ArgumentError
from tallow.optim.lr_scheduler.factors import state_of
from tallow.optim.lr_scheduler.scheduler import (
    LRScheduler,
    check_optimizer,
    per_group,
    set_value,
)


class _MomentumCycle(LRScheduler):
    """A schedule of the momentum, or of Adam's first beta, besides the learning rate."""

    def _start_momentum(self, optimizer, base_momentum, max_momentum, last_epoch):
        """Begin with `max_momentum`; returns both, for each group."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ArgumentError(
                f"{type(self).__name__}: expected an optimizer with momentum or betas, got "
                f"{type(optimizer).__name__}; pass cycle_momentum=False"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        lows = per_group(self, optimizer, "base_momentum", base_momentum)
        highs = per_group(self, optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, lows, highs, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"] = high
                group["base_momentum"] = low
        return lows, highs

    def _set_momentum(self, group, momentum):
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_MomentumCycle):
    """From `base_lr` up to `max_lr` in `step_size_up` batches, down in `step_size_down`, and again.

    `mode` is how the height goes on: "triangular" stays, "triangular2" is halved each cycle,
    "exp_range" is times `gamma` each batch; or `scale_fn` gives it for the cycle's number, or with
    `scale_mode` "iterations" the batch's. With `cycle_momentum` the momentum goes the other way. To
    be stepped after each batch.

    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.
    """

    def __init__(
        self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular",
        gamma=1.0, scale_fn=None, scale_mode="cycle", cycle_momentum=True, base_momentum=0.8,
        max_momentum=0.9, last_epoch=-1,
    ):  # fmt: skip
        check_optimizer(self, optimizer)
        if mode not in _SCALES and scale_fn is None:
            raise ArgumentError(
                f"CyclicLR: expected a mode of {', '.join(_SCALES)}, or a scale_fn, got {mode!r}"
            )
        self.optimizer = optimizer
        base_lrs = per_group(self, optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_value(group, "lr", lr)
        self.max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else _SCALES[mode][0]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momenta = self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch)
            self.base_momentums, self.max_momentums = momenta
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x):
        """How high cycle (or batch) `x` is, as a part of the first."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return _SCALES[self.mode][1](self.gamma, x)

    def _next_lrs(self):
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        height = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            )
            for group, low, high in momenta:
                self._set_momentum(group, high - (high - low) * height * scale)
        return [
            low + (high - low) * height * scale
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self):
        """The schedule's attributes; of a scale_fn that is an object its own."""
        state = super().state_dict()
        custom = state["_scale_fn_custom"]
        state["_scale_fn_custom"] = None if custom is None else state_of(custom)
        return state

    def load_state_dict(self, state_dict):
        """Take the attributes of a `state_dict`."""
        state = dict(state_dict)
        own = state.pop("_scale_fn_custom")
        super().load_state_dict(state)
        if own is not None:
            self._scale_fn_custom.__dict__.update(own)


# What the scale of a mode depends on, and the scale.
_SCALES = {
    "triangular": ("cycle", lambda gamma, cycle: 1.0),
    "triangular2": ("cycle", lambda gamma, cycle: 1 / 2.0 ** (cycle - 1)),
    "exp_range": ("iterations", lambda gamma, batch: gamma**batch),
}


def _along_cosine(start, end, part):
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def _along_line(start, end, part):
    return (end - start) * part + start


_CURVES = {"cos": _along_cosine, "linear": _along_line}


class OneCycleLR(_MomentumCycle):
    """From `max_lr / div_factor` up to `max_lr` in a part `pct_start` of all batches, then down to
    that start divided by `final_div_factor`; with `three_phase` back to the start first.

    How many batches there are is `total_steps`, or `epochs * steps_per_epoch`. With
    `cycle_momentum` the momentum goes the other way. `anneal_strategy` is "cos" or "linear". To be
    stepped after each batch.

    Smith & Topin, "Super-Convergence", 2018.

    >>> import tallow
    >>> optimizer = tallow.optim.Adam([tallow.nn.Parameter(tallow.ones(1))])
    >>> scheduler = tallow.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(lr, 6) for lr in scheduler.get_last_lr()]
    [0.1]
    """

    def __init__(
        self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3,
        anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85, max_momentum=0.95,
        div_factor=25.0, final_div_factor=1e4, three_phase=False, last_epoch=-1,
    ):  # fmt: skip
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        self.total_steps = _count_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ArgumentError(
                f"OneCycleLR: expected a float pct_start from 0 to 1, got {pct_start!r}"
            )
        if anneal_strategy not in _CURVES:
            raise ArgumentError(
                f"OneCycleLR: expected anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = high / div_factor
                group["max_lr"] = high
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _next_lrs(self):
        step = self.last_epoch
        if step > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: expected at most {self.total_steps} steps, got step {step}"
            )
        phases = self._schedule_phases
        i = next(
            (i for i, phase in enumerate(phases) if step <= phase["end_step"]), len(phases) - 1
        )
        start = phases[i - 1]["end_step"] if i else 0.0
        part = (step - start) / (phases[i]["end_step"] - start)
        anneal = _CURVES[self._anneal_func_type]
        lrs = []
        for group in self.optimizer.param_groups:
            phase = phases[i]
            lrs.append(anneal(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, anneal(*ends, part))
        return lrs


def _count_steps(total_steps, epochs, steps_per_epoch):
    counts = {"total_steps": total_steps}
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ArgumentError(
                "OneCycleLR: expected total_steps, or epochs and steps_per_epoch, got neither"
            )
        counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, count in counts.items():
        if not isinstance(count, int) or count <= 0:
            raise ArgumentError(f"OneCycleLR: expected a positive int {name}, got {count!r}")
    return math.prod(counts.values())


def _phases(pct_start, total_steps, three_phase):
    """Where each phase ends and between which values of a group it goes."""
    ends = [float(pct_start * total_steps) - 1, total_steps - 1]
    lrs = ["initial_lr", "max_lr", "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum"]
    if three_phase:
        ends.insert(1, float(2 * pct_start * total_steps) - 2)
        lrs.insert(2, "initial_lr")
        momenta.append("max_momentum")
    return [
        {
            "end_step": end, "start_lr": lrs[i], "end_lr": lrs[i + 1],
            "start_momentum": momenta[i], "end_momentum": momenta[i + 1],
        }
        for i, end in enumerate(ends)
    ]  # fmt: skip
