"""Sampling of images (N, C, *size) at the places that a grid (N, *count, axes) holds.

The grid has the last axis' coordinate first; -1 and 1 are the outer edges of the image or, with
`align_corners`, the centres of its corner elements. Everything is made of operations, which work on
arrays and, for the gradient of the gradient, on tensors.
"""

from math import prod

import numpy as np

from tallow.autograd.builtin import stack
from tallow.autograd.op import op
from tallow.ops.activation import hardtanh, hardtanh_grad
from tallow.ops.elementwise import absolute, convert, fill, floor, round_half_even, sign, where
from tallow.ops.index import getitem
from tallow.ops.logic import isnan
from tallow.ops.pool import add_back, read_at
from tallow.ops.reduce import in_float32, sum
from tallow.ops.shape import reshape

INDEX = np.dtype(np.int64)


@op
def widen(x):
    """Half precision, in which places of some hundreds are not exact, as float32."""
    return x.astype(np.float32 if x.dtype.itemsize == 2 else x.dtype)


widen.vjp(lambda g: g)


@op
@in_float32
def grid_sample(xp, x, grid, *, mode, padding, align_corners):
    """(N, C, *count): what x holds at the grid's places, "nearest", "linear" or "cubic".

    Outside of the image are "zeros", its "border" or its "reflection".
    """
    total = 0
    for index, outside, weights, _ in _elements(x, grid, mode, padding, align_corners):
        total = total + _read(x, index, outside) * prod(weights)
    return total


@grid_sample.joint_vjp
def _(g, x, grid, needs, mode, padding, align_corners):
    return _gradients(g, x, grid, needs, mode, padding, align_corners)


def _gradients(g, x, grid, needs, *how):
    g, x, grid = widen(g), widen(x), widen(grid)
    size, by_x, by_grid = tuple(x.shape[2:]), 0, [0] * (x.ndim - 2)
    for index, outside, weights, slopes in _elements(x, grid, *how):
        if needs[0]:
            by_x = by_x + add_back(where(outside, 0, g * prod(weights)), index, size=size)
        if needs[1] and slopes[0] is not None:
            by_weight = sum(g * _read(x, index, outside), axis=(1,), keepdims=True)
            for axis, slope in enumerate(slopes):
                others = prod(weights[:axis] + weights[axis + 1 :])
                by_grid[axis] = by_grid[axis] + by_weight * slope * others
    if not needs[1]:
        return by_x, None
    by_x = by_x if needs[0] else None
    if slopes[0] is None:
        return by_x, fill(grid, 0)
    shape = tuple(grid.shape[:-1])
    parts = [reshape(part, shape=shape) for part in reversed(by_grid)]
    return by_x, stack(*parts, axis=len(shape))


def _read(x, index, outside):
    return where(outside, 0, read_at(x, index))


def _elements(x, grid, mode, padding, align_corners):
    """For each of the elements that count at a place: its index in the flattened image, if it is
    outside, and for each axis its weight and that one's slope by the grid (None: 0 everywhere).

    These are of shape (N, 1, *count).
    """
    size = tuple(x.shape[2:])
    flat = (grid.shape[0], 1, *grid.shape[1:-1])
    axes = []
    for i, n in enumerate(size):
        coordinate = reshape(getitem(grid, key=(..., len(size) - 1 - i)), shape=flat)
        axes.append(_along_axis(coordinate, n, mode, padding, align_corners))
    elements = [()]
    for axis in axes:
        elements = [(*element, part) for element in elements for part in axis]
    for element in elements:
        places, weights, slopes = zip(*element, strict=True)
        index, outside = 0, False
        for place, n in zip(places, size, strict=True):
            index = index * n + _whole(place, n)
            outside = (place < 0) | (place > n - 1) | outside
        yield index, outside, weights, slopes


def _whole(place, n):
    """A place as an index, of the nearest element where it is outside, 0 if it is NaN."""
    inside = where(isnan(place), 0, hardtanh(place, low=0, high=n - 1))
    return convert(inside, dtype=INDEX)


def _along_axis(x, n, mode, padding, align_corners):
    """The elements that count along an axis of size n: whole places, weights and slopes."""
    if align_corners:
        place, scale = (x + 1) * ((n - 1) / 2), (n - 1) / 2
    else:
        place, scale = ((x + 1) * n - 1) * 0.5, n / 2
    if mode == "cubic":
        return _cubic(place, scale, lambda at: _padded(at, n, padding, align_corners)[0])
    place, slope = _padded(place, n, padding, align_corners)
    if mode == "nearest":
        return [(round_half_even(place, decimals=0), 1, None)]
    low = floor(place)
    far, slope = place - low, slope * scale
    return [(low, 1 - far, -1 * slope), (low + 1, far, slope)]


def _padded(place, n, padding, align_corners):
    """Places, moved into the image as the padding says, and what that does to their slope."""
    if padding == "zeros":
        return place, 1
    slope = sign(absolute(place) + 1)  # 1, in the dtype of the place
    if padding == "reflection":
        low, span = (0, n - 1) if align_corners else (-0.5, n)
        if not span:
            return place * 0, 0
        distance = absolute(place - low)
        flips = floor(distance / span)
        rest, even = distance - flips * span, flips % 2 == 0
        slope = sign(place - low)
        slope = where(even, slope, -1 * slope)
        place = where(even, rest, span - rest) + low
    kept = {"low": 0, "high": n - 1}
    return hardtanh(place, **kept), hardtanh_grad(slope, place, **kept)


def _cubic(place, scale, padded, a=-0.75):
    """Keys, "Cubic convolution interpolation for digital image processing", 1981."""

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1, (3 * (a + 2) * x - 2 * (a + 3)) * x

    def beyond(x):
        return ((x - 5) * x + 8) * x * a - 4 * a, ((3 * x - 10) * x + 8) * a

    low = floor(place)
    far = place - low
    counts = (beyond(far + 1), 1), (near(far), 1), (near(1 - far), -1), (beyond(2 - far), -1)
    return [
        (round_half_even(padded(low + (i - 1)), decimals=0), weight, slope * (scale * turned))
        for i, ((weight, slope), turned) in enumerate(counts)
    ]
