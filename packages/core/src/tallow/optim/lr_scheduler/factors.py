"""Schedules that multiply the learning rate by a factor each epoch."""

import types
from bisect import bisect_right
from collections import Counter

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.optim.lr_scheduler.scheduler import LRScheduler, per_group


class _FunctionLR(LRScheduler):
    """A schedule by functions of the epoch: one for all groups, or a list."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        self.lr_lambdas = per_group(self, optimizer, "lr_lambda", lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeMismatchError(
                    f"{type(self).__name__}: expected functions as lr_lambda, "
                    f"got {type(function).__name__}"
                )
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """The schedule's attributes; of callable objects theirs, of plain functions None."""
        state = super().state_dict()
        state["lr_lambdas"] = [state_of(function) for function in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict):
        """Take the attributes of a `state_dict`, and give the functions theirs."""
        state = dict(state_dict)
        for function, own in zip(self.lr_lambdas, state.pop("lr_lambdas"), strict=True):
            if own is not None:
                function.__dict__.update(own)
        super().load_state_dict(state)


def state_of(function):
    """The attributes of a callable object, None for a plain function."""
    return None if isinstance(function, types.FunctionType) else dict(function.__dict__)


class LambdaLR(_FunctionLR):
    """The initial rate times `lr_lambda(epoch)`.

    >>> import tallow
    >>> optimizer = tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))], lr=1.0)
    >>> scheduler = tallow.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.5]
    """

    def _next_lrs(self):
        functions = zip(self.lr_lambdas, self.base_lrs, strict=True)
        return [base_lr * function(self.last_epoch) for function, base_lr in functions]


class MultiplicativeLR(_FunctionLR):
    """The rate before times `lr_lambda(epoch)`."""

    def _next_lrs(self):
        lrs = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return lrs
        functions = zip(self.lr_lambdas, lrs, strict=True)
        return [lr * function(self.last_epoch) for function, lr in functions]


class StepLR(LRScheduler):
    """The rate times `gamma` every `step_size` epochs.

    >>> import tallow
    >>> optimizer = tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))], lr=1.0)
    >>> scheduler = tallow.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size else lr * self.gamma

    def _closed_form(self, base_lr):
        return base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the epochs in `milestones`."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        if self.last_epoch not in self.milestones:
            return lr
        return lr * self.gamma ** self.milestones[self.last_epoch]

    def _closed_form(self, base_lr):
        return base_lr * self.gamma ** bisect_right(
            sorted(self.milestones.elements()), self.last_epoch
        )


class ConstantLR(LRScheduler):
    """The initial rate times `factor`, and from epoch `total_iters` on the rate itself."""

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        _check_factor("ConstantLR", "factor", 0 <= factor <= 1, factor)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def _closed_form(self, base_lr):
        return base_lr * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(LRScheduler):
    """The initial rate times a factor from `start_factor` evenly to `end_factor`.

    It gets there at epoch `total_iters`.
    """

    def __init__(
        self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1
    ):
        _check_factor("LinearLR", "start_factor", 0 < start_factor <= 1, start_factor)
        _check_factor("LinearLR", "end_factor", 0 <= end_factor <= 1, end_factor)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (
            1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)
        )

    def _closed_form(self, base_lr):
        rise = self.end_factor - self.start_factor
        return base_lr * (
            self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters
        )


class ExponentialLR(LRScheduler):
    """The rate times `gamma` every epoch."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        return lr if self._is_initial else lr * self.gamma

    def _closed_form(self, base_lr):
        return base_lr * self.gamma**self.last_epoch


class PolynomialLR(LRScheduler):
    """The initial rate times `(1 - epoch / total_iters) ** power`: 0 from `total_iters` on."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        left = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return lr * (left / before) ** self.power

    def _closed_form(self, base_lr):
        return (
            base_lr
            * (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
        )


def _check_factor(scheduler, name, fits, factor):
    if not fits:
        raise ArgumentError(
            f"{scheduler}: expected a {name} up to 1, and not below 0, got {factor}"
        )
