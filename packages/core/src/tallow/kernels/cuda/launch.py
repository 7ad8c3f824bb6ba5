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
    return COMPILERS[compiler](source(*made.files) + made.text, (f"-DReal={real}",))


class Source:
    """A source file. Call it to launch a kernel of it, with a number of blocks and of threads.

    `like` is an array that says where, and by its dtype what `Real` is; `blocks` may be a tuple.
    A file may need others before it, and text may follow it.
    """

    def __init__(self, *files, text=""):
        self.files, self.text = files, text

    def __call__(self, kernel, like, blocks, threads, *args):
        if not blocks:
            return
        where, real = backend.for_array(like).name, ELEMENTS.get(like.dtype, "float")
        grid = blocks if type(blocks) is tuple else (blocks,)
        function = _function(where, self, kernel, real)
        with backend.at(like):
            function(grid, (threads,), tuple([_plain(x) for x in args]))

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
