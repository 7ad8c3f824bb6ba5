"""Cases of tallow.ops.sample, against a loop over places."""

from itertools import product

import numpy as np
import pytest

from tallow.ops import sample
from tallow.testing import Case, checks, draw, given


def moved(place, n, padding, align_corners):
    """A place, moved into the image."""
    if padding == "reflection":
        low, high = (0, n - 1) if align_corners else (-0.5, n - 0.5)
        while not low <= place <= high:
            place = 2 * (low if place < low else high) - place
    return place if padding == "zeros" else min(max(place, 0), n - 1)


def counting(place, n, mode, padding, align_corners):
    """The whole places that count along an axis, and how much."""
    how = n, padding, align_corners
    if mode == "nearest":
        return [(round(moved(place, *how)), 1)]
    if mode == "linear":
        place = moved(place, *how)
        first = int(np.floor(place))
        return [(i, 1 - abs(place - i)) for i in (first, first + 1)]
    first, a, found = int(np.floor(place)), -0.75, []
    for i in range(first - 1, first + 3):
        d = abs(place - i)
        near = (a + 2) * d**3 - (a + 3) * d**2 + 1
        weight = near if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
        found.append((round(moved(i, *how)), weight))
    return found


def grid_sample(x, grid, mode, padding, align_corners):
    size, count = x.shape[2:], grid.shape[1:-1]
    out = np.zeros((*x.shape[:2], *count))
    for image, *at in np.ndindex(len(x), *count):
        axes = []
        for coordinate, n in zip(grid[(image, *at)][::-1], size, strict=True):
            scale = n - 1 if align_corners else n
            place = (coordinate + 1) / 2 * scale - (0 if align_corners else 0.5)
            axes.append(counting(place, n, mode, padding, align_corners))
        for element in product(*axes):
            key, weights = zip(*element, strict=True)
            if all(0 <= i < n for i, n in zip(key, size, strict=True)):
                out[(image, slice(None), *at)] += x[(image, slice(None), *key)] * np.prod(weights)
    return out


def sampled(x, grid, **how):
    return given(x, draw(grid, -1.3, 1.3), **how)


CASES = [
    Case(sample.widen, lambda x: x, given((2, 3)), given(()), given((0, 2)), dtypes=(
        "float32", "float64")),
    Case(sample.grid_sample, grid_sample,
         *[sampled((2, 2, 3, 4), (2, 2, 3, 2), mode=mode, padding=padding, align_corners=align)
           for mode in ("linear", "cubic") for padding in ("zeros", "border", "reflection")
           for align in (False, True)],
         sampled((1, 2, 3, 2, 4), (1, 2, 1, 2, 3), mode="linear", padding="border",
                 align_corners=False),
         dtypes=(np.float32, np.float64), tolerance=16),
    Case(sample.grid_sample, grid_sample,
         *[sampled((2, 2, 3, 4), (2, 2, 3, 2), mode="nearest", padding=padding, align_corners=False)
           for padding in ("zeros", "border", "reflection")],
         dtypes=(np.float32, np.float64), by=("x",), tolerance=4),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


def test_half_precision_is_computed_in_float32():
    """In it the columns of an image of 600 could not be told apart."""
    x = np.arange(600, dtype=np.float16).reshape(1, 1, 1, 600)
    grid = np.zeros((1, 1, 2, 2), np.float16)
    grid[..., 0] = -0.999, 0.999
    how = {"mode": "linear", "padding": "border", "align_corners": False}
    wide = [y.astype(np.float32) for y in (x, grid)]
    g = np.ones((1, 1, 1, 2), np.float32)
    found = sample.grid_sample(x, grid, **how)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, sample.grid_sample(*wide, **how), rtol=1e-3)
    rule = sample.grid_sample.op.joint.function
    halves = rule(g.astype(np.float16), x, grid, (True, True), *how.values())
    for part, expected in zip(halves, rule(g, *wide, (True, True), *how.values()), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-3)
