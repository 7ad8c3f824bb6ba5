"""Sequences that fill the unit cube more evenly than random numbers: `SobolEngine`."""

from functools import cache
from pathlib import Path

import numpy as np

from tallow.dtypes import get_default_dtype
from tallow.errors import ArgumentError
from tallow.generator import Generator
from tallow.promotion import to_dtype
from tallow.random import randint
from tallow.tensor import wrap

__all__ = ["SobolEngine"]

TABLE = Path(__file__).with_suffix(".txt")


class SobolEngine:
    """Draws the points of a Sobol' sequence in `dimension` dimensions, at most 1111.

    `scramble` shuffles it by random triangular matrices and a random shift, which keeps it even;
    they come from `seed`, or from the default generator. The points are PyTorch's.

    >>> from tallow.quasirandom import SobolEngine
    >>> SobolEngine(2).draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])

    I. M. Sobol', "The distribution of points in a cube and the accurate evaluation of integrals"
    (1967); in the order of I. Antonov and V. Saleev (1979), by Gray's code; scrambled as in
    J. Matoušek, "On the L2-discrepancy for anchored boxes" (1998).
    """

    MAXBIT = 30
    MAXDIM = 1111

    def __init__(self, dimension, scramble=False, seed=None):
        if not 1 <= dimension <= self.MAXDIM:
            raise ArgumentError(
                f"SobolEngine: expected 1 to {self.MAXDIM} dimensions, got {dimension}"
            )
        self.dimension = dimension
        self.scramble = scramble
        self.seed = seed
        directions = _directions(self.MAXBIT)[:dimension]
        shift = np.zeros(dimension, np.int64)
        if scramble:
            directions, shift = self._scrambled(directions)
        self.sobolstate, self.shift = wrap(directions.copy()), wrap(shift)
        self.quasi = self.shift.clone()
        self._first_point = (self.quasi / 2**self.MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def _scrambled(self, directions):
        """The direction numbers (D, bits) times a triangular matrix each, and the shifts (D)."""
        generator = None if self.seed is None else Generator().manual_seed(self.seed)
        bits, count = self.MAXBIT, self.dimension
        shifts = randint(2, (count, bits), generator=generator).array
        lower = np.tril(randint(2, (count, bits, bits), generator=generator).array)
        lower[:, range(bits), range(bits)] = 1
        places = np.arange(bits)[::-1]
        digits = directions[:, :, None] >> places & 1  # (D, bits, digits), the highest digit first
        scrambled = digits @ lower.transpose(0, 2, 1) & 1
        return (scrambled << places).sum(-1), shifts @ (1 << np.arange(bits))

    def draw(self, n=1, out=None, dtype=None):
        """The next `n` points (n, dimension), each in [0, 1)."""
        dtype = dtype or get_default_dtype()
        first = self.num_generated == 0
        points = self._advance(n - first).astype(dtype.numpy) * dtype.numpy.type(2**-self.MAXBIT)
        if first:
            start = to_dtype(self._first_point, dtype).array
            points = np.concatenate([start, points])
        self.num_generated += n
        result = wrap(points)
        if out is None:
            return result
        return out.resize_(*result.shape).copy_(result)

    def draw_base2(self, m, out=None, dtype=None):
        """The next 2**m points; together with those before, a power of two of them."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ArgumentError(
                f"draw_base2: expected a power of 2 points in all, got {self.num_generated} "
                f"+ 2**{m} = {total}; draw() takes any number"
            )
        return self.draw(2**m, out, dtype)

    def fast_forward(self, n):
        """Leave out the next `n` points."""
        self._advance(n - (self.num_generated == 0))
        self.num_generated += n
        return self

    def reset(self):
        """Start again with the first point."""
        self.quasi.copy_(self.shift)
        self.num_generated = 0
        return self

    def _advance(self, n):
        """The next `n` points (n, dimension) as integers, after the first one.

        From one to the next, the direction number of the lowest 0 of the index is exchanged.
        """
        start = max(self.num_generated - 1, 0)
        index = np.arange(start, start + n)
        lowest = np.bitwise_count(index & ~(index + 1))
        steps = self.sobolstate.array[:, lowest].T  # (n, dimension)
        points = np.bitwise_xor.accumulate(np.vstack([self.quasi.array[None], steps]), axis=0)
        self.quasi = wrap(points[-1].copy())
        return points[1:]

    def __repr__(self):
        parts = [f"dimension={self.dimension}"]
        parts += ["scramble=True"] if self.scramble else []
        parts += [f"seed={self.seed}"] if self.seed is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"


@cache
def _directions(bits):
    """The direction numbers (1111, bits), as numbers of `bits` bits, of all dimensions."""
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    numbers = np.ones((len(lines) + 1, bits), np.int64)
    for row, line in zip(numbers[1:], lines, strict=True):
        polynomial, *row[: line.count(" ")] = map(int, line.split())
        degree = line.count(" ")
        for j in range(degree, bits):
            row[j] = row[j - degree] ^ row[j - degree] << degree
            for k in range(1, degree):
                if polynomial >> (degree - k) & 1:
                    row[j] ^= row[j - k] << k
    return numbers << np.arange(bits)[::-1]
