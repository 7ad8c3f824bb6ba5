"""`emulated`: the CUDA kernels compiled for the processor, on the stand-in's arrays."""

import ctypes
import hashlib
import importlib.util
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.array_utils import byte_bounds

from tallow import backend
from tallow.autograd.op import REGISTRY
from tallow.backends import cudnn
from tallow.kernels.cuda import faults, index, launch, optimizers, products
from tallow.kernels.updates import TABLE
from tallow.testing import devices

_spec = importlib.util.spec_from_file_location("cuda_blas", Path(__file__).with_name("blas.py"))
blas = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(blas)

HEADERS = [Path(__file__).with_name(name) for name in ("checks.h", "on_host.h", "tensor_cores.h")]
FLAGS = """
    -std=c++17 -O1 -g1 -w -fPIC -fno-strict-aliasing -fno-gnu-unique -fno-threadsafe-statics
    -ftrivial-auto-var-init=pattern
    -fsanitize=thread,alignment,bounds,signed-integer-overflow,integer-divide-by-zero,shift
    --param tsan-instrument-func-entry-exit=0
""".split()
MOST_SHARED = 99 << 10  # bytes of a block: what each GPU from sm_80 on has

# A kernel's name where it is defined, by itself or by a macro
KERNELS = re.compile(
    r'^extern "C" __global__ void (?:__launch_bounds__\(\w+\)\s+)?(\w+)\(|^[A-Z]+\((\w+), ',
    re.MULTILINE,
)
GIVEN, SHARED, CONSTANT = range(3)  # kinds of memory, as checks.h has them


class Report(ctypes.Structure):
    """What went wrong: as checks.h has it."""

    _fields_ = [
        ("what", ctypes.c_char_p), ("at", ctypes.c_size_t), ("pc", ctypes.c_size_t),
        ("before", ctypes.c_size_t), ("line", ctypes.c_uint), ("thread", ctypes.c_uint),
        ("other", ctypes.c_uint), ("block", ctypes.c_uint * 3),
    ]  # fmt: skip


class Module:
    """Kernels compiled by g++; as CuPy's RawModule, but for arrays of the stand-in.

    A launch raises AssertionError for what would go wrong on a GPU. `order` is that of threads and
    blocks, another at each launch; `addressed` the arrays that structs hold addresses of; `placed`
    counts those that came to the device.
    """

    order = 0
    placed = 0
    addressed: list = []

    def __init__(self, folder, code, options):
        found = KERNELS.findall(code)
        names = [name or other for name, other in found]
        code = code.replace('extern "C" __global__', "__global__")
        launchers = "\n".join(f"LAUNCHER({name})" for name in names)
        code = "\n".join([*(path.read_text() for path in HEADERS), code, launchers])
        self.lines = code.splitlines()
        key = hashlib.sha256("\n".join([code, *FLAGS, *options]).encode()).hexdigest()[:24]
        self.path = folder / f"{key}.so"
        if not self.path.exists():
            made = folder / f"{key}.{id(self)}"
            _run("g++", *FLAGS, *options, "-x", "c++", "-c", "-", "-o", f"{made}.o", given=code)
            _run("g++", "-shared", "-Wl,-Bsymbolic", f"{made}.o", "-o", f"{made}.so")
            Path(f"{made}.o").unlink()
            Path(f"{made}.so").replace(self.path)
        self.library = ctypes.CDLL(str(self.path))
        self.statics = list(self._statics(names[0]))

    def _statics(self, function):
        """(low, high, kind, name) of what is no thread's own: that of functions, and constants."""
        anchor = f"launch_{function}"
        loaded = ctypes.cast(self.library[anchor], ctypes.c_void_p).value
        listed = [
            line.split(maxsplit=3) for line in _run("nm", "-SC", self.path).splitlines()
            if re.match(r"\w+ \w+ \w ", line)
        ]  # fmt: skip
        base = loaded - next(
            int(at, 16) for at, _, _, name in listed if name == f"launch_{function}"
        )
        for at, size, kind, name in listed:
            low, constant = base + int(at, 16), kind in "rR" or name.startswith("guard variable")
            if constant or (kind in "bBdDVv" and "::" in name and "host::" not in name):
                name = name.split("::")[-1]
                yield low, low + int(size, 16), CONSTANT if constant else SHARED, name

    def get_function(self, name):
        function = self.library[f"launch_{name}"]
        function.restype = ctypes.POINTER(Report)

        def call(grid, block, args, *, shared_mem=0):
            assert shared_mem <= call.max_dynamic_shared_size_bytes <= MOST_SHARED
            grid = (*grid, *(1,) * (3 - len(grid)))
            check_limits(grid, block)
            shape = np.array([*grid, *block, Module.order], np.uint32)
            values = [np.asarray(_address(x)) for x in args]
            pointers = np.array([value.ctypes.data for value in values], np.uint64)
            regions = self._regions(args, shared_mem)
            told = np.array([region[:3] for region in regions], np.uint64)
            Module.order += 1
            wrong = function(
                *[ctypes.c_void_p(x.ctypes.data) for x in (shape, pointers, told)], len(told)
            )
            assert not wrong, self._told(name, wrong.contents, regions)

        call.max_dynamic_shared_size_bytes = 0
        return call

    def _regions(self, args, room):
        """The memory that a launch may use, in order; what overlaps is one."""
        arrays = [(x, f"argument {i}") for i, x in enumerate(args) if isinstance(x, devices.Array)]
        arrays += [(x, "an array by its address") for x in Module.addressed]
        Module.addressed.clear()
        given = ctypes.addressof(ctypes.c_char.in_dll(self.library, "given_room"))
        known = [*self.statics, (given, given + room, SHARED, "room")] + [
            (*byte_bounds(x.host), GIVEN, name) for x, name in arrays if x.size
        ]  # fmt: skip
        merged = []
        for region in sorted(known):
            if merged and region[0] < merged[-1][1]:
                low, high, kind, name = merged.pop()
                region = (low, max(high, region[1]), kind, f"{name} or {region[3]}")
            merged.append(region)
        return merged

    def _told(self, kernel, report, regions):
        """A report in words, with the lines of source."""
        where = next(
            (f" {name} + {report.at - low}" for low, high, _, name in regions
             if low <= report.at < high), ""
        )  # fmt: skip
        told = f"{kernel}: {report.what.decode()}{where}, by thread {report.thread}"
        if report.other < 1024:
            told += f" after thread {report.other}"
        told += f" of block {tuple(report.block)}: {self._line(report.pc, report.line)}"
        return told + (f" after: {self._line(report.before)}" if report.before else "")

    def _line(self, pc, line=0):
        if pc:
            line = int(
                _run("addr2line", "-e", self.path, hex(pc - 1)).split(":")[-1].split()[0].strip("?")
                or 0
            )
        return self.lines[line - 1].strip() if line else "?"


def check_limits(grid, block):
    """What CUDA asks of the shape of a launch, from compute capability 3 on."""
    for n, most in zip((*grid, *block), (2**31 - 1, 65535, 65535, 1024), strict=True):
        assert 0 < n <= most, f"expected a launch within CUDA's limits, got {grid}, {block}"


def _run(*command, given=None):
    """What a program writes."""
    done = subprocess.run(list(map(str, command)), input=given, text=True, capture_output=True)
    assert not done.returncode, done.stderr
    return done.stdout


def _address(x):
    """What a kernel is given for an argument: a pointer for an array or None, or the value."""
    if isinstance(x, devices.Array):
        return np.uint64(x.host.ctypes.data)
    return np.uint64(0) if x is None else x


def _noted_address(x):
    """`launch.address`, of an array that a struct holds the address of."""
    Module.addressed.append(x)
    return launch.address(x)


class Library(devices.Library):
    """The stand-in's functions, but memory is as it may be found: all bits 1, in floats NaN."""

    @staticmethod
    def empty(shape, dtype=float):
        made = np.empty(shape, dtype)
        made.reshape(-1).view(np.uint8)[...] = 255
        return devices.Array(made)


def _from_host(array, index, non_blocking=False):
    """A copy on the stand-in, of three one that begins where only a single element may: a view."""
    made = devices.from_host(array, index)
    Module.placed += 1
    if Module.placed % 3 == 0:
        made.memory = np.concatenate([made.memory.reshape(-1)[:1], made.memory], None)[1:]
        made.memory = made.memory.reshape(array.shape)
    return made


@pytest.fixture(scope="session")
def compiled(request):
    """Lets kernels be launched on the stand-in's arrays; skipped without a compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not here")
    folder = request.config.cache.mkdir("cuda_on_host")
    import_module("tallow.kernels.cuda.registered")
    launch.CORES["standin"], launch.STREAMS["standin"] = (lambda: True), (lambda: (0, 0))
    launch.COMPILERS["standin"] = lambda code, options: Module(folder, code, options)
    record = np.empty((faults.PLACES, 2), np.int64)
    faults.keep("standin", record, lambda number: devices.Array(record[number]))
    yield
    del launch.COMPILERS["standin"], launch.CORES["standin"], launch.STREAMS["standin"]
    del faults._records["standin"]


@pytest.fixture
def emulated(compiled, monkeypatch):
    """Operations on the stand-in run the CUDA kernels, with whole factors."""
    monkeypatch.setattr(cudnn, "allow_tf32", False)
    monkeypatch.setattr(optimizers, "address", _noted_address)
    Module.order = Module.placed = 0
    Module.addressed.clear()
    special = [made for made in REGISTRY.values() if "cuda" in made.special]
    for made in special:
        monkeypatch.setitem(made.special, "standin", made.special["cuda"])
        made.kernels.clear()
    for name, where in [key for key in TABLE if key[1] == "cuda"]:
        monkeypatch.setitem(TABLE, (name, "standin"), TABLE[name, where])
    standin = backend.for_device("standin")

    def to_host(x):
        faults.look()
        return standin.to_host(x)

    patched = standin._replace(
        xp=Library(np, "standin"),
        in_range=faults.in_range,
        combine_at=index.combine_at,
        random_blocks=lambda index: 2,
        to_host=to_host,
        from_host=_from_host,
    )
    monkeypatch.setitem(backend._by_name, "standin", patched)
    monkeypatch.setitem(backend._by_type, devices.Array, patched)
    monkeypatch.setattr(products, "library", blas.Library)
    monkeypatch.setattr(products, "_known", {})
    products._handle.cache_clear()
    yield backend.for_device("standin")
    products._handle.cache_clear()
    for made in special:
        made.kernels.clear()
    faults.look()
