"""Time tallow's DataLoader beside PyTorch's on the same data and code, in turns in one process.

    python benchmarks/loaders.py                          every case
    python benchmarks/loaders.py pictures                 the cases whose name contains "pictures"
    python benchmarks/loaders.py --data cifar/train       with these JPEG files, one folder a class

Reported are the medians, batches a second or the seconds to the first batch; how many times as fast
as PyTorch's tallow's is; and the processor's time that both took, that of workers included, which
says more where others use the machine. Without --data, JPEG files of CIFAR's size are generated.
"""

import argparse
import resource
import tempfile
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from PIL import Image, ImageOps

import tallow
import tallow.utils.data
from tallow.utils.data.fetch import Fetcher

BATCH = 64
SIZE = 32  # of pictures, in pixels


class Pictures:
    """JPEG files, each shifted by up to 4 pixels and mirrored at random, as (3, SIZE, SIZE)."""

    def __init__(self, library, files):
        self.library = library
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path, label = self.files[index]
        with open(path, "rb") as file:
            picture = Image.open(file).convert("RGB")
        top, left = self.library.randint(0, 9, (2,)).tolist()
        window = (left, top, left + SIZE, top + SIZE)
        picture = ImageOps.expand(picture, 4).crop(window)
        if self.library.rand(1).item() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(picture, np.float32).transpose(2, 0, 1) / 255
        return self.library.from_numpy(pixels), label


def generated(folder, count=2000):
    """JPEG files of smooth random pictures, in ten folders."""
    draw = np.random.default_rng(0)
    for i in range(count):
        small = Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        path = folder / str(i % 10) / f"{i:04}.jpg"
        path.parent.mkdir(exist_ok=True)
        small.resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(path)
    return folder


def listed(folder, count):
    """`count` files with the numbers of their folders, evenly from all folders."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [(str(path), n) for n, part in enumerate(classes) for path in sorted(part.iterdir())]
    return files[:: max(1, len(files) // count)][:count]


def epoch(loader, batches=None):
    """A function that takes an epoch's batches, or the first few, and says how many these were."""
    return lambda: sum(1 for _ in islice(loader, batches))


def without_streams(run):
    """`run` with samples that draw from the default generator, whatever their number."""

    def other():
        kept, Fetcher.draw_from = Fetcher.draw_from, lambda self, *key: None
        try:
            return run()
        finally:
            Fetcher.draw_from = kept

    return other


def cases(files):
    """By name, two functions that return how many batches they made: tallow's and PyTorch's."""
    rows = np.random.default_rng(0).random((20_000, 784), np.float32)
    labels = np.arange(20_000) % 10

    def loader(library, dataset, **options):
        return library.utils.data.DataLoader(dataset, BATCH, shuffle=True, **options)

    def tensors(library):
        data = library.utils.data.TensorDataset(library.tensor(rows), library.tensor(labels))
        return epoch(loader(library, data))

    def pictures(library, **options):
        return epoch(loader(library, Pictures(library, files), **options))

    def first(library, **options):
        data = library.utils.data.TensorDataset(library.tensor(rows), library.tensor(labels))
        return epoch(loader(library, data, num_workers=2, **options), 1)

    process = {"worker_type": "process"}
    theirs = pictures(torch, num_workers=2)
    return {
        "tensors": (tensors(tallow), tensors(torch)),
        "pictures": (pictures(tallow), pictures(torch)),
        "pictures, 2 threads": (pictures(tallow, num_workers=2), theirs),
        "pictures, 2 processes": (pictures(tallow, num_workers=2, **process), theirs),
        "first batch, 2 threads": (first(tallow), first(torch)),
        "first batch, 2 processes": (first(tallow, **process), first(torch)),
        "pictures, with a stream each and (as the other) without": (
            pictures(tallow),
            without_streams(pictures(tallow)),
        ),
    }


def spent():
    """The processor's seconds of this process and of those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(run):
    """The seconds and the processor's seconds that one batch takes."""
    start, before = perf_counter(), spent()
    batches = run()
    return (perf_counter() - start) / batches, (spent() - before) / batches


def compare(name, ours, theirs, rounds):
    """Print the medians of turns, after one each that does not count."""
    sides = [(ours, []), (theirs, [])]
    for i in range(rounds + 1):
        for run, times in sides if i % 2 else reversed(sides):
            times.append(timed(run))
    (wall, cpu), (other_wall, other_cpu) = (map(median, zip(*t[1:], strict=True)) for _, t in sides)
    shown = [
        f"{s * 1e3:.0f} ms" if "first" in name else f"{1 / s:.0f}/s" for s in (wall, other_wall)
    ]
    print(
        f"{name:56} {shown[0]:>8} {shown[1]:>8} {other_wall / wall:6.2f} x;  processor "
        f"{cpu * 1e3:6.2f} ms {other_cpu * 1e3:6.2f} ms {other_cpu / cpu:6.2f} x",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pattern", nargs="?", default="", help="a part of the names of the cases")
    parser.add_argument("--data", type=Path, help="a folder of folders of JPEG files")
    parser.add_argument("--count", type=int, default=2000, help="how many of the files")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side that count")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = listed(options.data or generated(Path(folder)), options.count)
        for name, (ours, theirs) in cases(files).items():
            if options.pattern in name:
                compare(name, ours, theirs, options.rounds)


if __name__ == "__main__":
    main()
