"""Profiles of training loops: operations timed over chosen steps, shown as a table or a trace."""

import os
import socket
import time
from enum import Enum
from pathlib import Path

from tallow.autograd import profiler as timing
from tallow.autograd.profiler import record_function
from tallow.errors import ArgumentError

__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
    "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(Enum):
    """Where time is spent; only the CPU's is measured."""

    CPU = 0
    CUDA = 2


class ProfilerAction(Enum):
    """What a profile does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(*, wait, warmup, active, repeat=0, skip_first=0):
    """A function of the step: `wait` steps nothing, `warmup` and `active` ones recorded.

    What was recorded while warming up is thrown away. This is done `repeat` times, 0 meaning for
    ever, after `skip_first` steps.
    """
    if min(wait, warmup, active - 1, repeat, skip_first) < 0:
        raise ArgumentError(
            "schedule: expected active of 1 or more and the others of 0 or more, got "
            f"{wait=}, {warmup=}, {active=}, {repeat=}, {skip_first=}"
        )
    length = wait + warmup + active

    def action(step):
        step -= skip_first
        if step < 0 or (repeat and step >= repeat * length):
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == length - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


class profile(timing.profile):
    """A profile that may follow a `schedule`, told of each step by `step()`.

    `on_trace_ready(profile)` is called after the last recorded step of a round, or at the end. What
    else PyTorch's takes is accepted and changes nothing: time on the CPU is what is measured.

    >>> with profile(schedule=schedule(wait=1, warmup=0, active=1)) as prof:
    ...     for size in (2, 3):
    ...         _ = tallow.ones(size, size).exp()
    ...         prof.step()
    >>> [event.shapes for event in prof.events()]
    [[(3, 3)]]
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False,
        profile_memory=False, with_stack=False, with_flops=False, with_modules=False, **ignored,
    ):  # fmt: skip
        super().__init__(record_shapes=record_shapes)
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self._recording = False

    def __enter__(self):
        self._follow()
        return self

    def __exit__(self, *exception):
        if self._recording:
            self._record(False)
            if self.schedule(self.step_num).value >= 2:
                self._ready()

    def start(self):
        """Begin, without a `with`."""
        self.__enter__()

    def stop(self):
        """End what `start` began."""
        self.__exit__(None, None, None)

    def step(self):
        """A step of the loop is done."""
        before = self.schedule(self.step_num)
        self.step_num += 1
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._record(False)
            self._ready()
        self._follow(before)

    def _follow(self, before=ProfilerAction.NONE):
        action = self.schedule(self.step_num)
        self._record(action is not ProfilerAction.NONE)
        if action.value >= 2 and before is not ProfilerAction.RECORD:
            self._events = []  # those of another round, or of warming up

    def _record(self, wanted):
        if wanted != self._recording:
            self._recording = wanted
            super().__enter__() if wanted else super().__exit__()

    def _ready(self):
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """For `on_trace_ready`: writes a trace into a folder, named for the machine and the time."""

    def handle(prof):
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(folder / f"{name}.{time.time_ns()}.pt.trace.json")

    return handle


def kineto_available():
    """False: times are taken by tallow itself."""
    return False
