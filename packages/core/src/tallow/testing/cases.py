"""Cases of operations, as data: example calls of an op, and the function that says what they give.

    Case(ops.add, np.add, given((2, 3), (3,)), given((), ()), dtypes="bifc")
    Case(ops.sum, lambda x, axis, keepdims: x.sum(axis, keepdims=keepdims),
         given((2, 3), axis=(1,), keepdims=False), given((0, 3), axis=(0,), keepdims=True))

`tallow.testing.checks` makes tests of them. All values are NumPy arrays here: checks move them.
"""

import zlib
from dataclasses import dataclass
from functools import partial

import ml_dtypes
import numpy as np

DTYPES = {
    "b": (np.bool_,),
    "i": (np.uint8, np.int8, np.int16, np.int32, np.int64),
    "f": (np.float16, ml_dtypes.bfloat16, np.float32, np.float64),
    "c": (np.complex64, np.complex128),
}
KINDS = {np.dtype(t): kind for kind, types in DTYPES.items() for t in types}
WIDEST = {kind: np.dtype(types[-1]) for kind, types in DTYPES.items()}
MARGIN = 0.05  # how far random operands stay from a kink


@dataclass(frozen=True)
class Draw:
    """An operand to be drawn: `shape`, and its range where that is not the case's own.

    `kind` "ints" and "bools" have a dtype of their own (int64, bool); "any" takes the one checked.
    """

    shape: tuple
    low: float | None = None
    high: float | None = None
    kind: str = "any"


def draw(shape, low=None, high=None):
    """An operand in the dtype checked, from [low, high]; a bare shape stands for `draw(shape)`."""
    return Draw(tuple(shape), low, high)


def ints(shape, high, low=0):
    """An int64 operand or parameter (an index) from [low, high)."""
    return Draw(tuple(shape), low, high, "ints")


def bools(shape):
    """A bool operand or parameter (a mask)."""
    return Draw(tuple(shape), kind="bools")


@dataclass(frozen=True)
class Example:
    """One call: operands (a shape, a `Draw`, an array, a number or None) and parameters.

    An array of floats is taken in the dtype that is checked. `smooth` is False at a kink.
    """

    inputs: tuple
    params: dict
    smooth: bool = True

    def __str__(self):
        parts = [*map(str, self.inputs), *(f"{name}={x}" for name, x in self.params.items())]
        return f"({', '.join(parts)})"


def given(*inputs, **params):
    """An example call of the op: `given((2, 3), axis=0)` is `op(<random 2x3>, axis=0)`."""
    return Example(inputs, params)


def at_kink(*inputs, **params):
    """An example call where the gradient jumps or is infinite: it has no central differences."""
    return Example(inputs, params, smooth=False)


class Case:
    """An op, example calls of it, and what is true of them all.

    `reference(*arrays, **params)` gives the result, or a tuple of results, in NumPy from operands
    widened to float64, complex128 or int64; it must not use the op. The rest has defaults:

    `domain`     the range of random operands
    `kinks`      points where a derivative jumps, which random operands avoid
    `dtypes`     the kinds of dtype that the op takes: "b" bool, "i" int, "f" floating, "c" complex;
                 or a tuple of the dtypes themselves
    `gives`      the NumPy dtype of the result, where it is not that of the operands
    `by`         the names of the operands that get a gradient (those with a rule, unless told)
    `outputs`    the positions of the results that pass gradients (all, unless told)
    `orders`     how many orders of derivatives are exact: 2, 1, or 0 for an op without gradients
    `tolerance`  a factor on the allowed difference from the reference
    `whole`      the positions of the results that are float32 where operands are of 16 bits
    """

    def __init__(
        self, op, reference, *examples, domain=(-2.0, 2.0), kinks=(), dtypes="f", gives=None,
        by=None, outputs=None, orders=2, tolerance=1.0, whole=(),
    ):  # fmt: skip
        self.call, self.op = op, op.op
        self.reference = reference
        self.examples = examples
        self.domain = domain
        self.kinks = kinks
        if isinstance(dtypes, str):
            dtypes = [t for kind in dtypes for t in DTYPES[kind]]
        self.dtypes = [np.dtype(t) for t in dtypes]
        self.widest = [t for t in self.dtypes if t == WIDEST[KINDS[t]]]
        self.gives = gives
        self.outputs = outputs
        self.tolerance = tolerance
        self.whole = whole
        has_rules = self.op.joint or any(self.op.rules)
        self.orders = orders if has_rules and any(KINDS[t] in "fc" for t in self.widest) else 0
        self.by = self._operands_with_rules() if by is None else by

    def _operands_with_rules(self):
        if self.op.joint:
            return self.op.operands
        return [n for n, rule in zip(self.op.operands, self.op.rules, strict=False) if rule]

    def __str__(self):
        return self.op.name

    def gets_gradient(self, position, x):
        """True if the operand `x` at a position is one that gradients flow to."""
        name = self.op.operands[0 if self.op.variadic else position]
        return name in self.by and KINDS.get(getattr(x, "dtype", None)) in ("f", "c")

    def sample(self, example, dtype):
        """The operands and parameters of an example: the same ones at every call."""
        rng = np.random.default_rng(zlib.crc32(f"{self.op.name} {example}".encode()))
        inputs = [Draw(x) if isinstance(x, tuple) else x for x in example.inputs]
        inputs = [self._made(x, dtype, rng) for x in inputs]
        return inputs, {name: self._made(x, dtype, rng) for name, x in example.params.items()}

    def _made(self, x, dtype, rng):
        """An operand or parameter, with what is to be drawn in it drawn."""
        if isinstance(x, tuple):
            return tuple(self._made(part, dtype, rng) for part in x)
        if isinstance(x, Draw):
            return np.asarray(self._drawn(x, dtype, rng))
        return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    def _drawn(self, spec, dtype, rng):
        if spec.kind == "ints":
            return rng.integers(spec.low, spec.high, spec.shape)
        if spec.kind == "bools" or dtype.kind == "b":
            return rng.integers(0, 2, spec.shape) == 1
        low = self.domain[0] if spec.low is None else spec.low
        high = self.domain[1] if spec.high is None else spec.high
        values = partial(rng.uniform, low, high)
        if dtype.kind == "u" and low < 0:
            low, high = (0 if high > 0 else -high), max(-low, high)
        if dtype.kind in "iu":
            values = partial(rng.integers, int(np.ceil(low)), int(high) + 1)
        array = self._away(values, spec.shape)
        if dtype.kind == "c":
            array = array + 1j * self._away(values, spec.shape)
        return array.astype(dtype)

    def _away(self, values_of, shape):
        """Values of `values_of(shape)`, drawn again where they lie near a kink."""
        values = np.asarray(values_of(shape))
        while (near := self._near_kink(values)).any():
            values[near] = values_of(near.sum())
        return values

    def _near_kink(self, values):
        near = np.zeros(values.shape, bool)
        for kink in self.kinks:
            near |= np.abs(values - kink) < MARGIN
        return near
