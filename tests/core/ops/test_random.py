"""Cases of what tallow.ops.random draws by rejection, of words made by `random_words`."""

import math

import numpy as np
import pytest

from tallow.ops import random as ops
from tallow.testing import Case, checks, draw, given

HOW = {"seed": 2**64 - 5, "offset": 12}


class Words:
    """A lane's words, one after the other."""

    def __init__(self, lane, move, seed, offset):
        made = ops.random_words.op.body(
            np, np.zeros(()), move, rounds=200, lanes=lane + 1, seed=seed, offset=offset
        )
        self.words = iter(made[:, :, lane].ravel().tolist())

    def above(self):
        return (next(self.words) + 0.5) / 2**32

    def below(self):
        return (next(self.words) % 2**24) / 2**24


def each(rule, *arrays, move, seed, offset):
    lanes = {lane: Words(lane, move, seed, offset) for lane in range(arrays[0].size)}
    rows = zip(*(x.ravel().tolist() for x in arrays), strict=True)
    values = [rule(lanes[i], *row) for i, row in enumerate(rows)]
    return np.array(values, np.float64).reshape(arrays[0].shape)


def poisson(rate, move, seed, offset):
    def count(lane, rate):
        waited, events = -math.log(lane.above()), 0
        while waited < rate:
            waited, events = waited - math.log(lane.above()), events + 1
        return events

    return each(count, rate, move=move, seed=seed, offset=offset)


def binomial(count, chance, move, seed, offset):
    def successes(lane, count, chance):
        rarer, found, trials = min(chance, 1 - chance), 0, 0
        while count and rarer:
            trials += math.ceil(math.log(lane.below()) / math.log1p(-rarer))
            if trials > count:
                break
            found += 1
        return found if chance <= 0.5 else count - found

    return each(successes, count, chance, move=move, seed=seed, offset=offset)


def gamma(alpha, move, seed, offset):
    """Marsaglia and Tsang's method without the squeeze, which changes no decision."""

    def number(lane, alpha):
        scale = (1 - lane.above()) ** (1 / alpha) if alpha < 1 else 1
        d, spare = (alpha + 1 if alpha < 1 else alpha) - float(np.float32(1 / 3)), []
        while True:
            if not spare:
                radius, angle = math.sqrt(-2 * math.log(lane.above())), 2 * math.pi * lane.above()
                spare = [radius * math.sin(angle), radius * math.cos(angle)]
            x = spare.pop(0)
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(1 - lane.above()) < x * x / 2 + d - d * v + d * math.log(v):
                return scale * d * v

    return each(number, alpha, move=move, seed=seed, offset=offset)


COUNTS = np.array([[0.0, 1, 5], [9, 12, 7]])
CASES = [
    Case(ops.poisson, poisson,
         given(draw((3, 5), 0, 9), None, **HOW),
         given(draw((4,), 0, 60), np.array([8, 3]), **HOW),
         dtypes=(np.float32, np.float64)),
    Case(ops.binomial, binomial,
         given(COUNTS, np.array([[0.5, 0, 0.25], [0.75, 0.5, 1]]), None, **HOW),
         given(COUNTS, np.full((2, 3), 0.125), np.array([8, 3]), **HOW),
         dtypes=(np.float32, np.float64)),
    Case(ops.gamma, gamma,
         given(draw((3, 5), 0.2, 9), None, **HOW),
         given(draw((4,), 0.2, 1), np.array([8, 3]), **HOW),
         dtypes=(np.float32, np.float64)),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


def test_elements_of_a_lane_are_128_from_each_other():
    counts, chances = np.full(600, 5.0), np.full(600, 0.5)
    made = ops.binomial(counts, chances, None, **HOW)
    assert set(made) == {0, 1, 2, 3, 4, 5}
    moved = ops.binomial(np.where(np.arange(600) == 3, 0, counts), chances, None, **HOW)
    assert set(np.flatnonzero(made != moved)) <= {3, 131, 259, 387}
