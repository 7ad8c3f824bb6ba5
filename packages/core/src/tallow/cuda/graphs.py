"""Work recorded once and launched as a whole: CUDA graphs, by CuPy's stream capture.

What is captured replays on the same memory: inputs are written into the tensors that were used,
results read from those that came out. What the host does is not repeated: numbers that it knows,
such as a learning rate, stay what they were, and an optimizer that counts steps must do so on the
device (`capturable=True`). Random numbers are others at each replay, of the device's generator and
those that are registered.

Memory that is allocated meanwhile comes from a pool of the graph's own, so that nobody else gets
it. Run what is to be captured once or twice before, on another stream, as PyTorch asks it: kernels
are then compiled, and cuBLASLt has chosen its algorithms. Where that is done in the graph's pool,
which keeps what it took, nothing new is allocated during the capture, or an error says so:

    pool = tallow.cuda.graph_pool_handle()
    with pool.warm():
        for _ in range(3):
            step()
    with tallow.cuda.graph(graph, pool=pool):
        step()
"""

from collections.abc import Mapping
from contextlib import contextmanager, suppress

import numpy as np

from tallow import backend
from tallow import generator as streams
from tallow.autograd.engine import grad
from tallow.autograd.function import Function
from tallow.creation import ones_like
from tallow.cuda.streams import Stream, current_stream
from tallow.device import device as device_type
from tallow.errors import ArgumentError, DeviceError, ShapeError, describe
from tallow.tensor import Tensor


def _cupy():
    return backend.for_device("cuda").xp


def is_current_stream_capturing():
    """True inside a capture."""
    return bool(_cupy().cuda.get_current_stream().is_capturing())


class Pool:
    """Memory for graphs that never run at the same time; once it was warmed it does not grow."""

    def __init__(self):
        self._inner = _cupy().cuda.MemoryPool(self._grow)
        self._frozen = False
        self.stream = None  # that it was warmed on: CuPy keeps free memory by streams

    def _grow(self, size):
        """Memory of the device's, that the pool has not yet."""
        if self._frozen:
            raise DeviceError(
                f"graph: expected to capture with the memory that pool.warm() left, got a request "
                f"for {size:,} bytes more; run the very same step in pool.warm() before"
            )
        cuda = _cupy().cuda
        return cuda.MemoryPointer(cuda.Memory(size), 0)

    @contextmanager
    def warm(self):
        """A context, on the pool's stream, whose allocations are kept for what is captured."""
        before = current_stream()
        self.stream = Stream() if self.stream is None else self.stream
        self.stream.wait_stream(before)
        with self.stream, self.used():
            yield
        before.wait_stream(self.stream)

    def used(self):
        """A context whose allocations come from the pool."""
        return _cupy().cuda.using_allocator(self._inner.malloc)

    @contextmanager
    def captured(self):
        """`used` while a stream captures."""
        self._frozen = self.stream is not None
        try:
            with self.used():
                yield
        finally:
            self._frozen = False


class CUDAGraph:
    """A sequence of operations: `capture_begin()`, what is to be recorded, `capture_end()`."""

    def __init__(self):
        self._graph = None
        self._pool = None
        self._generators = {}  # what is drawn from: where replays put its seed and offset
        self._used = {}  # and by how much each moves it

    def register_generator_state(self, generator):
        """Have numbers of a generator, which is not its device's own, be others at each replay."""
        self._generators[generator] = _cupy().zeros(2, np.int64)

    def capture_begin(self, pool=None, capture_error_mode="global"):
        """Record from now on what the current stream, which is not the default one, is given."""
        cupy = _cupy()
        inner = cupy.cuda.get_current_stream()
        if inner.ptr == cupy.cuda.Stream.null.ptr:
            raise DeviceError(
                "capture_begin: expected another stream than the default one to be current; "
                "use `with tallow.cuda.graph(g):`"
            )
        self.register_generator_state(streams.generator_of(device_type("cuda")))
        self._before = {generator: generator.offset for generator in self._generators}
        for generator in self._generators:
            generator.offset = 0
        streams.captured = self._generators
        self._pool = Pool() if pool is None else pool
        self._allocator = self._pool.captured()
        self._allocator.__enter__()
        inner.begin_capture()

    def capture_end(self):
        """End the recording."""
        try:
            self._graph = _cupy().cuda.get_current_stream().end_capture()
        finally:
            self._allocator.__exit__(None, None, None)
            streams.captured = None
            for generator, offset in self._before.items():
                self._used[generator], generator.offset = generator.offset, offset

    def replay(self):
        """Launch all that was recorded, on the current stream."""
        if self._graph is None:
            raise DeviceError("replay: expected a captured graph, got none; see capture_begin")
        for generator, used in self._used.items():
            if used:
                seed = (generator.initial_seed() + 2**63) % 2**64 - 2**63
                place = self._generators[generator]
                place[0], place[1] = generator.offset, seed
                generator.offset += used
        self._graph.launch(_cupy().cuda.get_current_stream())

    def reset(self):
        """Forget what was recorded, and give its memory back."""
        self._graph = self._pool = None

    def pool(self):
        """The memory of the graph, for another graph that never runs at the same time."""
        return self._pool


def graph_pool_handle():
    """A `Pool` for several graphs that never run at the same time: `graph(g, pool=...)`."""
    return Pool()


@contextmanager
def graph(cuda_graph, pool=None, stream=None, capture_error_mode="global"):
    """A context whose operations are recorded in a `CUDAGraph`, on a stream of its own.

    Memory comes from a `Pool` of its own, or of `graph_pool_handle`, whose stream is then used.
    """
    before = current_stream()
    chosen = stream or (pool and pool.stream) or Stream()
    chosen.wait_stream(before)
    with chosen:
        cuda_graph.capture_begin(pool)
        try:
            yield
        except BaseException:
            with suppress(Exception):  # that says no more than the first
                cuda_graph.capture_end()
            raise
        cuda_graph.capture_end()
    before.wait_stream(chosen)


def batches_into(buffers, loader):
    """Each of a loader's batches, copied into `buffers`: the tensors that a captured step reads.

    `buffers` is a tensor, or tuples, lists and dicts of them nested as a batch is; entries that are
    no tensors stay as they are. The copies wait for no one where the loader has `pin_memory=True`,
    and the step before is done with the tensors when they begin. A batch of another shape, such as
    a last one with fewer samples (`drop_last=True` leaves it out), raises ShapeError.

        for _ in batches_into((x, label), loader):
            graph.replay()
    """
    for batch in loader:
        _copy_into(buffers, batch)
        yield buffers


def _copy_into(buffers, batch):
    if isinstance(buffers, Tensor):
        if not isinstance(batch, Tensor) or batch.shape != buffers.shape:
            raise ShapeError(
                f"batches_into: expected a batch like {describe(buffers)}, got {describe(batch)}; "
                "a DataLoader with drop_last=True leaves out what is no whole batch"
            )
        buffers.detach().copy_(batch, non_blocking=True)
    elif isinstance(buffers, Mapping):
        for key, value in buffers.items():
            _copy_into(value, batch[key])
    elif isinstance(buffers, tuple | list):
        for value, given in zip(buffers, batch, strict=True):
            _copy_into(value, given)


# Callables as graphs


def make_graphed_callables(
    callables, sample_args, num_warmup_iters=3, allow_unused_input=False, pool=None
):
    """Functions or modules whose forward and backward passes are each launched as one graph.

    `sample_args` is the tuple of tensors that a callable takes, or for several callables a tuple of
    such tuples: every call must have arguments of their shapes and dtypes, requiring gradients as
    they do. A module is changed in place, to run its graph in the mode (training or not) that it is
    now in. Results are valid until the next call.
    """
    if not isinstance(callables, tuple):
        return _graphed(callables, sample_args, num_warmup_iters, allow_unused_input, pool)
    if len(sample_args) != len(callables):
        raise ArgumentError(
            f"make_graphed_callables: expected a tuple of arguments for each of {len(callables)} "
            f"callables, got {len(sample_args)}"
        )
    pool = graph_pool_handle() if pool is None else pool
    return tuple(
        _graphed(function, args, num_warmup_iters, allow_unused_input, pool)
        for function, args in zip(callables, sample_args, strict=True)
    )


def _graphed(function, args, warmups, allow_unused, pool):
    """One callable as a pair of graphs, behind an autograd `Function`."""
    if not all(isinstance(x, Tensor) for x in args):
        raise ArgumentError("make_graphed_callables: expected tensors alone as sample_args")
    module = function if hasattr(function, "parameters") else None
    weights = () if module is None else tuple(module.parameters())
    wanted = tuple(x for x in (*args, *weights) if x.requires_grad)
    single = True

    def outputs():
        nonlocal single
        made = function(*args)
        single = isinstance(made, Tensor)
        return (made,) if single else tuple(made)

    def gradients(outs, slopes):
        return grad(outs, wanted, slopes, allow_unused=allow_unused) if slopes else ()

    pool = Pool() if pool is None else pool
    with pool.warm():
        for _ in range(max(warmups, 1)):
            warm = [x for x in outputs() if x.requires_grad]
            gradients(warm, [ones_like(x) for x in warm])
        del warm

    forward, backward = CUDAGraph(), CUDAGraph()
    with graph(forward, pool):
        outs = outputs()
    recorded = [x for x in outs if x.requires_grad]
    slopes = [ones_like(x) for x in recorded]
    with graph(backward, pool):
        found = iter(gradients(recorded, slopes))
    results = [next(found) if x.requires_grad and recorded else None for x in (*args, *weights)]
    results = [x if x is None else x.detach() for x in results]
    plain = tuple(x.detach() for x in outs)

    class Replayed(Function):
        """The two graphs, between which only memory is written and read."""

        @staticmethod
        def forward(ctx, *inputs):
            for static, x in zip(args, inputs, strict=False):
                if static.data_ptr() != x.data_ptr():
                    static.detach().copy_(x.detach(), non_blocking=True)
            forward.replay()
            return tuple(x.detach() for x in plain)

        @staticmethod
        def backward(ctx, *given):
            passed = (g for g, x in zip(given, outs, strict=True) if x.requires_grad)
            for static, g in zip(slopes, passed, strict=True):
                static.zero_() if g is None else static.copy_(g, non_blocking=True)
            backward.replay()
            return tuple(x if x is None else x.clone() for x in results)  # one may become .grad

    def call(*inputs):
        made = Replayed.apply(*inputs, *weights)
        return made[0] if single else made

    if module is None:
        return call
    eager, training = module.forward, module.training
    module.forward = lambda *xs: call(*xs) if module.training == training else eager(*xs)
    return module
