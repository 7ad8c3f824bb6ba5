"""The memory that is kept when arrays go."""

import functools
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import REASON, compiled

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

SIZES = (
    0,
    1,
    63,
    64,
    65,
    4095,
    4096,
    4097,
    5000,
    100_000,
    1 << 20,
    (1 << 22) - 1,
    1 << 22,
    9 << 20,
)


def alone(test):
    """A test in a fresh process, where nobody else's arrays are in the way."""

    @functools.wraps(test)
    def run(**arguments):
        program = f"import test_memory; test_memory.{test.__name__}.__wrapped__(**{arguments!r})"
        subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, check=True)

    return run


@pytest.fixture(autouse=True)
def usual_limit():
    """A limit to stay with, whatever a test sets."""
    before = tallow.backends.cpu.memory_stats()["kept_bytes.limit"]
    yield before
    tallow.backends.cpu.set_cache_limit(before)


def allocated():
    return tallow.backends.cpu.memory_stats()["allocated_bytes.all.current"]


@pytest.mark.parametrize("size", SIZES)
def test_arrays_are_aligned_and_hold_what_they_should(size):
    for _ in range(3):
        x = np.empty(size, np.uint8)
        assert x.ctypes.data % 64 == 0
        x[...] = 7
        zeros = np.zeros(size, np.uint8)
        assert not zeros.any() and (x == 7).all()
        del x


@alone
def test_memory_is_used_again():
    x = np.ones(3_000_000, np.float32)
    where = x.ctypes.data
    del x
    assert np.empty(3_000_000, np.float32).ctypes.data == where
    parts = [np.empty(n, np.uint8) for n in (5_000_000, 7_000_000)]
    assert all(where <= part.ctypes.data < where + 12_000_000 for part in parts), "it is cut"
    del parts
    assert np.empty(3_000_000, np.float32).ctypes.data == where, "neighbours are one again"


def test_arrays_grow_and_shrink():
    x = np.arange(100)
    for size in (100, 10, 1000, 100_000, 2_000_000, 50, 0, 60):
        kept = min(size, x.size)
        start = x[:kept].copy()
        x.resize(size, refcheck=False)
        assert (x[:kept] == start).all() and not x[kept:].any()


PAGE = 2 << 20  # the smallest piece that is given back


def kept():
    return tallow.backends.cpu.memory_stats()["reserved_bytes.all.current"] - allocated()


@alone
def test_statistics_and_emptying():
    tallow.backends.cpu.empty_cache()
    before, kept_before = allocated(), kept()
    x = np.empty(30_000_000, np.uint8)
    assert 30_000_000 <= allocated() - before < 30_010_000
    assert tallow.backends.cpu.memory_stats()["allocated_bytes.all.peak"] >= allocated()
    del x
    assert allocated() == before and kept() >= kept_before + 20_000_000
    tallow.backends.cpu.empty_cache()
    assert kept() <= kept_before + 2 * PAGE


@pytest.mark.parametrize("limit", [0, 200_000_000])
@alone
def test_no_more_is_kept_than_the_limit(limit):
    tallow.backends.cpu.empty_cache()
    start = kept()
    arrays = [np.empty(n, np.uint8) for n in range(10_000_000, 70_000_000, 5_000_000)]
    before = allocated()
    tallow.backends.cpu.set_cache_limit(start + limit)
    del arrays
    assert limit / 2 <= kept() - start <= limit * 1.25 + 2 * PAGE
    x = np.empty(90_000_000, np.uint8)  # over a limit of 0 it comes from malloc
    assert before - 450_000_000 < allocated() < before
    del x
    assert kept() - start <= limit * 1.25 + 2 * PAGE


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ValueError, match="set_cache_limit: expected a size of at least 0, got -1"):
        tallow.backends.cpu.set_cache_limit(-1)


def test_arrays_may_go_in_another_thread():
    arrays = [np.full(n, n, np.int64) for n in range(1, 2000, 7)]

    def work():
        while arrays:
            x = arrays.pop()
            assert (x == x.size).all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not arrays
