"""Compiled draws against NumPy's generator, and dropout by them."""

import numpy as np
import pytest

from tallow.generator import Generator, dropout_mask
from tallow.kernels.cpu import REASON, compiled
from tallow.ops import dropout

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")


def test_words():
    mine, numpys = np.random.MT19937(1), np.random.MT19937(1)
    for count in (1, 0, 5, 623, 700, 3, 10_000, 624):
        assert np.array_equal(compiled.random_words(mine, count), numpys.random_raw(count))
    assert mine.random_raw() == numpys.random_raw()


@pytest.mark.parametrize("p", [0, 0.1, 0.5, 0.999])
def test_what_dropout_keeps(p):
    mine, numpys = Generator().manual_seed(3), Generator().manual_seed(3)
    x = np.ones(1, np.float32)
    for shape in ((), (0,), (1,), (3, 5, 7), (40_001,)):
        keep = dropout.dropout_keep(x, shape=shape, p=p, generator=mine)
        expected = dropout_mask(numpys, shape, p)
        assert keep.dtype == bool and keep.shape == shape and np.array_equal(keep, expected)
    assert np.array_equal(mine.state_bytes(), numpys.state_bytes())


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_003])
def test_masked(size):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size).astype(np.float32)
    x[3::50], x[4::50] = np.nan, -np.inf
    keep = rng.random(size) < 0.5
    with np.errstate(invalid="ignore"):
        expected = x * np.where(keep, np.float32(1.25), np.float32(0))
    assert np.array_equal(compiled.masked(x, keep, factor=1.25), expected, equal_nan=True)


def test_masked_declines_what_it_does_not_do():
    x, keep = np.ones((4, 6), np.float32), np.ones((4, 6), bool)
    others = (
        (x, keep[:1]), (x, keep.T.copy().T), (x, x), (x[:, ::2], keep[:, ::2]),
        (x.astype(np.float64), keep),
    )  # fmt: skip
    for pair in others:
        assert compiled.masked(*pair, factor=2) is NotImplemented
