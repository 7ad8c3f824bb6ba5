"""What runs as a chain: a few operations, and steps of optimizers without kernels of their own."""

import numpy as np

from tallow.kernels.chain import ARRAY, Chain, Number
from tallow.kernels.updates import updates
from tallow.ops import dropout, norm


@Chain.of
def masked_sum(xp, x, keep, y, *, factor):
    return x * xp.where(keep, factor, 0.0) + y


@dropout.masked_sum.on("cpu")
def _(x, keep, y, *, p):
    return masked_sum.run(x, keep, y, factor=np.float32(1) / np.float32(1 - p))


@Chain.of
def standardize(xp, x, average, deviation):
    return (x - average) / deviation


@Chain.of
def scale_and_standardize(xp, x, average, deviation, *, scale):
    return (x * scale - average) / deviation


@norm.standardize.on("cpu")
def _(x, average, deviation, *, scale):
    if scale == 1:
        return standardize.run(x, average, deviation)
    return scale_and_standardize.run(x, average, deviation, scale=scale)


# Steps of optimizers, of all parameters in one call, by the bodies of their algorithms

CHAINS: dict[tuple, Chain] = {}  # by the algorithm, its columns, and what is known of its settings


@updates("elementwise", "cpu")
def _(update, *columns, **settings):
    kinds = tuple(map(_kind, columns))
    key = update, kinds, *map(_known, settings.values())
    chain = CHAINS.get(key)
    if chain is None:
        chain = CHAINS[key] = _chain(update, kinds, settings)
    arrays = [column for column, kind in zip(columns, kinds, strict=True) if kind is ARRAY]
    counts = [column for column, kind in zip(columns, kinds, strict=True) if kind is Number]
    if all(column.count(column[0]) == len(column) for column in counts):
        rows = [chain.row(*settings.values(), *[column[0] for column in counts])]
    else:
        rows = [chain.row(*settings.values(), *numbers) for numbers in zip(*counts, strict=True)]
    if not chain.update(arrays, rows):
        return NotImplemented


def _kind(column):
    """What a column holds: arrays, numbers, or nothing."""
    if not column:
        return None
    return Number if type(column[0]) in (float, int) else ARRAY


def _known(value):
    """What a chain is made for: of numbers only whether they are 0."""
    if isinstance(value, tuple | list):
        return tuple(map(_known, value))
    return type(value) if type(value) in (float, int) and value else value


def _number(text, value):
    if isinstance(value, tuple | list):
        return tuple(_number(f"{text}[{i}]", x) for i, x in enumerate(value))
    return Number(text, bool(value)) if type(value) in (float, int) else value


def _chain(update, kinds, settings):
    operands = [
        Number(name) if kind is Number else kind
        for name, kind in zip(update.operands, kinds, strict=True)
    ]
    counts = [x.text for x in operands if isinstance(x, Number)]
    numbers = {name: _number(name, value) for name, value in settings.items()}
    return Chain(update.body, operands, numbers, [*settings, *counts])
