"""Streams, events, graphs and memory figures: what they ask of CuPy, on a stand-in for it."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import tallow
from tallow import backend, cuda
from tallow import generator as streams
from tallow.errors import OutOfMemoryError, ShapeError


class Cupy:
    """As much of CuPy as `tallow.cuda` asks; `log` is what was asked, in order."""

    def __init__(self):
        self.log = log = []
        self.device, self.current = 0, [[], []]
        library = self

        class Device:
            def __init__(self, index):
                self.index = index

            def use(self):
                library.device = self.index

            def __enter__(self):
                log.append(f"device {self.index}")
                self.before, library.device = library.device, self.index
                return SimpleNamespace(
                    synchronize=lambda: log.append(f"wait for device {self.index}")
                )

            def __exit__(self, *exception):
                library.device = self.before

        class Stream:
            made = 0

            def __init__(self, null=False, non_blocking=False, priority=0):
                self.ptr = 0 if null else 1 + Stream.made
                Stream.made += not null
                self.done = True
                self.capturing = False
                self.home = None if null else library.device

            def check(self):
                """As CuPy and CUDA do; the default stream is that of any current device."""
                if self.home not in (None, library.device):
                    raise RuntimeError("the stream's device is not the current one")
                return library.current[library.device]

            def use(self):
                self.check()[:] = [self]

            def __enter__(self):
                self.check().append(self)
                return self

            def __exit__(self, *exception):
                self.check().pop()

            def synchronize(self):
                self.check()
                log.append(f"wait for stream {self.ptr}")

            def wait_event(self, event):
                log.append(f"stream {self.ptr} waits for event {event.number}")

            def is_capturing(self):
                return self.capturing

            def begin_capture(self):
                self.capturing = True
                log.append(f"capture {self.ptr}")

            def end_capture(self):
                self.capturing = False
                return SimpleNamespace(launch=lambda on: log.append(f"launch on {on.ptr}"))

        class Event:
            made = 0

            def __init__(self, **options):
                self.number = Event.made
                Event.made += 1
                self.options = options
                self.done = False
                self.home = library.device

            def record(self, stream):
                stream.check()
                assert self.home == library.device, "an event for a stream of another device"
                log.append(f"event {self.number} in {stream.ptr}")

            def synchronize(self):
                self.done = True

        @contextmanager
        def using_allocator(allocator):
            log.append(f"memory from {allocator.__self__.name}")
            yield
            log.append("memory from the pool of all")

        self.zeros, self.empty = np.zeros, np.empty
        Stream.null = Stream(null=True)
        self.current = [[Stream.null], [Stream.null]]
        self.cuda = SimpleNamespace(
            Stream=Stream, Event=Event, using_allocator=using_allocator,
            Memory=int, MemoryPointer=lambda memory, offset: ("pointer", memory, offset),
            get_current_stream=lambda index=None: library.current[
                library.device if index is None else index
            ][-1],
            get_elapsed_time=lambda start, end: 1.5,
            Device=Device,
            nvtx=SimpleNamespace(
                Mark=log.append, RangePush=log.append, RangePop=lambda: log.append("pop")
            ),
            runtime=SimpleNamespace(
                getDevice=lambda: library.device, getDeviceCount=lambda: 2,
                memGetInfo=lambda: (10, 20),
                deviceCanAccessPeer=lambda device, peer: device != peer,
                getDeviceProperties=lambda index: {
                    "name": b"stand-in", "major": 9, "minor": index, "totalGlobalMem": 20,
                    "multiProcessorCount": 3, "warpSize": 32, "l2CacheSize": 4,
                },
            ),
        )  # fmt: skip

        class Pool:
            name = "its own"

            def __init__(self, grow):
                self.grow = grow

            def malloc(self, size):
                return self.grow(size)

        self.cuda.MemoryPool = Pool


@pytest.fixture
def cupy(monkeypatch):
    library = Cupy()
    made = SimpleNamespace(
        xp=library, random_blocks=lambda index: 2, device_of=lambda array: tallow.device("cuda", 0)
    )
    monkeypatch.setitem(backend._by_name, "cuda", made)
    yield library
    streams.device_generators.clear()


def test_streams_wait_for_each_other(cupy):
    first, second = cuda.Stream(), cuda.Stream(priority=-1)
    assert first != second and first == cuda.Stream(inner=first.inner)
    assert len({first, cuda.Stream(inner=first.inner)}) == 1
    assert cuda.current_stream() == cuda.default_stream()
    with cuda.stream(first):
        assert cuda.current_stream() == first
        with cuda.stream(None):
            assert cuda.current_stream() == first
    cupy.log.clear()
    second.wait_stream(first)
    second.synchronize()
    assert second.query()
    assert cupy.log == ["event 0 in 1", "stream 2 waits for event 0", "wait for stream 2"]
    cuda.set_stream(second)
    assert cuda.current_stream() == second
    assert "cuda:0" in repr(second)


def test_events(cupy):
    start, end = (cuda.Event(enable_timing=True) for _ in range(2))
    assert start.query(), "nothing is waited for"
    start.synchronize()
    start.wait()
    start.record()
    assert start.inner.options["disable_timing"] is False
    end.record(cuda.Stream())
    assert not end.query()
    end.synchronize()
    assert end.query() and start.elapsed_time(end) == 1.5
    end.wait()
    asked = [line for line in cupy.log if not line.startswith("device")]
    assert asked == ["event 0 in 0", "event 1 in 1", "stream 0 waits for event 1"]


def test_streams_and_events_of_another_device(cupy):
    """CuPy refuses streams, and CUDA events, of a device that is not the current one."""
    here, there = cuda.Stream(), cuda.Stream(device=1)
    with there:
        assert cuda.current_device() == 1 and cuda.current_stream() == there
        with here, there:
            assert cuda.current_device() == 1 and cuda.current_stream(0) == here
        assert cuda.current_stream() == there and cuda.current_stream(0) == cuda.default_stream(0)
    assert cuda.current_device() == 0
    here.wait_stream(there)
    there.wait_stream(cuda.default_stream(0))
    there.synchronize()
    assert there.query()
    cuda.set_stream(there)
    assert cuda.current_device() == 1 and cuda.current_stream() == there


def test_a_graph_has_a_stream_and_memory_of_its_own(cupy):
    graph = cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="replay: expected a captured graph"):
        graph.replay()
    with pytest.raises(RuntimeError, match="another stream than the default"):
        graph.capture_begin()
    cupy.log.clear()
    with cuda.graph(graph):
        assert cuda.is_current_stream_capturing()
    assert not cuda.is_current_stream_capturing()
    graph.replay()
    assert cupy.log == [
        "event 0 in 0", "stream 1 waits for event 0", "memory from its own",
        "capture 1", "memory from the pool of all", "event 1 in 1", "stream 0 waits for event 1",
        "launch on 0",
    ]  # fmt: skip
    other = cuda.CUDAGraph()
    with cuda.graph(other, pool=graph.pool()):
        pass
    assert other.pool() is graph.pool()
    graph.reset()
    with pytest.raises(RuntimeError):
        graph.replay()


def test_a_warmed_pool_is_frozen_while_a_stream_captures(cupy):
    pool, graph = cuda.graph_pool_handle(), cuda.CUDAGraph()
    cupy.log.clear()
    with pool.warm():
        assert cuda.current_stream() == pool.stream
        assert pool._inner.malloc(512) == ("pointer", 512, 0)
    assert cuda.current_stream() == cuda.default_stream()
    with (
        pytest.raises(RuntimeError, match=r"memory that pool.warm\(\) left, got .* 1,024 bytes"),
        cuda.graph(graph, pool=pool),
    ):
        assert cuda.current_stream() == pool.stream
        pool._inner.malloc(1024)
    assert pool._inner.malloc(1024), "it may be warmed again"
    with cuda.graph(graph):
        assert graph.pool()._inner.malloc(8), "a pool that nobody warmed grows, as PyTorch's do"


def test_replays_move_random_numbers(cupy):
    generator, other = streams.generator_of(tallow.device("cuda")), tallow.Generator("cuda:0")
    generator.manual_seed(2**64 - 3).take(5)
    with cuda.stream(cuda.Stream()):
        graph = cuda.CUDAGraph()
        graph.capture_begin()
        with pytest.raises(RuntimeError, match="expected a generator that is registered"):
            other.take(1)
        seed, offset, place = generator.take(2)
        assert (seed, offset) == (2**64 - 3, 0), "they count from the graph's beginning"
        assert generator.take(1)[1:] == (8, place)
        graph.capture_end()
    assert generator.take(1)[1:] == (20, None)
    for start in (24, 36):
        graph.replay()
        assert place.tolist() == [start, -3]
    assert generator.offset == 48
    tallow.cuda.manual_seed(7)
    graph.replay()
    assert place.tolist() == [0, 7]


def test_generators_are_registered(cupy):
    other, graph = tallow.Generator("cuda:0"), cuda.CUDAGraph()
    graph.register_generator_state(other)
    with cuda.graph(graph):
        place = other.take(1)[2]
    assert other.offset == 0
    graph.replay()
    assert other.offset == 4 and place.tolist() == [0, other.initial_seed()]


def test_a_capture_that_fails_ends(cupy):
    with pytest.raises(ZeroDivisionError), cuda.graph(cuda.CUDAGraph()):
        1 / 0  # noqa: B018
    assert streams.captured is None and not cuda.is_current_stream_capturing()


# Callables as graphs. The stand-in computes while it captures, and replays nothing.


def test_graphed_modules(cupy):
    x, target = tallow.rand(4, 3, requires_grad=True), tallow.rand(4, 2)
    model = tallow.nn.Linear(3, 2)

    def gradients():
        (model(x) * target).sum().backward()
        found = [p.grad.clone() for p in (x, *model.parameters())]
        x.grad = None
        model.zero_grad()
        return found

    expected, result = gradients(), model(x)
    assert cuda.make_graphed_callables(model, (x.detach().clone().requires_grad_(),)) is model
    cupy.log.clear()
    assert tallow.equal(model(x), result) and cupy.log == ["launch on 0"]
    model(tallow.rand(4, 3))
    assert tallow.equal(model(x), result), "what was captured"
    cupy.log.clear()
    (model(x) * 1).sum().backward()
    assert cupy.log == ["launch on 0"] * 2
    cupy.log.clear()
    model.eval()
    assert tallow.allclose(model(x), result) and cupy.log == []
    assert len(expected) == 3


def test_graphed_functions(cupy):
    def split(x, y):
        return x * 2, (x * y).sum()

    x, y = tallow.ones(3, requires_grad=True), tallow.ones(3)
    graphed, other = cuda.make_graphed_callables((split, lambda x: x + 1), ((x, y), (y,)))
    doubled, total = graphed(x, y)
    assert doubled.tolist() == [2, 2, 2] and total.item() == 3
    (doubled.sum() + total).backward()
    assert x.grad.tolist() == [3, 3, 3] and other(y).tolist() == [2, 2, 2]
    new = tallow.full((3,), 5.0)
    graphed(x, new)
    assert y.tolist() == [5, 5, 5], "arguments are written where those of the capture were"
    with pytest.raises(ValueError, match="expected a tuple of arguments for each of 2"):
        cuda.make_graphed_callables((split, split), ((x, y),))
    with pytest.raises(ValueError, match="expected tensors alone"):
        cuda.make_graphed_callables(split, (x, 2))


def test_devices(cupy):
    assert cuda.device_count() == 2 and cuda.mem_get_info() == (10, 20)
    properties = cuda.get_device_properties(1)
    assert (properties.name, properties.minor, properties.total_memory) == ("stand-in", 1, 20)
    cupy.log.clear()
    with cuda.device("cuda:1") as chosen, cuda.device(None):
        assert chosen.idx == 1
    cuda.synchronize(1)
    assert cupy.log == ["device 1", "device 1", "wait for device 1"]
    assert cuda.can_device_access_peer(0, "cuda:1") and not cuda.can_device_access_peer(0, 0)
    assert cuda.is_tf32_supported()
    cuda.init(), cuda.ipc_collect()


def test_memory_may_be_limited(cupy):
    cupy.get_default_memory_pool = lambda: SimpleNamespace(
        set_limit=lambda fraction: cupy.log.append(f"at most {fraction}")
    )
    cuda.set_per_process_memory_fraction(0.5, 1)
    assert cupy.log == ["device 1", "at most 0.5"]


def test_marks(cupy):
    cuda.nvtx.mark("here")
    with cuda.nvtx.range("step {}", 3):
        pass
    assert cupy.log == ["here", "step 3", "pop"]


def test_random_states(cupy):
    assert cuda.seed() is None
    cuda.manual_seed_all(5)
    generators = [streams.generator_of(tallow.device("cuda", i)) for i in range(2)]
    states = cuda.get_rng_state_all()
    for generator in generators:
        generator.take(3)
    assert [generator.offset for generator in generators] == [12, 12]
    cuda.set_rng_state_all(states)
    assert [generator.state_bytes().tolist() for generator in generators] == [
        [5, *[0] * 15]
    ] * 2 and cuda.initial_seed() == 5
    cuda.seed_all()
    assert len({generator.initial_seed() for generator in generators}) == 1


def test_a_library_s_own_error_is_explained(monkeypatch):
    def explain(error):
        return OutOfMemoryError("cuda: expected memory") if "full" in str(error) else None

    cpu = backend._by_name["cpu"]._replace(explain=explain)
    monkeypatch.setitem(backend._by_type, type(tallow.ones(1).array), cpu)

    @tallow.autograd.op.op
    def fill_up(x, *, text):
        raise RuntimeError(text)

    with pytest.raises(cuda.OutOfMemoryError, match="expected memory"):
        fill_up(tallow.ones(1), text="full")
    with pytest.raises(RuntimeError, match="other") as caught:
        fill_up(tallow.ones(1), text="other")
    assert "in fill_up on float32 (1,)" in caught.value.__notes__[0]


def test_batches_go_into_the_tensors_that_a_captured_step_reads():
    data = tallow.utils.data.TensorDataset(tallow.arange(6.0).reshape(6, 1), tallow.arange(6))
    x, label = buffers = tallow.zeros(2, 1), tallow.zeros(2, dtype=tallow.int64)
    weights = tallow.nn.Parameter(x)
    seen = []
    for given in cuda.batches_into((weights, label), tallow.utils.data.DataLoader(data, 2)):
        assert given[1] is label
        seen.append((weights.tolist(), label.tolist()))
    assert seen == [([[2.0 * i], [2.0 * i + 1]], [2 * i, 2 * i + 1]) for i in range(3)]
    loader = tallow.utils.data.DataLoader([{"x": [1.0], "name": "a"}], 1)
    place = {"x": [tallow.zeros(1, dtype=tallow.float64)], "name": None}
    assert next(cuda.batches_into(place, loader)) is place and place["x"][0].item() == 1
    with pytest.raises(ShapeError, match="batches_into: expected a batch like .*; a DataLoader"):
        list(cuda.batches_into(buffers, tallow.utils.data.DataLoader(data, 4)))
