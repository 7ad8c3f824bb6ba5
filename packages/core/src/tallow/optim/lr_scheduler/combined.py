"""Schedules made of several."""

from bisect import bisect_right

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tallow.optim.lr_scheduler.scheduler import LRScheduler, set_value, values


class _Combined(LRScheduler):
    """A schedule made of several of one optimizer."""

    def _check(self, schedulers, optimizer):
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeMismatchError(
                    f"{name}: expected schedulers, got {type(scheduler).__name__} at {i}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(
                    f"{name}: expected schedulers whose step takes no measure, got one at {i}"
                )
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(
                    f"{name}: expected schedulers of one optimizer, got another's at {i}"
                )

    def state_dict(self):
        """The schedule's attributes, with the states of its parts."""
        state = super().state_dict()
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict):
        """Take the attributes of a `state_dict`, and give the parts theirs."""
        state = dict(state_dict)
        for scheduler, own in zip(self._schedulers, state.pop("_schedulers"), strict=True):
            scheduler.load_state_dict(own)
        super().load_state_dict(state)


class SequentialLR(_Combined):
    """One schedule after the other: the next begins at each epoch in `milestones`.

    >>> import tallow
    >>> from tallow.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))], lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.25, total_iters=9), ExponentialLR(optimizer, 0.5)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     print(scheduler.get_last_lr())
    ...     scheduler.step()
    [0.25]
    [0.25]
    [1.0]
    [0.5]
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if not schedulers:
            raise ArgumentError("SequentialLR: expected schedulers, got none")
        self._check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: expected {len(schedulers) - 1} milestones for {len(schedulers)} "
                f"schedulers, got {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched=None):
        """Take back the step that every part took when it was made."""
        part = self if sched is None else sched
        if hasattr(part, "_schedulers"):
            for each in part._schedulers:
                self.recursive_undo(each)
        elif hasattr(part, "last_epoch"):
            part.last_epoch -= 1

    def step(self):
        """Step the schedule whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Combined):
    """Several schedules at once: each step steps them all in turn."""

    def __init__(self, schedulers, optimizer=None):
        if not schedulers:
            raise ArgumentError("ChainedScheduler: expected schedulers, got none")
        optimizer = optimizer or schedulers[0].optimizer
        self._check(schedulers, optimizer)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = values(optimizer, "lr")

    def step(self):
        """Step every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = values(self.optimizer, "lr")
