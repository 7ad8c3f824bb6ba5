"""The opening of CuPy, on a stand-in for it: what is registered, and its memory."""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import tallow
from tallow import backend
from tallow.errors import DeviceError, OutOfMemoryError
from tallow.kernels.cuda import faults, launch
from tallow.testing import devices

MODULES = ("tallow.kernels.cuda.opening", "tallow.kernels.cuda.memory")


class Array(devices.Array):
    """An array of the stand-in for CuPy."""

    device = SimpleNamespace(id=0)


class Pinned(bytearray):
    """Memory that a device reads by itself."""


class NoDevice(Exception):
    pass


class Full(Exception):
    pass


def library(count=2):
    """As much of CuPy as opening asks; `copies` are those that were asked for later."""
    made = ModuleType("cupy")
    made.copies, made.used, made.capturing, made.events = [], 100, False, []

    def get_device_count():
        if not count:
            raise NoDevice("no CUDA-capable device is detected")
        return count

    class On:
        attributes = {"MultiProcessorCount": 33, "MaxThreadsPerMultiProcessor": 2048}
        compute_capability = "80"

        def __init__(self, index):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

    def array(x):
        if x.size > 1000:
            raise Full("out of memory allocating 8,000 bytes")
        return Array(np.array(x))

    def empty(shape, dtype):
        out = Array(np.empty(shape, dtype))
        out.__class__ = type("Later", (Array,), {"data": SimpleNamespace(
            copy_from_host_async=lambda *asked: made.copies.append((out, *asked))
        )})  # fmt: skip
        return out

    def record(event):
        made.events.append(SimpleNamespace(done=False))
        return made.events[-1]

    stream = SimpleNamespace(
        ptr=7, record=record, is_capturing=lambda: made.capturing, synchronize=lambda: None
    )
    made.ndarray, made.array, made.empty = Array, array, empty
    made.asnumpy = lambda x: x.host
    made.RawModule = lambda code, options: ("compiled", code, options)
    made.get_default_memory_pool = lambda: SimpleNamespace(
        used_bytes=lambda: made.used, free_bytes=lambda: 50, total_bytes=lambda: made.used + 50
    )
    made.cuda = SimpleNamespace(
        runtime=SimpleNamespace(
            getDeviceCount=get_device_count, CUDARuntimeError=NoDevice, getDevice=lambda: 0,
            memGetInfo=lambda: (10, 2000),
        ),
        memory=SimpleNamespace(OutOfMemoryError=Full),
        MemoryHook=type("MemoryHook", (), {"__enter__": lambda self: self}),
        PinnedMemoryPointer=Pinned, alloc_pinned_memory=Pinned, Device=On,
        get_current_stream=lambda: stream, Event=lambda **how: how,
    )  # fmt: skip
    return made


@pytest.fixture
def opened(monkeypatch):
    """What opens CuPy, given the stand-in for it, as long as a test runs."""

    def opening(cupy):
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        return import_module(MODULES[0])

    tables = (
        backend._by_name, backend._by_type, launch.COMPILERS, launch.CORES, launch.STREAMS,
        faults._records,
    )  # fmt: skip
    before = [dict(table) for table in tables]
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield opening
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)
    backend.ARRAY_TYPES.discard(Array)
    for name in MODULES:
        sys.modules.pop(name, None)


def test_backend(opened):
    cupy = library()
    opened(cupy)
    made = backend.for_device("cuda")
    assert made.xp is cupy and made.kernels == "tallow.kernels.cuda.registered"
    array = made.from_host(np.arange(3.0), None)
    assert isinstance(array, Array) and str(made.device_of(array)) == "cuda:0"
    assert made.to_host(array).tolist() == [0, 1, 2] and made.random_blocks(1) == 264
    made.synchronize()
    assert launch.COMPILERS["cuda"]("text", ("-D",)) == ("compiled", "text", ("-D",))
    assert launch.CORES["cuda"]()
    assert launch.STREAMS["cuda"]() == (0, 7)


def test_without_a_device(opened):
    with pytest.raises(DeviceError, match="got none: no CUDA-capable .*NVIDIA's driver"):
        opened(library(count=0))


def test_devices_are_numbered(opened):
    opened(library())
    with pytest.raises(DeviceError, match="expected cuda:0 to cuda:1, got cuda:2"):
        backend.for_device("cuda").from_host(np.ones(1), 2)


def test_a_full_device(opened):
    opened(library())
    with pytest.raises(OutOfMemoryError, match="8,000 bytes.*hold 100 .*50 more.*10 .*2,000"):
        tallow.zeros(1001).to("cuda")


def test_pinned_memory(opened):
    cupy = library()
    opened(cupy)
    made = backend.for_device("cuda")
    pinned = made.pinned(np.arange(6.0).reshape(2, 3))
    assert pinned.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert made.is_pinned(pinned) and made.is_pinned(pinned[0]) and not made.is_pinned(np.ones(2))
    made.from_host(pinned, None)
    made.from_host(np.ones(2), None, True)
    assert not cupy.copies
    made.from_host(pinned, None, True)
    out, source, size, stream = cupy.copies[0]
    assert (source, size, stream.ptr) == (pinned.ctypes.data, 48, 7) and out.shape == (2, 3)


def test_pinned_memory_is_kept_until_it_is_copied(opened):
    cupy = library()
    opened(cupy)
    made, kept = backend.for_device("cuda"), import_module(MODULES[1])._copied
    for _ in range(2):
        made.from_host(made.pinned(np.arange(6.0)), None, True)
    assert len(kept) == 2
    cupy.events[0].done = True
    made.from_host(made.pinned(np.arange(6.0)), None, True)
    assert [event for event, _ in kept] == cupy.events[1:]
    cupy.capturing = True
    made.from_host(made.pinned(np.arange(6.0)), None, True)
    assert len(cupy.copies) == 4 and len(cupy.events) == 3, "CUDA knows no event of a graph's"


def test_from_device_to_device(opened, monkeypatch):
    """The streams of both devices wait for each other around the copy, and the host for neither."""
    cupy, log = library(), []
    opened(cupy)

    class On:
        current = 0

        def __init__(self, index):
            self.id = index

        def __enter__(self):
            self.before, On.current = On.current, self.id

        def __exit__(self, *exception):
            On.current = self.before

    class Stream:
        def __init__(self):
            self.home = On.current

        def record(self, event):
            assert On.current == self.home and event == {"disable_timing": True}
            log.append(f"{self.home} marks")
            return self.home

        def wait_event(self, event):
            assert On.current == self.home
            log.append(f"{self.home} waits for {event}")

    def empty(shape, dtype):
        out = Array(np.empty(shape, dtype))
        out.__class__ = type("Target", (Array,), {"device": On(On.current), "data": SimpleNamespace(
            copy_from_device_async=lambda data, size, stream: log.append(
                f"{stream.home} copies {size} bytes"
            )
        )})  # fmt: skip
        return out

    monkeypatch.setattr(Array, "device", On(0))
    cupy.cuda.Device, cupy.cuda.get_current_stream, cupy.empty = On, Stream, empty
    cupy.cuda.Event, cupy.asarray = dict, lambda x: x
    x = tallow.ones(2, 3).to("cuda:0")
    y = x.to("cuda:1")
    assert y.device == tallow.device("cuda:1") and y.shape == (2, 3)
    assert log == ["1 marks", "0 waits for 1", "0 copies 24 bytes", "0 marks", "1 waits for 0"]
    with pytest.raises(DeviceError, match="expected cuda:0 to cuda:1, got cuda:2"):
        x.to("cuda:2")


def test_the_peak_of_memory(opened):
    cupy = library()
    opened(cupy)
    peak = import_module(MODULES[1]).PEAK
    for cupy.used in (300, 200):
        peak.malloc_postprocess(size=1)
    assert (peak.used, peak.held) == (300, 350)
    peak.begin()
    assert (peak.used, peak.held) == (200, 250)


def test_faults_are_noted_in_pinned_memory(opened):
    opened(library())
    record, row = faults._records["cuda"]
    assert backend.for_device("cuda").is_pinned(record)
    assert int(row(3)) == record[3].ctypes.data
