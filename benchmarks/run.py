"""Time the same source on tallow and on PyTorch, alternately in one process, and print ratios.

    python benchmarks/run.py                      every case
    python benchmarks/run.py step                 the cases whose name contains "step"
    python benchmarks/run.py --write docs/performance.md

A case is a function of the module (`tallow` or `torch`) that prepares its data and returns what to
time. The two take turns, a few milliseconds each after a pause and a call that does not count, so
that neither meets the other's threads or caches; reported are the medians, and how many times as
fast as PyTorch tallow is.
"""

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import cases
import layers  # noqa: F401 - it adds cases, as the next three do
import models  # noqa: F401
import networks  # noqa: F401
import shorts  # noqa: F401
import sound
import vision

BEGIN, END = "<!-- begin: benchmarks/run.py -->", "<!-- end -->"
PAUSE = 0.02  # seconds in which the other side's threads, which look for work a while, fall asleep
LONGEST, FEWEST = 30, 7  # seconds for a case, unless that leaves fewer turns than these


@dataclass
class Result:
    """Medians in seconds of one call, of tallow and of PyTorch."""

    name: str
    ours: float
    theirs: float

    @property
    def ratio(self):
        return self.theirs / self.ours


def calls_in(function, seconds):
    """How many calls take about that long."""
    function()
    calls = 1
    while True:
        start = perf_counter()
        for _ in range(calls):
            function()
        took = perf_counter() - start
        if took > seconds / 4:
            return max(1, round(calls * seconds / took))
        calls *= 4


def seconds_per_call(function, calls):
    sleep(PAUSE)
    function()
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def compare(name, ours, theirs, rounds, turn):
    """Let the two functions take turns of `turn` seconds, and give the medians."""
    sides = [(ours, calls_in(ours, turn), []), (theirs, calls_in(theirs, turn), [])]
    start = perf_counter()
    for i in range(rounds):
        if i >= FEWEST and perf_counter() - start > LONGEST:
            break
        for function, calls, times in sides if i % 2 else reversed(sides):
            times.append(seconds_per_call(function, calls))
    return Result(name, *[median(times) for _, _, times in sides])


def import_seconds(statement):
    """How long a fresh interpreter takes from its first line to the end of an import."""
    program = f"from time import perf_counter as t; a = t(); {statement}; print(t() - a)"
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, check=True, env=compiled)
    return float(printed.stdout)


def compare_imports(rounds):
    """The median import times, in seconds, of NumPy, tallow and PyTorch."""
    statements = ("import numpy", "import tallow, tallow.nn, tallow.optim", "import torch")
    times = {statement: [] for statement in statements}
    for _ in range(rounds):
        for statement in statements:
            times[statement].append(import_seconds(statement))
    return {statement: median(values) for statement, values in times.items()}


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(results, imports):
    """The results as Markdown."""
    lines = ["| case | tallow | PyTorch | times as fast |", "|---|---:|---:|---:|"]
    for r in results:
        lines.append(f"| {r.name} | {duration(r.ours)} | {duration(r.theirs)} | {r.ratio:.2f} |")
    if imports:
        numpy, ours, theirs = imports.values()
        lines += ["", "| import | time | more than NumPy's |", "|---|---:|---:|"]
        for name, seconds in (("numpy", numpy), ("tallow, nn and optim", ours), ("torch", theirs)):
            lines.append(f"| {name} | {duration(seconds)} | {duration(max(seconds - numpy, 0))} |")
    return "\n".join(lines)


def where_measured():
    """The machine and the versions, in a line."""
    import numpy
    import torch

    import tallow

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"NumPy {numpy.__version__}, tallow {tallow.__version__}, "
        f"PyTorch {torch.__version__} with {torch.get_num_threads()} threads"
    )


def write(path, text, begin=BEGIN):
    """Put the text between the marks of a page."""
    page = path.read_text()
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{begin}\n{text}\n{END}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pattern", nargs="?", default="", help="a part of the names of the cases")
    parser.add_argument("--rounds", type=int, default=41, help="turns of each side")
    parser.add_argument("--turn", type=float, default=0.004, help="seconds of a turn")
    parser.add_argument("--write", type=Path, help="a page to put the table into")
    options = parser.parse_args()

    import torch

    import tallow

    results = []
    for name, case in (cases.CASES | sound.CASES | vision.CASES).items():
        if options.pattern in name:
            results.append(compare(name, case(tallow), case(torch), options.rounds, options.turn))
            print(
                f"{name:44} {duration(results[-1].ours):>9} {results[-1].ratio:6.2f} x", flush=True
            )
    imports = compare_imports(11) if options.pattern in "import" else None
    text = f"{where_measured()}\n\n{table(results, imports)}"
    print(f"\n{text}")
    if options.write:
        write(options.write, text)


if __name__ == "__main__":
    main()
