"""How long operations take: their kernels are timed while a profile is running, and only then."""

import json
import threading
from collections import defaultdict
from contextlib import ContextDecorator
from dataclasses import dataclass, field
from time import perf_counter_ns

from tallow import backend
from tallow.autograd.op import REGISTRY
from tallow.errors import ArgumentError
from tallow.left_out import Never

_running: list["profile"] = []
_nested = threading.local()  # `inside`: for each call that is going on, the time of those within


@dataclass
class Event:
    """One call: of an operation's kernel, or of a block of `record_function`. Times in ns."""

    name: str
    start: int
    duration: int
    inner: int  # of it, in calls within
    thread: int
    shapes: list = field(default_factory=list)


def _timed(name, call, arguments, options, shapes=()):
    """What `call` returns; the time that it took is told to the running profiles."""
    inside = _nested.__dict__.setdefault("inside", [])
    inside.append(0)
    start = perf_counter_ns()
    try:
        return call(*arguments, **options)
    finally:
        duration = perf_counter_ns() - start
        inner = inside.pop()
        if inside:
            inside[-1] += duration
        event = Event(name, start, duration, inner, threading.get_ident(), list(shapes))
        for running in _running:
            running._events.append(event)


class _Kernels:
    """In the place of an operation's table of kernels: gives them out with a clock."""

    def __init__(self, op):
        self.op = op

    def get(self, kind):
        kernel = self.op.kernels.get(kind)
        if kernel is None and not backend.is_array_type(kind):
            return None

        def call(*arrays, **params):
            chosen = kernel or self.op.bind(arrays)
            shapes = [getattr(x, "shape", ()) for x in arrays]
            return _timed(self.op.name, chosen, arrays, params, shapes)

        return call


class record_function(ContextDecorator):
    """A block, or the calls of a function, that a profile lists by a name."""

    def __init__(self, name, args=None):
        self.name = name

    def __enter__(self):
        inside = _nested.__dict__.setdefault("inside", [])
        inside.append(0)
        self._start = perf_counter_ns()
        return self

    def __exit__(self, *exception):
        duration = perf_counter_ns() - self._start
        inside = _nested.inside
        inner = inside.pop()
        if inside:
            inside[-1] += duration
        event = Event(self.name, self._start, duration, inner, threading.get_ident())
        for running in _running:
            running._events.append(event)


class Average:
    """All calls of one name: `count`, and in microseconds the time of them, with what they call
    (`cpu_time_total`) and without (`self_cpu_time_total`)."""

    def __init__(self, key, events):
        self.key = key
        self.count = len(events)
        self.cpu_time_total = sum(e.duration for e in events) / 1e3
        self.self_cpu_time_total = sum(e.duration - e.inner for e in events) / 1e3
        self.input_shapes = events[0].shapes

    @property
    def cpu_time(self):
        """The mean time of a call, in microseconds."""
        return self.cpu_time_total / self.count


class Averages(list):
    """The calls of a profile by name; `table()` shows them."""

    def table(self, sort_by="self_cpu_time_total", row_limit=100, **ignored):
        """A table as text, the largest first by the attribute `sort_by` of `Average`."""
        known = ("count", "cpu_time", "cpu_time_total", "self_cpu_time_total")
        if sort_by not in known:
            raise ArgumentError(f"table: expected sort_by one of {', '.join(known)}, got {sort_by}")
        rows = sorted(self, key=lambda row: -getattr(row, sort_by))[:row_limit]
        total = sum(row.self_cpu_time_total for row in self) or 1.0
        width = max([len(row.key) for row in rows], default=4)
        head = f"{'name':<{width}}  self %      self     total  mean of a call   calls"
        lines = [head, "-" * len(head)]
        for row in rows:
            lines.append(
                f"{row.key:<{width}}  {row.self_cpu_time_total / total:6.1%}"
                f"{_shown(row.self_cpu_time_total)}{_shown(row.cpu_time_total)}"
                f"{_shown(row.cpu_time):>16}{row.count:8}"
            )
        return "\n".join([*lines, f"self time in all: {_shown(total).strip()}"])


EventList = Averages


class emit_nvtx(Never):
    """What names operations for NVIDIA's profiler there."""

    why = "tallow.cuda.nvtx names ranges"


def _shown(microseconds):
    """A time in three or four digits and a fitting unit, ten characters wide."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}".rjust(10)
    return f"{microseconds:.2f}us".rjust(10)


class profile:
    """A block whose operations, forward and backward, are timed on the CPU.

    >>> import tallow
    >>> with profile() as prof:
    ...     _ = tallow.ones(3, 3) @ tallow.ones(3, 3)
    >>> [row.key for row in prof.key_averages()]
    ['matmul']
    """

    def __init__(self, enabled=True, *, record_shapes=False, **ignored):
        self.enabled = enabled
        self.record_shapes = record_shapes
        self._events = []

    def __enter__(self):
        if self.enabled:
            if not _running:
                for op in REGISTRY.values():
                    op.call.__globals__["_kernels"] = _Kernels(op)
            _running.append(self)
        return self

    def __exit__(self, *exception):
        if self.enabled:
            _running.remove(self)
            if not _running:
                for op in REGISTRY.values():
                    op.call.__globals__["_kernels"] = op.kernels

    def events(self):
        """The calls, in the order in which they ended."""
        return self._events

    def key_averages(self, group_by_input_shape=False):
        """The calls put together by name, and by the operands' shapes if asked."""
        groups = defaultdict(list)
        for event in self._events:
            shapes = tuple(map(tuple, event.shapes)) if group_by_input_shape else None
            groups[event.name, shapes].append(event)
        return Averages(Average(name, events) for (name, _), events in groups.items())

    def export_chrome_trace(self, path):
        """Write a file of JSON for chrome://tracing, or Perfetto's page."""
        rows = [
            {
                "name": e.name, "ph": "X", "ts": e.start / 1e3, "dur": e.duration / 1e3,
                "pid": 0, "tid": e.thread,
                "args": {"Input Dims": [list(s) for s in e.shapes]} if self.record_shapes else {},
            }
            for e in self._events
        ]  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": rows}, file)
