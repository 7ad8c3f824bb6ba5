"""Streams of work on a GPU, and events that mark places in them; they wrap CuPy's.

CuPy's take what they are asked for the current device: so theirs is made that meanwhile.
"""

from contextlib import ExitStack, nullcontext

from tallow import backend
from tallow.device import device as device_type


def _cupy():
    return backend.for_device("cuda").xp


def _index(device):
    index = None if device is None else device_type(device).index
    return _cupy().cuda.runtime.getDevice() if index is None else index


def _on(index):
    """A context in which a device is the current one."""
    cuda = _cupy().cuda
    return nullcontext() if cuda.runtime.getDevice() == index else cuda.Device(index)


class Event:
    """A place in a stream. Times are measured between events made with `enable_timing=True`."""

    def __init__(self, enable_timing=False, blocking=False, interprocess=False):
        self._how = {
            "block": blocking, "disable_timing": not enable_timing, "interprocess": interprocess,
        }  # fmt: skip
        self.inner = None  # CuPy's, once it is known on which device

    def record(self, stream=None):
        """Put the event after what a stream, by default the current one, has been given so far."""
        stream = current_stream() if stream is None else stream
        with _on(stream.device.index):
            self.inner = self.inner or _cupy().cuda.Event(**self._how)
            self.inner.record(stream.inner)

    def wait(self, stream=None):
        """Have a stream, by default the current one, wait for the event."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self):
        """True if all that came before the event is done, or it was never recorded."""
        return self.inner is None or bool(self.inner.done)

    def synchronize(self):
        """Wait until all that came before the event is done."""
        if self.inner is not None:
            self.inner.synchronize()

    def elapsed_time(self, end_event):
        """Milliseconds from this event to another."""
        return _cupy().cuda.get_elapsed_time(self.inner, end_event.inner)


class Stream:
    """A queue of work on one device; as a context, the stream that operations go to.

    Its device is then the current one, too.
    """

    def __init__(self, device=None, priority=0, *, inner=None):
        self.device = device_type("cuda", _index(device))
        if inner is None:
            with _on(self.device.index):
                inner = _cupy().cuda.Stream(non_blocking=True, priority=priority)
        self.inner = inner
        self._entered = []

    def __eq__(self, other):
        return isinstance(other, Stream) and self.cuda_stream == other.cuda_stream

    def __hash__(self):
        return hash((self.device.index, self.cuda_stream))

    def __repr__(self):
        return f"<tallow.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"

    def __enter__(self):
        self._entered.append(ExitStack())
        self._entered[-1].enter_context(_on(self.device.index))
        self._entered[-1].enter_context(self.inner)
        return self

    def __exit__(self, *exception):
        self._entered.pop().__exit__(*exception)

    @property
    def cuda_stream(self):
        """CUDA's handle of the stream, a number."""
        return self.inner.ptr

    def synchronize(self):
        """Wait until all work in the stream is done."""
        with _on(self.device.index):
            self.inner.synchronize()

    def query(self):
        """True if all work in the stream is done."""
        with _on(self.device.index):
            return bool(self.inner.done)

    def record_event(self, event=None):
        """An event, a new one unless given, after what is in the stream so far."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Have what is put into this stream from now on wait for an event."""
        if event.inner is not None:
            with _on(self.device.index):
                self.inner.wait_event(event.inner)

    def wait_stream(self, stream):
        """Have what is put into this stream from now on wait for what is in another."""
        self.wait_event(stream.record_event())


def current_stream(device=None):
    """The stream that operations go to."""
    return Stream(device, inner=_cupy().cuda.get_current_stream(_index(device)))


def default_stream(device=None):
    """The stream that operations go to unless another is chosen."""
    return Stream(device, inner=_cupy().cuda.Stream.null)


def set_stream(stream):
    """Have operations go to a stream, on its device, from now on; `stream(...)` for a while."""
    _cupy().cuda.Device(stream.device.index).use()
    stream.inner.use()


class StreamContext:
    """A context whose operations go to a stream; None: to the one they go to anyway."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        if self.stream is not None:
            self.stream.__enter__()

    def __exit__(self, *error):
        if self.stream is not None:
            self.stream.__exit__(*error)


def stream(stream):
    """`StreamContext(stream)`."""
    return StreamContext(stream)
