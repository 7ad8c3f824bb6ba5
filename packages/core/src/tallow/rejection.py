"""Random numbers by rejection, in PyTorch's streams: how many draws one takes depends on them.

Hence the loops over elements. As in `tallow.generator`, given the same seed every function returns
the numbers that PyTorch's CPU generator returns and leaves the generator in the same state.

References: Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000);
Hoermann, The transformed rejection method for generating Poisson random variables, Insurance:
Mathematics and Economics 12 (1993); the same, The generation of binomial random variates, Journal
of Statistical Computation and Simulation 46 (1993); Knuth, The Art of Computer Programming 2,
3.4.1.
"""

import math
from contextlib import closing
from functools import partial

import numpy as np

from tallow.generator import narrow, unit64, words64


def _each(generator, rule, *parameters):
    """rule(draw, *elements) for the elements of each of `parameters`, as a flat float64 array."""
    with closing(_one_by_one(generator)) as source:
        draw = source.__next__
        rows = zip(*(np.ravel(x).tolist() for x in parameters), strict=True)
        return np.array([rule(draw, *row) for row in rows], np.float64)


def _one_by_one(generator):
    """unit64 numbers one at a time; closing it gives back those that were drawn ahead."""
    while True:
        before = generator.bits.state
        values = unit64(generator, 512).tolist()
        used = 0
        try:
            for value in values:
                used += 1
                yield value
        finally:
            if used < len(values):
                generator.bits.state = before
                words64(generator, used)


# Poisson


def poisson(generator, rates):
    """Poisson counts for an array of rates, in its shape and dtype."""
    return narrow(_each(generator, _poisson_count, rates), rates.dtype).reshape(rates.shape)


def _poisson_count(draw, rate):
    if rate >= 10:
        return poisson_by_rejection(draw, rate)
    count, product, limit = 0, draw() if rate else 0.0, math.exp(-rate)
    while product > limit:
        count += 1
        product *= draw()
    return count


def poisson_by_rejection(draw, rate):
    """Hoermann's algorithm PTRS, with the names of the paper."""
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = draw() - 0.5, draw()
        us = 0.5 - abs(u)
        if us >= 0.07 and v <= v_r:
            return math.floor((2 * a / us + b) * u + rate + 0.43)
        if us == 0 or v == 0 or (us < 0.013 and v > us):
            continue
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if k < 0:
            continue
        accepted = math.log(v * inverse_alpha / (a / (us * us) + b))
        if accepted <= k * log_rate - rate - math.lgamma(k + 1):
            return k


# Binomial


def binomial(generator, counts, chances):
    """The number of successes of `counts` trials with the probabilities `chances`, in its dtype."""
    rarer = np.minimum(chances, 1 - chances)
    values = _each(generator, binomial_count, counts, chances, rarer, counts * rarer)
    return narrow(values, chances.dtype).reshape(chances.shape)


def binomial_count(draw, count, chance, rarer, mean):
    if count <= 0 or chance <= 0:
        return 0
    if rarer <= 0:
        return count
    rule = _binomial_by_rejection if mean >= 10 else _binomial_by_waiting
    successes = rule(draw, count, rarer)
    return successes if chance <= 0.5 else count - successes


def _binomial_by_waiting(draw, count, chance):
    successes, trials, scale = 0, 0, math.log1p(-chance)
    while True:  # each step is the number of trials up to the next success
        u = draw()
        trials += math.ceil(math.log(u) / scale) if u else math.inf
        if trials > count:
            return successes
        successes += 1


def _binomial_by_rejection(draw, n, p):
    """Hoermann's algorithm BTRS, with the names of the paper."""
    spq = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spq
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * spq
    m = math.floor((n + 1) * p)
    while True:
        u, v = draw() - 0.5, draw()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c) if us else -1
        if not 0 <= k <= n:
            continue
        if us >= 0.07 and v <= v_r:
            return k
        bound = (
            (m + 0.5) * math.log((m + 1) / (r * (n - m + 1)))
            + (n + 1) * math.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * math.log(r * (n - k + 1) / (k + 1))
            + _stirling_rest(m)
            + _stirling_rest(n - m)
            - _stirling_rest(k)
            - _stirling_rest(n - k)
        )
        if v == 0 or math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


def _stirling_rest(k):
    """log k! less Stirling's formula in k + 1, as the paper has it."""
    if k < 10:
        return math.lgamma(k + 1) - (
            math.log(2 * math.pi) / 2 + (k + 0.5) * math.log(k + 1) - (k + 1)
        )
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


# Gamma


def gamma(generator, concentrations):
    """Gamma numbers of rate 1 for an array of concentrations, in its shape and dtype.

    They are never 0: the least is the smallest normal number of the dtype.
    """
    dtype = concentrations.dtype
    with np.errstate(divide="ignore", over="ignore"):
        small = concentrations < 1
        d = np.where(small, concentrations + dtype.type(1), concentrations) - dtype.type(THIRD)
        power = np.where(small, 1 / concentrations, 0)

    def number(draw, d, power):
        if power == math.inf:
            return 0.0
        scale = (1 - draw()) ** power if power else 1.0
        return scale * gamma_number(draw, d, partial(_normal, draw, generator))

    values = _each(generator, number, d, power).reshape(d.shape)
    return np.maximum(values.astype(dtype), np.finfo(dtype).tiny)


def gamma_number(draw, d, normal):
    """A gamma number of concentration d + 1/3, 1 or more, of uniform and of normal numbers."""
    c = 1 / math.sqrt(9 * d)
    while True:
        x = normal()
        if 1 + c * x <= 0:
            continue
        v = (1 + c * x) ** 3
        u, square = 1 - draw(), x * x
        if u < 1 - SQUEEZE * square * square:
            return d * v
        if math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return d * v


SQUEEZE, THIRD = float(np.float32(0.0331)), float(np.float32(1 / 3))  # single, as in PyTorch


def _normal(draw, generator):
    """One of a pair of normal numbers, the other being kept by the generator for the next call."""
    if generator.spare_normal is not None:
        value, generator.spare_normal = generator.spare_normal, None
        return value
    angle, square = 2 * math.pi * draw(), draw()
    radius = math.sqrt(-2 * math.log1p(-square))
    generator.spare_normal = radius * math.sin(angle)
    return radius * math.cos(angle)


def dirichlet(generator, concentrations):
    """Points whose coordinates, the last axis, sum to 1, for an array of concentrations."""
    dtype = concentrations.dtype
    values = gamma(generator, concentrations.astype(np.float64))
    values = (values / values.sum(-1, keepdims=True)).astype(dtype)
    return np.clip(values, np.finfo(dtype).tiny, np.nextafter(dtype.type(1), dtype.type(0)))
