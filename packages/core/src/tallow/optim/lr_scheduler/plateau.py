"""A schedule that follows a measure of the training."""

from math import inf

from tallow.errors import ArgumentError
from tallow.optim.lr_scheduler.scheduler import (
    LRScheduler,
    check_optimizer,
    per_group,
    set_value,
    values,
    warn_of_epoch,
)


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` when a measure has not become better for more than `patience` epochs.

    `mode` "min" means that lower is better, "max" higher; better by more than `threshold`, of the
    best so far ("rel") or absolutely ("abs"). After a reduction, `cooldown` epochs do not count. No
    rate falls below `min_lr`, and a change of less than `eps` is not made.

    >>> import tallow
    >>> optimizer = tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))], lr=1.0)
    >>> scheduler = tallow.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (0.5, 0.5, 0.5):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel",
        cooldown=0, min_lr=0, eps=1e-8,
    ):  # fmt: skip
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau: expected a factor below 1, got {factor}")
        self.factor = factor
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = per_group(self, optimizer, "min_lr", min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = values(optimizer, "lr")
        self._judge_by(mode, threshold, threshold_mode)
        self._reset()

    def _judge_by(self, mode, threshold, threshold_mode):
        if mode not in ("min", "max"):
            raise ArgumentError(f"ReduceLROnPlateau: expected mode 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                f"ReduceLROnPlateau: expected threshold_mode 'rel' or 'abs', got {threshold_mode!r}"
            )
        self.mode_worse = inf if mode == "min" else -inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def _reset(self):
        """Forget the measures so far."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics, epoch=None):
        """Take the measure of an epoch, and reduce the rates if it is time."""
        current = float(metrics)
        if epoch is not None:
            warn_of_epoch(self)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = values(self.optimizer, "lr")

    def _reduce(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: expected min_lrs for {len(groups)} groups, "
                    f"got {len(self.min_lrs)}; extend scheduler.min_lrs when a group is added"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            lr = float(group["lr"])
            reduced = max(lr * self.factor, lowest)
            if lr - reduced > self.eps:
                set_value(group, "lr", reduced)

    @property
    def in_cooldown(self):
        """True in the epochs after a reduction that do not count."""
        return self.cooldown_counter > 0

    def _is_better(self, a, best):
        if self.threshold_mode == "rel":
            bound = best * (1.0 - self.threshold if self.mode == "min" else self.threshold + 1.0)
        else:
            bound = best - self.threshold if self.mode == "min" else best + self.threshold
        return a < bound if self.mode == "min" else a > bound

    def load_state_dict(self, state_dict):
        """Take the attributes of a `state_dict`."""
        super().load_state_dict(state_dict)
        self._judge_by(self.mode, self.threshold, self.threshold_mode)
