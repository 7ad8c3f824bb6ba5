"""The memory that is kept when arrays go."""

import threading

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


@pytest.fixture(autouse=True)
def limit():
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


def test_memory_is_used_again():
    x = np.ones(3_000_000, np.float32)
    where = x.ctypes.data
    del x
    y = np.empty(2_900_000, np.float32)
    assert y.ctypes.data == where, "a block of a little more is taken"
    z = np.empty(2_900_000, np.float32)
    assert z.ctypes.data != where


def test_arrays_grow_and_shrink():
    x = np.arange(100)
    for size in (100, 10, 1000, 100_000, 2_000_000, 50, 0, 60):
        kept = min(size, x.size)
        start = x[:kept].copy()
        x.resize(size, refcheck=False)
        assert (x[:kept] == start).all() and not x[kept:].any()


def test_statistics_and_emptying():
    tallow.backends.cpu.empty_cache()
    before = allocated()
    x = np.empty(10_000_000, np.uint8)
    stats = tallow.backends.cpu.memory_stats()
    assert 10_000_000 <= allocated() - before < 12_000_000
    assert stats["allocated_bytes.all.peak"] >= allocated()
    del x
    stats = tallow.backends.cpu.memory_stats()
    assert allocated() == before and stats["reserved_bytes.all.current"] >= before + 10_000_000
    tallow.backends.cpu.empty_cache()
    assert tallow.backends.cpu.memory_stats()["reserved_bytes.all.current"] == before


def test_no_more_is_kept_than_the_limit():
    tallow.backends.cpu.empty_cache()
    tallow.backends.cpu.set_cache_limit(20_000_000)
    arrays = [np.empty(n, np.uint8) for n in range(1_000_000, 7_000_000, 500_000)]
    before = allocated() - sum(x.nbytes for x in arrays)
    del arrays
    kept = tallow.backends.cpu.memory_stats()["reserved_bytes.all.current"] - allocated()
    assert 10_000_000 < kept <= 20_000_000
    last = np.empty(6_500_000, np.uint8)
    assert tallow.backends.cpu.memory_stats()["reserved_bytes.all.current"] - before < 30_000_000
    del last
    tallow.backends.cpu.set_cache_limit(0)
    assert tallow.backends.cpu.memory_stats()["reserved_bytes.all.current"] == allocated()


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
