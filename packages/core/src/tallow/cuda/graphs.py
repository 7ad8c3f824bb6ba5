"""Work recorded once and launched as a whole: CUDA graphs, by CuPy's stream capture.

What is captured replays on the same memory: inputs are written into the tensors that were used,
results read from those that came out. Memory that is allocated meanwhile comes from a pool of the
graph's own, so that nobody else gets it. CuPy refuses calls of cuBLAS while it captures.
"""

from contextlib import contextmanager

from tallow import backend
from tallow.cuda.streams import Stream, current_stream
from tallow.errors import DeviceError


def _cupy():
    return backend.for_device("cuda").xp


def is_current_stream_capturing():
    """True inside a capture."""
    return bool(_cupy().cuda.get_current_stream().is_capturing())


class CUDAGraph:
    """A sequence of operations: `capture_begin()`, what is to be recorded, `capture_end()`."""

    def __init__(self):
        self._graph = None
        self._pool = None

    def capture_begin(self, pool=None):
        """Record from now on what the current stream, which is not the default one, is given."""
        cupy = _cupy()
        inner = cupy.cuda.get_current_stream()
        if inner.ptr == cupy.cuda.Stream.null.ptr:
            raise DeviceError(
                "capture_begin: expected another stream than the default one to be current; "
                "use `with tallow.cuda.graph(g):`"
            )
        self._pool = cupy.cuda.MemoryPool() if pool is None else pool
        self._allocator = cupy.cuda.using_allocator(self._pool.malloc)
        self._allocator.__enter__()
        inner.begin_capture()

    def capture_end(self):
        """End the recording."""
        try:
            self._graph = _cupy().cuda.get_current_stream().end_capture()
        finally:
            self._allocator.__exit__(None, None, None)

    def replay(self):
        """Launch all that was recorded, on the current stream."""
        if self._graph is None:
            raise DeviceError("replay: expected a captured graph, got none; see capture_begin")
        self._graph.launch(_cupy().cuda.get_current_stream())

    def reset(self):
        """Forget what was recorded, and give its memory back."""
        self._graph = self._pool = None

    def pool(self):
        """The memory of the graph, for another graph that never runs at the same time."""
        return self._pool


@contextmanager
def graph(cuda_graph, pool=None, stream=None):
    """A context whose operations are recorded in a `CUDAGraph`, on a stream of its own."""
    before = current_stream()
    chosen = Stream() if stream is None else stream
    chosen.wait_stream(before)
    with chosen:
        cuda_graph.capture_begin(pool)
        try:
            yield
        finally:
            cuda_graph.capture_end()
    before.wait_stream(chosen)
