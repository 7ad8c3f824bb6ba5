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

from tallow import backend
from tallow.autograd.op import REGISTRY
from tallow.backends import cudnn
from tallow.kernels.cuda import faults, index, launch, products
from tallow.kernels.updates import TABLE
from tallow.testing import devices

_spec = importlib.util.spec_from_file_location("cuda_blas", Path(__file__).with_name("blas.py"))
blas = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(blas)

HEADER = Path(__file__).with_name("on_host.h")
FLAGS = ["-std=c++17", "-O1", "-fno-strict-aliasing", "-fPIC", "-shared", "-w"]

# A kernel's name where it is defined, by itself or by a macro
KERNELS = re.compile(r'^extern "C" __global__ void (\w+)\(|^[A-Z]+\((\w+), ', re.MULTILINE)


class Module:
    """Kernels compiled by g++; as CuPy's RawModule, but for arrays of the stand-in."""

    def __init__(self, folder, code, options):
        found = KERNELS.findall(code)
        names = [name or other for name, other in found]
        code = code.replace('extern "C" __global__', "__global__")
        launchers = "\n".join(f"LAUNCHER({name})" for name in names)
        code = "\n".join([HEADER.read_text(), code, launchers])
        key = hashlib.sha256("\n".join([code, *FLAGS, *options]).encode()).hexdigest()[:24]
        library = folder / f"{key}.so"
        if not library.exists():
            made = folder / f"{key}.{id(self)}.so"
            command = ["g++", *FLAGS, *options, "-x", "c++", "-", "-o", str(made)]
            done = subprocess.run(command, input=code, text=True, capture_output=True)
            assert not done.returncode, done.stderr
            made.replace(library)
        self.library = ctypes.CDLL(str(library))

    def get_function(self, name):
        function = self.library[f"launch_{name}"]

        def call(grid, block, args):
            shape = np.array([*grid, *(1,) * (3 - len(grid)), *block], np.uint32)
            values = [np.asarray(_address(x)) for x in args]
            pointers = np.array([value.ctypes.data for value in values], np.uint64)
            function(ctypes.c_void_p(shape.ctypes.data), ctypes.c_void_p(pointers.ctypes.data))

        return call


def _address(x):
    """What a kernel is given for an argument: a pointer for an array or None, or the value."""
    if isinstance(x, devices.Array):
        return np.uint64(x.host.ctypes.data)
    return np.uint64(0) if x is None else x


@pytest.fixture(scope="session")
def compiled(request):
    """Lets kernels be launched on the stand-in's arrays; skipped without a compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not here")
    folder = request.config.cache.mkdir("cuda_on_host")
    import_module("tallow.kernels.cuda.registered")
    launch.STREAMS["standin"] = lambda: (0, 0)
    launch.COMPILERS["standin"] = lambda code, options: Module(folder, code, options)
    record = np.empty((faults.PLACES, 2), np.int64)
    faults.keep("standin", record, lambda number: devices.Array(record[number]))
    yield
    del launch.COMPILERS["standin"], launch.STREAMS["standin"], faults._records["standin"]


@pytest.fixture
def emulated(compiled, monkeypatch):
    """Operations on the stand-in run the CUDA kernels, with whole factors."""
    monkeypatch.setattr(cudnn, "allow_tf32", False)
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
        in_range=faults.in_range,
        combine_at=index.combine_at,
        random_blocks=lambda index: 2,
        to_host=to_host,
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
