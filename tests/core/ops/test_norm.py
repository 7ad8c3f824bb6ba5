"""Cases of tallow.ops.norm, tallow.ops.embedding and tallow.ops.dropout."""

import ml_dtypes
import numpy as np
import pytest

from tallow.generator import Generator
from tallow.ops import dropout, embedding, norm, random
from tallow.testing import Case, bools, checks, draw, given, ints


def normalize(x, weight, bias, axes, eps, centre, factor=None):
    weight, bias = (p if p is None or factor is None else p.reshape(factor) for p in (weight, bias))
    average = x.mean(axes, keepdims=True)
    centred = x - average if centre else x
    variance = (centred**2).mean(axes, keepdims=True)
    out = centred / np.sqrt(variance + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias, average, variance


def normalize_grad(g, x, weight, average, variance, axes, eps, centre):
    standard = (x - average if centre else x) / np.sqrt(variance + eps)
    shape = (1,) * x.ndim if weight is None else weight.shape
    summed = tuple(i for i, n in enumerate(shape) if n == 1)
    by_weight = (g * standard).sum(summed, keepdims=True)
    inner = g if weight is None else g * weight
    by_x = inner - standard * (inner * standard).mean(axes, keepdims=True)
    if centre:
        by_x = by_x - inner.mean(axes, keepdims=True)
    return by_x / np.sqrt(variance + eps), by_weight, g.sum(summed, keepdims=True)


def normalize_by(x, average, variance, weight, bias, factor, eps):
    average, variance, weight, bias = (
        p if p is None else p.reshape(factor) for p in (average, variance, weight, bias)
    )
    out = (x - average) / np.sqrt(variance + eps) * (1 if weight is None else weight)
    return out if bias is None else out + bias


NORMS = [  # x, the weight's shape, axes and whether the mean is subtracted
    ((4, 3, 5), (1, 3, 1), (0, 2), True),
    ((4, 3, 5), None, (0, 2), True),
    ((2, 3, 4), (1, 1, 4), (2,), True),
    ((2, 3, 4), (1, 3, 4), (1, 2), True),
    ((2, 5), (1, 5), (1,), False),
    ((2, 2, 3, 4), (1, 2, 3, 1), (2, 3), True),
    ((1, 5), None, (1,), True),
    ((3, 4, 4), (1, 4, 1), (2,), True),
]


def norms():
    for x, factor, axes, centre in NORMS:
        how = {"factor": factor, "axes": axes, "eps": 0.1, "centre": centre}
        flat = factor and tuple(n for n in factor if n > 1)
        yield given(x, flat, flat, **how)
        if factor is not None:
            yield given(x, flat, None, **how)


def slopes(weighted):
    """Examples of the gradient with or without a weight, with the statistics of its x."""
    rng = np.random.default_rng(5)
    for shape, weight, axes, centre in NORMS:
        x = rng.standard_normal(shape)
        statistics = normalize(x, None, None, axes, 0.1, centre)[1:]
        if weighted == (weight is not None):
            yield given(shape, x, weight, *statistics, axes=axes, eps=0.1, centre=centre)


def normalize_relu(x, weight, bias, factor, axes, eps):
    out, *statistics = normalize(x, weight, bias, axes, eps, True, factor)
    return np.maximum(out, 0), *statistics


def normalize_relu_grad(g, x, weight, bias, average, variance, axes, eps):
    y = (x - average) / np.sqrt(variance + eps)
    y = y if weight is None else y * weight + bias
    return normalize_grad(g * (y > 0), x, weight, average, variance, axes, eps, True)


def batch_norms():
    for x, factor, axes, centre in NORMS:
        flat = factor and tuple(n for n in factor if n > 1)
        if centre:
            yield given(x, flat, flat, factor=factor, axes=axes, eps=0.1)


def normalize_add_relu(x, y, weight, bias, factor, axes, eps):
    out, *statistics = normalize(x, weight, bias, axes, eps, True, factor)
    return np.maximum(out + y, 0), *statistics


def residual_ends():
    for x, factor, axes, centre in NORMS:
        flat = factor and tuple(n for n in factor if n > 1)
        if centre:
            yield given(x, x, flat, flat, factor=factor, axes=axes, eps=0.1)


def relu_slopes(weighted):
    rng = np.random.default_rng(6)
    for shape, weight, axes, centre in NORMS:
        if not centre or weighted != (weight is not None):
            continue
        x = rng.standard_normal(shape)
        statistics = normalize(x, None, None, axes, 0.1, centre)[1:]
        yield given(shape, x, weight, weight, *statistics, axes=axes, eps=0.1)


SINGLE = {"dtypes": (np.float32, np.float64), "tolerance": 20}


CASES = [
    Case(norm.normalize, normalize, *norms(), outputs=(0,), **SINGLE),
    Case(norm.normalize_by, normalize_by,
         given((4, 3, 5), (3,), draw((3,), 0.5, 2), (3,), (3,), factor=(1, 3, 1), eps=0.1),
         given((4, 3), (3,), draw((3,), 0.5, 2), None, None, factor=(1, 3), eps=0.1),
         by=("x", "weight", "bias"), tolerance=8),
    # The rule goes through the statistics: by x it is checked as the second order of normalize.
    Case(norm.normalize_grad, normalize_grad, *slopes(True), by=("g", "weight"), **SINGLE),
    Case(norm.normalize_grad, normalize_grad, *slopes(False), by=("g",), outputs=(0,), **SINGLE),
    Case(norm.normalize_relu, normalize_relu, *batch_norms(), outputs=(0,), **SINGLE),
    Case(norm.normalize_add_relu, normalize_add_relu, *residual_ends(), outputs=(0,), **SINGLE),
    Case(norm.normalize_relu_grad, normalize_relu_grad, *relu_slopes(True), by=("g", "weight"),
         **SINGLE),
    Case(norm.normalize_relu_grad, normalize_relu_grad, *relu_slopes(False), by=("g",),
         outputs=(0,), **SINGLE),
    Case(norm.standardize, lambda x, average, deviation, scale: (x * scale - average) / deviation,
         given((2, 3, 4), (3, 1), draw((3, 1), 0.5, 2), scale=0.25),
         given((2, 3), (), draw((), 0.5, 2), scale=1.0)),
    Case(norm.normalize_relu_by, lambda *args, **how: np.maximum(normalize_by(*args, **how), 0),
         given((4, 3, 5), (3,), draw((3,), 0.5, 2), (3,), (3,), factor=(1, 3, 1), eps=0.1),
         given((4, 3), (3,), draw((3,), 0.5, 2), None, None, factor=(1, 3), eps=0.1),
         by=("x", "weight", "bias"), tolerance=8),
    Case(norm.normalize_add_relu_by,
         lambda x, y, *args, **how: np.maximum(normalize_by(x, *args, **how) + y, 0),
         given((4, 3, 5), (4, 3, 5), (3,), draw((3,), 0.5, 2), (3,), (3,), factor=(1, 3, 1),
               eps=0.1),
         given((4, 3), (4, 3), (3,), draw((3,), 0.5, 2), None, None, factor=(1, 3), eps=0.1),
         by=("x", "y", "weight", "bias"), tolerance=8),
]  # fmt: skip


def frequency(index, rows, dtype):
    return np.bincount(index.ravel(), minlength=rows)[index][..., None].astype(np.float64)


def embedding_grad(g, index, rows, padding_idx):
    out = np.zeros((rows, g.shape[-1]))
    for at in np.ndindex(index.shape):
        if index[at] != padding_idx:
            out[index[at]] += g[at]
    return out


class Restarted:
    """A generator that draws the same numbers at every call."""

    spare_normal = None

    @property
    def bits(self):
        return Generator().manual_seed(7).bits


def dropout_keep(x, shape, p, generator):
    words = generator.bits.random_raw(2 * int(np.prod(shape))).reshape(-1, 2)
    unit = ((words[:, 0] << 32 | words[:, 1]) & (2**53 - 1)) * 2.0**-53
    return (unit < 1 - p).reshape(shape)


def philox(seed, place, lane):
    """Four words of 32 bits: Random123's philox4x32-10 with Python's numbers."""
    low = 2**32 - 1
    counter, key = [place & low, place >> 32, lane & low, lane >> 32], [seed & low, seed >> 32]
    for _ in range(10):
        left, right = counter[0] * 0xD2511F53, counter[2] * 0xCD9E8D57
        counter = [right >> 32 ^ counter[1] ^ key[0], right & low,
                   left >> 32 ^ counter[3] ^ key[1], left & low]  # fmt: skip
        key = [key[0] + 0x9E3779B9 & low, key[1] + 0xBB67AE85 & low]
    return counter


def words_of(move, seed, offset, rounds, lanes):
    if move is not None:
        offset, seed = offset + int(move[0]), int(move[1]) % 2**64
    blocks = [[philox(seed, offset // 4 + i, lane) for lane in range(lanes)] for i in range(rounds)]
    return np.array(blocks, np.int64).swapaxes(1, 2)


def test_philox_is_random123_s():
    assert philox(0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def keep_by_position(x, move, shape, p, seed, offset):
    count = int(np.prod(shape))
    words = words_of(move, seed, offset, 1, -(-count // 4))[0].T.ravel()[:count]
    return (words >> 8).reshape(shape) * 2.0**-24 < 1 - p


INDEX = np.array([[0, 2, 2], [1, 0, 2]])

CASES += [
    Case(embedding.embedding, lambda weight, index, padding_idx, by_frequency: weight[index],
         given((4, 3), ints((2, 5), 4), padding_idx=None, by_frequency=False),
         given((4, 3), ints((0,), 4), padding_idx=None, by_frequency=False),
         given((4, 3), np.array(2), padding_idx=None, by_frequency=False)),
    Case(embedding.embedding_grad, embedding_grad,
         given((2, 3, 4), INDEX, rows=5, padding_idx=None),
         given((2, 3, 4), INDEX, rows=3, padding_idx=2),
         tolerance=4),
    Case(embedding.frequency, frequency, given(INDEX, rows=4, dtype=np.dtype(np.float64)),
         dtypes=(np.int64,), gives=np.float64),
    Case(dropout.dropout_mask, lambda x, keep, p: keep / (1 - p),
         given((2, 3), bools((2, 3)), p=0.4), given((2, 3), bools((2, 1)), p=0.0)),
    Case(dropout.keep_by_position, keep_by_position,
         given((2, 3), None, shape=(21, 3), p=0.4, seed=2**64 - 5, offset=0),
         given((2, 3), np.array([2**60, -7]), shape=(2, 1, 5), p=0.7, seed=1, offset=8),
         gives=np.bool_, dtypes=(np.float32,)),
    Case(random.random_words,
         lambda x, move, rounds, lanes, seed, offset: words_of(move, seed, offset, rounds, lanes),
         given((), None, rounds=3, lanes=7, seed=2**64 - 5, offset=2**34 - 4),
         given((), np.array([2**60, -7]), rounds=1, lanes=2, seed=1, offset=8),
         gives=np.uint32, dtypes=(np.float32,)),
    Case(dropout.dropout_keep, dropout_keep,
         given((2, 3), shape=(20, 3), p=0.4, generator=Restarted()),
         given((2, 3), shape=(2, 1), p=0.0, generator=Restarted()),
         gives=np.bool_),
    Case(dropout.masked_sum, lambda x, keep, y, p: x * keep / (1 - p) + y,
         given((20, 3), bools((20, 3)), (20, 3), p=0.4),
         given((2, 3, 5), bools((2, 3, 1)), (2, 3, 5), p=0.0)),
    Case(dropout.masked, lambda x, keep, p: x * keep / (1 - p),
         given((20, 3), bools((20, 3)), p=0.4),
         given((2, 3, 5), bools((2, 3, 1)), p=0.0)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_statistics_of_half_precision_are_single(dtype):
    x = np.linspace(-300, 500, 24).reshape(4, 3, 2).astype(dtype)
    out, average, variance = norm.normalize(
        x, None, None, factor=None, axes=(0, 2), eps=0.0, centre=True
    )
    expected = normalize(x.astype(np.float64), None, None, (0, 2), 0.0, True)
    assert out.dtype == dtype and average.dtype == variance.dtype == np.float32
    np.testing.assert_allclose(out.astype(np.float64), expected[0], rtol=1e-2)
    np.testing.assert_allclose(variance, expected[2], rtol=1e-5)


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
