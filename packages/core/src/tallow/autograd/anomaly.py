"""Looking for NaN in backward passes, and for the operation that they come from."""

from tallow import backend
from tallow.autograd.engine import Walk
from tallow.autograd.modes import anomaly
from tallow.autograd.saved import watch
from tallow.errors import GradientError


class CheckedWalk(Walk):
    """A backward pass whose errors say where the operation was called, NaN being one."""

    def _visit(self, node, g):
        self.node = node
        try:
            super()._visit(node, g)
        except Exception as error:
            trace = getattr(node, "trace", None)
            if trace and not getattr(error, "__notes__", None):
                called = "".join(trace.format())
                error.add_note(f"in the gradient of {node.title}, which was called here:\n{called}")
            raise

    def _send(self, edge, part, fresh):
        if anomaly.check_nan:
            array = part.array if self.create_graph else part
            xp = backend.for_array(array).xp
            if array.dtype.kind in "fcV" and bool(xp.isnan(array).any()):
                node = getattr(self, "node", None)
                name = node.title if node else "the gradient that was given"
                raise GradientError(f"backward: expected numbers, got NaN from {name}")
        super()._send(edge, part, fresh)


def _set(enabled, check_nan):
    if enabled != anomaly.enabled:
        watch(1 if enabled else -1)
    anomaly.enabled, anomaly.check_nan = enabled, check_nan
    Walk.kind = CheckedWalk if enabled else Walk


class set_detect_anomaly:
    """Turn the search for anomalies on or off, with `with` or as a function: for all threads.

    While it is on, NaN in a gradient raises GradientError (unless `check_nan` is False), and errors
    in a backward pass tell where the operation was called. It is slow.
    """

    def __init__(self, mode, check_nan=True):
        self.before = anomaly.enabled, anomaly.check_nan
        _set(bool(mode), check_nan)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        _set(*self.before)


class detect_anomaly:
    """Look for anomalies inside: NaN in a gradient raises, with the place of its operation.

    >>> import tallow
    >>> x = tallow.tensor(float("nan"), requires_grad=True)
    >>> try:
    ...     with tallow.autograd.detect_anomaly():
    ...         x.exp().backward()
    ... except RuntimeError as error:
    ...     print(error)
    backward: expected numbers, got NaN from exp
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan

    def __enter__(self):
        self.before = anomaly.enabled, anomaly.check_nan
        _set(True, self.check_nan)

    def __exit__(self, *exception):
        _set(*self.before)


def is_anomaly_enabled():
    """True while backward passes look for anomalies."""
    return anomaly.enabled


def is_anomaly_check_nan_enabled():
    """True if NaN counts as an anomaly."""
    return anomaly.check_nan
