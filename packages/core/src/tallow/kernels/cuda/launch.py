"""Kernels in CUDA C++: a source file, compiled for a dtype at its first launch.

All sources begin with `common.cuh`, and are written for one type of elements, `Real`. A kernel's
parameters are pointers, for arrays (or None), `long long` for ints and bools, `double` for floats,
and structs, for NumPy arrays of one structured element. What compiles is the array's backend, by
`COMPILERS`; CuPy's keeps binaries on the disk by the hash of the source, options and architecture.
"""

from functools import cache
from math import prod
from pathlib import Path

import numpy as np
from ml_dtypes import bfloat16

from tallow import backend

COMPILERS: dict = {}  # by a backend's name: source and options -> what has `get_function(name)`
CORES: dict = {}  # by a backend's name: whether the current device has what sm_80 has
STREAMS: dict = {}  # by a backend's name: gives the current device's number and CUDA's stream
REALS = {
    np.dtype(np.float16): "Half", np.dtype(bfloat16): "BFloat", np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
}  # fmt: skip
ELEMENTS = REALS | {np.dtype(np.int64): "Int"}  # what `Real` may be
LARGEST_GRID = 1 << 16  # blocks; kernels over elements loop where there are more
MOST_BLOCKS = 2**31 - 1  # that CUDA launches in x; 65,535 in y and z
THREADS = 256
MOST_THREADS = 512  # of a block that takes a row: what it holds of that needs many registers


@cache
def source(*files):
    """The text of source files, after what all begin with."""
    folder = Path(__file__).parent
    return "".join([(folder / name).read_text() for name in ("common.cuh", *files)])


@cache
def _function(compiler, made, kernel, real):
    return _module(compiler, made, real).get_function(kernel)


@cache
def _module(compiler, made, real):
    code = source(*made.files) + made.text
    return COMPILERS[compiler](code, (f"-DReal={real}", *made.options))


class Source:
    """A source file. Call it to launch a kernel of it, with a number of blocks and of threads.

    `like` is an array that says where, and by its dtype what `Real` is; `blocks` may be a tuple.
    `room` is how many bytes of shared memory each block is given beside what the kernel declares.
    A file may need others before it, text may follow it, and macros may be `defined`.
    """

    def __init__(self, *files, text="", **defined):
        self.files, self.text = files, text
        self.options = tuple(f"-D{name}={value}" for name, value in defined.items())

    def __call__(self, kernel, like, blocks, threads, *args, room=0):
        grid = blocks if type(blocks) is tuple else (blocks,)
        if 0 in grid:
            return
        where, real = backend.for_array(like).name, ELEMENTS.get(like.dtype, "float")
        function = _function(where, self, kernel, real)
        with backend.at(like):
            if room:
                function.max_dynamic_shared_size_bytes = room
            function(grid, (threads,), tuple([_plain(x) for x in args]), shared_mem=room)

    def each(self, kernel, like, count, *args, pack=1):
        """Launch a kernel that loops over `count` elements, its first parameter.

        `pack` is how many elements a thread takes at once.
        """
        blocks = min(-(-count // (THREADS * pack)), LARGEST_GRID)
        self(kernel, like, blocks, THREADS, count, *args)


def _plain(x):
    """A number as the type that kernels take."""
    kind = type(x)
    if kind is int or kind is bool:
        return np.int64(x)
    return np.float64(x) if kind is float else x


# What the launching functions ask of arrays


def is_real(*arrays):
    """True if arrays (but for None, after the first) are of one dtype that kernels are for."""
    dtype = arrays[0].dtype
    return dtype in REALS and all([x is None or x.dtype == dtype for x in arrays])


def has_tensor_cores(x):
    """True if the device of an array multiplies by `mma.sync`, from what `cp.async` brings."""
    with backend.at(x):
        return CORES[backend.for_array(x).name]()


def in_order(x):
    """The array in row-major order, copied if need be; None as it is."""
    if x is None or x.flags.c_contiguous:
        return x
    return backend.for_array(x).xp.ascontiguousarray(x)


def empty(shape, like, dtype=None):
    """A new array where another is, of its dtype unless told."""
    return backend.for_array(like).xp.empty(shape, like.dtype if dtype is None else dtype)


def wide(dtype):
    """The dtype that sums are made in: float32 for 16 bits."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def block_for(n, itemsize=8):
    """How many threads take a row of n elements: 32 bytes each, in whole warps."""
    threads = 32
    while threads < MOST_THREADS and threads * 32 < n * itemsize:
        threads *= 2
    return threads


def address(x):
    """Where the memory of an array begins, a number."""
    return x.data.ptr


def size(shape):
    """How many elements a shape has."""
    return prod(shape)
