"""Times of pieces of code, with PyTorch's names: `Timer` measures, `Measurement` tells, `Compare`
sets several beside each other."""

import statistics
import timeit

from tallow.errors import ArgumentError
from tallow.settings import get_num_threads, set_num_threads

UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))


class Measurement:
    """The times of a statement, `raw_times` in seconds for `number_per_run` executions each."""

    def __init__(self, number_per_run, raw_times, title, label=None, description=None, threads=1):
        self.number_per_run = number_per_run
        self.raw_times = raw_times
        self.title = title
        self.label = label
        self.description = description
        self.num_threads = threads

    @property
    def times(self):
        """Seconds of one execution, a number a run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def mean(self):
        """The mean of `times`."""
        return statistics.fmean(self.times)

    @property
    def median(self):
        """The median of `times`."""
        return statistics.median(self.times)

    @property
    def iqr(self):
        """The distance between the quartiles of `times`."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def __repr__(self):
        runs = f"{len(self.times)} runs of {self.number_per_run}"
        lines = [f"Measurement of {self.title}", f"  {shown(self.median)} (median of {runs})"]
        if len(self.times) > 1:
            lines.append(f"  {shown(self.iqr)} between the quartiles")
        return "\n".join([*lines, f"  {self.num_threads} threads"])


def shown(seconds):
    """Seconds in the unit that makes them 1 or more."""
    unit, size = next((u for u in UNITS if seconds >= u[1]), UNITS[-1])
    return f"{seconds / size:.2f} {unit}"


class Timer:
    """Measures a statement, given as source text, after `setup`, on `num_threads` threads.

    >>> import tallow
    >>> timer = Timer("x @ x", globals={"x": tallow.ones(4, 4)})
    >>> timer.timeit(10).number_per_run
    10
    """

    def __init__(
        self, stmt="pass", setup="pass", global_setup="", timer=timeit.default_timer, globals=None,
        label=None, sub_label=None, description=None, env=None, num_threads=1, language="python",
    ):  # fmt: skip
        if str(language).lower().rpartition(".")[2] not in ("python", "py"):
            raise ArgumentError(f"Timer: expected language 'python', got {language!r}")
        self._timer = timeit.Timer(stmt, setup, timer, {} if globals is None else globals)
        self._title = sub_label or label or stmt.strip().splitlines()[0]
        self._about = {"label": label, "description": description, "threads": num_threads}

    def _times(self, number, enough):
        """Runs of `number` executions each until `enough(runs)`."""
        before = get_num_threads()
        set_num_threads(self._about["threads"])
        try:
            times = []
            while not enough(times):
                times.append(self._timer.timeit(number))
            return times
        finally:
            set_num_threads(before)

    def timeit(self, number=1_000_000):
        """One run of `number` executions, after a short one that warms up."""
        self._times(max(number // 100, 2), len)
        return Measurement(number, self._times(number, len), self._title, **self._about)

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """Runs for `min_run_time` seconds in all, each long enough for the clock not to matter."""
        number = 1
        while self._times(number, len)[0] < min_run_time / 1000 and number < 10**9:
            number *= 10
        times = self._times(number, lambda times: sum(times) >= min_run_time)
        return Measurement(number, times, self._title, **self._about)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0):
        """Runs until the quartiles lie within `threshold` of the median, or for `max_run_time`."""
        number = self.blocked_autorange(min_run_time=min_run_time).number_per_run

        def enough(times):
            if sum(times) < min_run_time or len(times) < 4:
                return sum(times) >= max_run_time
            now = Measurement(number, times, "")
            return now.iqr <= threshold * now.median or sum(times) >= max_run_time

        return Measurement(number, self._times(number, enough), self._title, **self._about)


class Compare:
    """Measurements beside each other: a row a title, a column a description."""

    def __init__(self, results):
        self.results = list(results)

    def extend_results(self, results):
        """Add measurements."""
        self.results += results

    def __str__(self):
        columns = list(dict.fromkeys(r.description or "time" for r in self.results))
        rows = {}
        for r in self.results:
            key = f"{r.title} ({r.num_threads} threads)"
            rows.setdefault(key, {})[r.description or "time"] = shown(r.median)
        width = max(map(len, rows), default=0)
        lines = [f"{'':<{width}}  " + "  ".join(f"{c:>12}" for c in columns)]
        for key, cells in rows.items():
            lines.append(
                f"{key:<{width}}  " + "  ".join(f"{cells.get(c, ''):>12}" for c in columns)
            )
        return "\n".join(lines)

    def print(self):
        """Print the table."""
        print(self)
