"""Timers: what they count, whatever the clock says."""

import itertools

import pytest

import tallow
from tallow.utils import benchmark


def clock(step):
    """A clock that goes on by `step` seconds at each look."""
    return map(lambda n: n * step, itertools.count()).__next__


def test_timeit_counts_executions():
    calls = []
    timer = benchmark.Timer("calls.append(1)", globals={"calls": calls}, timer=clock(0.5))
    result = timer.timeit(200)
    assert len(calls) == 202 and result.number_per_run == 200
    assert result.times == [0.5 / 200] and result.median == result.mean == 0.0025
    assert result.iqr == 0
    assert "2.50 ms (median of 1 runs of 200)" in repr(result)


def test_autorange_lengthens_runs():
    timer = benchmark.Timer("pass", timer=clock(0.01), label="nothing", num_threads=1)
    result = timer.blocked_autorange(min_run_time=0.2)
    assert result.number_per_run == 1 and len(result.times) in (20, 21)
    assert result.median == pytest.approx(0.01)
    steady = timer.adaptive_autorange(max_run_time=1.0)
    assert len(steady.times) == 4 and "between the quartiles" in repr(steady)


def test_threads_are_set_back():
    before = tallow.get_num_threads()
    seen = []
    timer = benchmark.Timer(
        "seen.append(n())", globals={"seen": seen, "n": tallow.get_num_threads}, num_threads=1
    )
    timer.timeit(1)
    assert set(seen) == {1} and tallow.get_num_threads() == before


def test_compare():
    results = [
        benchmark.Measurement(1, [seconds], title, description=library)
        for title, library, seconds in (
            ("add", "tallow", 1e-6), ("add", "other", 2e-6), ("mul", "tallow", 3.0),
        )
    ]  # fmt: skip
    table = benchmark.Compare(results)
    table.extend_results([benchmark.Measurement(2, [2e-9], "mul", description="other")])
    head, add, mul = str(table).splitlines()
    assert head.split() == ["tallow", "other"]
    assert add.split() == ["add", "(1", "threads)", "1.00", "us", "2.00", "us"]
    assert mul.split()[3:] == ["3.00", "s", "1.00", "ns"]


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match="Timer: expected language 'python', got 'c\\+\\+'"):
        benchmark.Timer("int x;", language="c++")
