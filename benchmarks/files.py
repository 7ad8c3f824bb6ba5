"""Time loading and saving of a large checkpoint beside PyTorch and beside a plain file.

    python benchmarks/files.py                    400 MB, among the temporary files
    python benchmarks/files.py --size 1000 --folder .

The sides take turns in one process, each with the file in the system's cache. Reported are medians
and minima, in seconds and as multiples of the first side's. "First use" is up to an element of the
first tensor. What is saved, the plain file too, is timed until it is on disk (fsync), as tallow's
files always are.
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

import tallow

TENSORS = 100


def seconds(run):
    """How long a call takes; what it returns is freed afterwards."""
    start = perf_counter()
    kept = run()
    took = perf_counter() - start
    del kept
    return took


def compare(sides, rounds):
    """Print what calls take in turns, and how many times the first one's time."""
    times = {name: [] for name in sides}
    for i in range(rounds):
        for name in sides if i % 2 else reversed(sides):
            times[name].append(seconds(sides[name]))
    first = next(iter(times.values()))
    for name, values in times.items():
        shown = [
            f"{which.__name__} {which(values):8.4f} s, {which(values) / which(first):7.2f} x"
            for which in (median, min)
        ]
        print(f"{name:32} {';  '.join(shown)}", flush=True)
    print()


def loading(path):
    """Whole loads of PyTorch's file."""
    return {
        "load: tallow": lambda: tallow.load(path),
        "load: PyTorch": lambda: torch.load(path, weights_only=True),
    }


def first_use(path):
    """Up to the first number."""

    def used(load, **options):
        def run():
            state = load(path, **options)
            state["0"][0, 0].item()
            return state

        return run

    return {
        "first use: tallow, mmap": used(tallow.load, mmap=True),
        "first use: PyTorch, mmap": used(torch.load, mmap=True),
        "first use: PyTorch": used(torch.load),
    }


def saving(path, folder):
    """Files written anew, from memory that was read from the file."""
    content = np.fromfile(path, np.uint8)
    ours, theirs = tallow.load(path), torch.load(path)
    target = folder / "saved"

    def synced(write):
        def run():
            with open(target, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            target.unlink()

        return run

    def save():
        tallow.save(ours, target)
        target.unlink()

    return {
        "save: a plain file": synced(lambda file: file.write(content)),
        "save: tallow": save,
        "save: PyTorch": synced(lambda file: torch.save(theirs, file)),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=400, help="of the checkpoint, in MB")
    parser.add_argument("--folder", type=Path, help="where to write")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "model.pth"
        columns = options.size * 1_000_000 // (TENSORS * 1000 * 4)
        torch.save({str(i): torch.randn(1000, columns) for i in range(TENSORS)}, path)
        for sides in (loading(path), first_use(path), saving(path, Path(folder))):
            compare(sides, options.rounds)


if __name__ == "__main__":
    main()
