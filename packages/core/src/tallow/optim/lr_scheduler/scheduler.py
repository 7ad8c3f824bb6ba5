"""`LRScheduler`, the base of the schedules of learning rates."""

import warnings

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.optim.optimizer import Optimizer
from tallow.tensor import Tensor


class LRScheduler:
    """The base of schedules: `step()`, called after the optimizer's, sets the learning rates.

    A subclass defines `_next_lr(lr, base_lr)`, a group's rate at `last_epoch` given the one before
    and the first, or `get_lr()`, those of all groups; and, for `step(epoch)`,
    `_closed_form(base_lr)` if there is one. The first `last_epoch` is -1; another resumes a
    schedule, whose groups then have their "initial_lr".
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _closed_form = None

    def __init__(self, optimizer, last_epoch=-1):
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: expected 'initial_lr' in param_groups[{i}] to go on "
                    f"from last_epoch {last_epoch}, got none; load the optimizer's state first"
                )
        self.base_lrs = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self):
        """The step into the first epoch, which sets the first rates."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def state_dict(self):
        """The schedule's attributes, without the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take the attributes of a `state_dict`."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The learning rates of the groups that the last step set."""
        return self._last_lr

    def get_lr(self):
        """The learning rates for `last_epoch`, as `step` uses them; others want `get_last_lr`."""
        if not self._get_lr_called_within_step:
            name = type(self).__name__
            warnings.warn(
                f"{name}.get_lr: it computes the next rates; use get_last_lr()", stacklevel=2
            )
        return self._next_lrs()

    def _next_lrs(self):
        groups = zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        return [self._next_lr(group["lr"], base_lr) for group, base_lr in groups]

    def _next_lr(self, lr, base_lr):
        raise NotImplementedError(
            f"{type(self).__name__}: expected a subclass to define get_lr(), got none"
        )

    def _get_closed_form_lr(self):
        return [self._closed_form(base_lr) for base_lr in self.base_lrs]

    def step(self, epoch=None):
        """Set the learning rates of the next epoch, or of `epoch`."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                f"{type(self).__name__}.step: expected optimizer.step() to be called before; "
                "in the other order the first learning rate is never used",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch(self)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = epoch is not None and self._closed_form is not None
        self._set_lrs(self._get_closed_form_lr if closed else self.get_lr)

    def _set_lrs(self, compute):
        """Set the rates that a function of this schedule gives."""
        self._get_lr_called_within_step = True
        try:
            lrs = compute()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = values(self.optimizer, "lr")


def check_optimizer(scheduler, optimizer):
    """TypeError unless it is an optimizer."""
    if not isinstance(optimizer, Optimizer):
        name = type(scheduler).__name__
        raise TypeMismatchError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")


def warn_of_epoch(scheduler):
    """Warn that `step` was called with an epoch, as PyTorch does."""
    warnings.warn(
        f"{type(scheduler).__name__}.step: epoch is deprecated; call step()", stacklevel=3
    )


def copied(value):
    """A value of a group; a tensor as a copy, since the group's own may change in place."""
    return value.clone() if isinstance(value, Tensor) else value


def values(optimizer, name):
    """What each group has under a name, copied."""
    return [copied(group[name]) for group in optimizer.param_groups]


def set_value(group, name, value):
    """Set a value of a group: a tensor there is filled, so that who holds it sees the change."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


def per_group(scheduler, optimizer, name, value):
    """A list with a value for every group, given one for all or a list of as many."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [copied(value) for _ in range(count)]
    if len(value) != count:
        raise ArgumentError(
            f"{type(scheduler).__name__}: expected {name} for {count} groups, got {len(value)}"
        )
    return [copied(v) for v in value]
