"""Marks in the timelines of NVIDIA's profilers."""

from contextlib import contextmanager

from tallow import backend


def _nvtx():
    return backend.for_device("cuda").xp.cuda.nvtx


def mark(msg):
    """A mark at this moment."""
    _nvtx().Mark(msg)


def range_push(msg):
    """Begin a range, which `range_pop` ends."""
    _nvtx().RangePush(msg)


def range_pop():
    """End the range begun last."""
    _nvtx().RangePop()


@contextmanager
def range(msg, *args, **kwargs):
    """A context that is a range, called `msg.format(*args, **kwargs)`."""
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
