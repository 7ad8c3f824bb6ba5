"""Steps of optimizers, of many parameters in one launch."""

import numpy as np

from tallow.kernels import updates
from tallow.kernels.cuda.launch import REALS, THREADS, Source, address

steps = Source("optimizers.cu")
MANY = 32  # parameters in a launch: their addresses are among its parameters, of 4 KiB at most
COLUMNS, NUMBERS = 5, 2
CHUNK = np.dtype(
    [
        ("at", np.uint64, (COLUMNS, MANY)), ("counter", np.uint64, MANY),
        ("number", np.float64, (NUMBERS, MANY)), ("size", np.int64, MANY),
    ]
)  # fmt: skip

# The algorithms, and how many of their last lists hold numbers rather than arrays; the first of
# these, how many steps were made, may be on the device.
ALGORITHMS = {
    "sgd": 0, "adam": 1, "adamax": 1, "nadam": 2, "radam": 1, "rmsprop": 1, "adagrad": 1,
    "adadelta": 1, "rprop": 1, "asgd": 2,
}  # fmt: skip
FLAGS = {"nesterov", "maximize", "amsgrad", "decoupled_weight_decay", "centered"}


def _launch(kernel, columns, numbers, *args):
    """Launch on chunks of what `columns`, lists of arrays, hold; NotImplemented if they differ.

    Arrays must lie in order and be of one dtype; a list that is not used is empty.
    """
    arrays = [x for column in columns for x in column]
    if len({x.dtype for x in arrays}) > 1 or arrays[0].dtype not in REALS:
        return NotImplemented
    if not all(x.flags.c_contiguous for x in arrays):
        return NotImplemented
    if any(len({hasattr(x, "dtype") for x in column}) > 1 for column in numbers):
        return NotImplemented  # some steps are counted on the host, and others there
    first = columns[0]
    for start in range(0, len(first), MANY):
        chunk, part = np.zeros((), CHUNK), slice(start, start + MANY)
        sizes = [x.size for x in first[part]]
        n = len(sizes)
        chunk["size"][:n] = sizes
        for k, column in enumerate(columns):
            if column:
                chunk["at"][k, :n] = list(map(address, column[part]))
        for k, column in enumerate(numbers):
            if hasattr(column[0], "dtype"):
                chunk["counter"][:n] = list(map(address, column[part]))
            else:
                chunk["number"][k, :n] = column[part]
        blocks = max(1, min(-(-max(sizes) // (4 * THREADS)), 2048))
        steps(kernel, first[0], (blocks, n), THREADS, chunk, *args)
    return None


def _plain(settings):
    """Settings as a kernel takes them: flags, and all others as floats, pairs as two."""
    for name, value in settings.items():
        if name in FLAGS:
            yield bool(value)
        else:
            yield from map(float, value if isinstance(value, tuple | list) else (value,))


def _register(algorithm, count):
    @updates.updates(algorithm, "cuda")
    def kernel(*lists, **settings):
        columns, numbers = lists[: len(lists) - count], lists[len(lists) - count :]
        return _launch(algorithm, columns, numbers, updates.found, *_plain(settings))


for algorithm, count in ALGORITHMS.items():
    _register(algorithm, count)


@updates.updates("advance", "cuda")
def _(counts):
    for start in range(0, len(counts), MANY):
        part, chunk = counts[start : start + MANY], np.zeros((), CHUNK)
        chunk["counter"][: len(part)] = [address(count) for count in part]
        steps("advance", part[0], 1, MANY, chunk, updates.found, len(part))


@updates.updates("unscale", "cuda")
def _(grads, scale, found):
    return _launch("unscale", [grads], [], found, scale)
