"""Steps of optimizers, of many parameters in one launch: the chains of their bodies."""

from collections import defaultdict
from functools import cache

import numpy as np

from tallow.kernels import updates
from tallow.kernels.chain import ARRAY, Number
from tallow.kernels.cuda.chains import update_text
from tallow.kernels.cuda.launch import REALS, THREADS, Source, address

others = Source("optimizers.cu")
MANY = 32  # parameters in a launch: their addresses are among its parameters, of 4 KiB at most
COLUMNS = 5
CHUNK = np.dtype(
    [("at", np.uint64, (COLUMNS, MANY)), ("counter", np.uint64, MANY), ("size", np.int64, MANY)]
)


def _takes(columns):
    """True for lists of arrays of one dtype that lie in order."""
    arrays = [x for column in columns for x in column]
    plain = len({x.dtype for x in arrays}) == 1 and arrays[0].dtype in REALS
    return plain and len(columns) <= COLUMNS and all([x.flags.c_contiguous for x in arrays])


def _launch(source, kernel, columns, counters, *args):
    """Launch on chunks of what `columns`, lists of arrays, hold."""
    first = columns[0]
    for start in range(0, len(first), MANY):
        chunk, part = np.zeros((), CHUNK), slice(start, start + MANY)
        sizes = [x.size for x in first[part]]
        chunk["size"][: len(sizes)] = sizes
        for k, column in enumerate(columns):
            chunk["at"][k, : len(sizes)] = list(map(address, column[part]))
        chunk["counter"][: len(counters[part])] = list(map(address, counters[part]))
        each = THREADS * 16 // first[0].itemsize
        blocks = max(1, min(-(-max(sizes) // each), 2048))
        source(kernel, first[0], (blocks, len(sizes)), THREADS, chunk, *args)


def _flat(settings):
    """(name, value) of each setting that is a number, pairs as two."""
    for name, value in settings.items():
        if isinstance(value, tuple | list):
            yield from ((f"{name}_{i}", x) for i, x in enumerate(value))
        elif type(value) in (float, int):
            yield name, value


@cache
def _source(chain, names):
    return Source("optimizers.cu", text=update_text(chain, names))


@updates.updates("elementwise", "cuda")
def _(update, *columns, **settings):
    kinds = tuple(map(_kind, update.operands, columns))
    arrays = [column for column, kind in zip(columns, kinds, strict=True) if kind is ARRAY]
    if not _takes(arrays) or any(len(set(map(type, column))) > 1 for column in columns):
        return NotImplemented  # the latter where some steps are counted on the host, others there
    chain = updates.chain_of(update, kinds, settings)
    counts = [column for column, kind in zip(columns, kinds, strict=True) if kind is Number]
    if any(hasattr(column[0], "dtype") for column in counts):
        names, numbers = zip(*_flat(settings), strict=True)
        how = (updates.found, *map(float, numbers))
        _launch(_source(chain, names), "step", arrays, counts[0], *how)
        return None
    rows = defaultdict(list)  # the parameters' numbers in the columns, by what their chain is told
    for i, numbers in enumerate(zip(*counts, strict=True) if counts else [()] * len(columns[0])):
        rows[numbers].append(i)
    for numbers, chosen in rows.items():
        parts = [[column[i] for i in chosen] for column in arrays]
        row = map(float, chain.row(*settings.values(), *numbers))
        _launch(_source(chain, None), "step", parts, [], updates.found, *row)
    return None


def _kind(operand, column):
    """What a column holds: arrays, numbers, or nothing. Steps may be counted in arrays."""
    if not column:
        return None
    return Number if operand == "step" or type(column[0]) in (float, int) else ARRAY


@updates.updates("advance", "cuda")
def _(counts):
    for start in range(0, len(counts), MANY):
        part, chunk = counts[start : start + MANY], np.zeros((), CHUNK)
        chunk["counter"][: len(part)] = [address(count) for count in part]
        others("advance", part[0], 1, MANY, chunk, updates.found, len(part))


@updates.updates("unscale", "cuda")
def _(grads, scale, found):
    if not _takes([grads]):
        return NotImplemented
    _launch(others, "unscale", [grads], [], found, scale)
    return None
