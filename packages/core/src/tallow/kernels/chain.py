"""`Chain`: an elementwise formula as a program, which runs in one pass over memory.

    @Chain.of
    def descend(xp, p, g, *, rate):
        p -= rate * g

The body is written as for NumPy, with operators and functions of `xp`, and can run there. A chain
calls it once, with placeholders that write down what is done with them; the compiled kernels then
run the instructions on tiles of a few thousand elements, all of them on one tile before the next.
An array that the body changes in place, or sets by `x[...]`, is changed; what it returns is new.

Placeholders have no values, so a body cannot branch on them: `xp.where` chooses elements, and
`choose` by a number. But it may ask whether a number is 0, if the chain was made for that. They are
arrays of a backend of their own, so operations may be called on them too: a body may be that of an
operation, or the rule of its gradient.
"""

import inspect
from math import inf, nan

import numpy as np

from tallow import backend
from tallow.kernels.loading import compiled

NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "div", "<": "less", "<=": "less_equal"}


class Float:
    """The dtype of placeholders, float32: numbers need no conversion to it."""

    kind, itemsize = "f", 4

    def type(self, number):
        return number


FLOAT = Float()


class Symbol:
    """What a body computes with: an Array, or a Number for all elements."""

    def __add__(self, other):
        return combined("+", self, other)

    def __radd__(self, other):
        return combined("+", other, self)

    def __sub__(self, other):
        return combined("-", self, other)

    def __rsub__(self, other):
        return combined("-", other, self)

    def __mul__(self, other):
        return combined("*", self, other)

    def __rmul__(self, other):
        return combined("*", other, self)

    def __truediv__(self, other):
        return combined("/", self, other)

    def __rtruediv__(self, other):
        return combined("/", other, self)

    def __lt__(self, other):
        return combined("<", self, other)

    def __le__(self, other):
        return combined("<=", self, other)

    def __gt__(self, other):
        return combined("<", other, self)

    def __ge__(self, other):
        return combined("<=", other, self)


class Number(Symbol):
    """A number that is known when a chain runs: the text of what computes it.

    `truth` says whether it is other than 0, where that is known before.
    """

    def __init__(self, text, truth=None):
        self.text, self.truth = text, truth

    def __str__(self):
        return self.text

    def __bool__(self):
        if self.truth is None:
            raise TypeError(f"chain: expected a branch on what is known, got {self}; use choose")
        return self.truth

    def __neg__(self):
        return Number(f"(-{self})")

    def __abs__(self):
        return Number(f"abs({self})")

    def __pow__(self, other):
        return Number(f"pow({self}, {other})")

    def __rpow__(self, other):
        return Number(f"pow({other}, {self})")


class Array(Symbol):
    """A variable of the body: the number of the value that it has now.

    What compares is 1 where it holds, else 0.
    """

    dtype = FLOAT
    __hash__ = None

    def __init__(self, record, value):
        self.record, self.value = record, value

    def astype(self, dtype, copy=True):
        if dtype is not FLOAT:
            raise TypeError(f"chain: expected float32 throughout, got {dtype}")
        return self

    def __eq__(self, other):
        return (self <= other) & (self >= other)

    def __ne__(self, other):
        return 1 - (self == other)

    def __and__(self, other):
        return self * other

    def __or__(self, other):
        return FUNCTIONS.maximum(self, other)

    def __invert__(self):
        return 1 - self

    def __pow__(self, other):
        if other not in (2, 3):
            raise TypeError(f"chain: expected a power of 2 or 3, got {other}")
        return self * self if other == 2 else self * self * self

    def __neg__(self):
        return self.record("negative", self)

    def __abs__(self):
        return self.record("abs", self)

    def __setitem__(self, key, other):
        if key is not Ellipsis:
            raise TypeError(f"chain: expected x[...] to be set, got x[{key!r}]")
        self.value = (other if isinstance(other, Array) else self.record("copy", other)).value

    def __iadd__(self, other):
        self.value = (self + other).value
        return self

    def __isub__(self, other):
        self.value = (self - other).value
        return self

    def __imul__(self, other):
        self.value = (self * other).value
        return self

    def __itruediv__(self, other):
        self.value = (self / other).value
        return self


def combined(sign, x, y):
    for one in (x, y):
        if isinstance(one, Array):
            return one.record(NAMES[sign], x, y)
    return Number(f"({x} {sign} {y})")


def choose(condition, x, y):
    """x where a condition on a number holds, else y."""
    if not isinstance(condition, Number):
        return x if condition else y
    for one in (x, y):
        if isinstance(one, Array):
            return one.record("where", condition, x, y)
    return Number(f"({x} if {condition} else {y})")


class Functions:
    """The functions of `xp`: instructions of their names, and what consists of several."""

    def __getattr__(self, name):
        def function(*operands):
            record = next(x.record for x in operands if isinstance(x, Array))
            return record(name, *operands)

        return function

    def clip(self, x, low, high):
        x = x if low is None else self.maximum(x, low)
        return x if high is None else self.minimum(x, high)

    def asarray(self, x, dtype=FLOAT):
        return x

    def zeros_like(self, x):
        return 0.0

    def ones_like(self, x):
        return 1.0

    def iscomplexobj(self, x):
        return False

    def logaddexp(self, x, y):
        high, low = self.maximum(x, y), self.minimum(x, y)
        gap = self.where(low < high, low - high, 0.0)  # else infinities may be equal
        return high + self.log1p(self.exp(gap))

    def hypot(self, x, y):
        x, y = self.abs(x), self.abs(y)
        high, low = self.maximum(x, y), self.minimum(x, y)
        ratio = self.where(low < high, low / high, 1.0)
        infinite = (x >= inf) | (y >= inf)  # even where the other is NaN
        return self.where(infinite, inf, high * self.sqrt(1 + ratio * ratio))


FUNCTIONS = Functions()
backend.register_type(
    Array,
    backend.for_device("cpu")._replace(
        name="chain", xp=FUNCTIONS, array_type=Array, scalar_types=(), kernels=None
    ),
)


class Record:
    """What is done with placeholders, in order: value i is that of steps[i], a name and operands.

    The operands are numbers of values, or texts. The first values are those of the arrays.
    """

    def __init__(self, arrays):
        self.steps = [("array", ())] * arrays

    def __call__(self, name, *operands):
        operands = [x.value if isinstance(x, Array) else str(x) for x in operands]
        self.steps.append((name, operands))
        return Array(self, len(self.steps) - 1)

    def own_values(self, slots):
        """A value for each tile, which is no other tile's and no array's."""
        values = {}
        for tile, x in slots.items():
            taken = x.value in values.values() or self.steps[x.value][0] == "array"
            values[tile] = (self("copy", x) if taken else x).value
        return values

    def uses(self, results):
        """How often each value is used that the results need; 0 for the others."""
        count = [0] * len(self.steps)
        for value in results:
            count[value] += 1
        for value in reversed(range(len(self.steps))):
            if count[value]:
                for operand in self.steps[value][1]:
                    if isinstance(operand, int):
                        count[operand] += 1
        return count

    def join_products(self, results):
        """Make one instruction of a sum or difference and the product that it alone needs."""
        uses = self.uses(results)
        for i, (name, operands) in enumerate(self.steps):
            if name not in ("add", "sub"):
                continue
            for k in (1, 0) if name == "add" else (1,):
                value = operands[k]
                if isinstance(value, int) and uses[value] == 1 and self.steps[value][0] == "mul":
                    x, y = self.steps[value][1]
                    first = (y, x) if isinstance(x, str) else (x, y)
                    self.steps[i] = f"multiply_{name}", [*first, operands[1 - k]]
                    break
            else:
                continue
            self._follow(i, uses)

    def _follow(self, i, uses):
        """z + (x - z) y as one instruction, if step i is that."""
        name, (value, y, z) = self.steps[i]
        if name == "multiply_add" and uses[value] == 1 and self.steps[value][0] == "sub":
            x, taken = self.steps[value][1]
            if taken == z and isinstance(x, int):
                self.steps[i] = "follow", [x, y, z]


class Chain:
    """The program of a body: `Chain(body, operands, numbers, names)`.

    The body is called as `body(xp, *operands, **numbers)`, where an operand is ARRAY, None or a
    Number, and a number is a Number or what it is; the text of Numbers is Python in `names`. Raises
    ValueError if an instruction is unknown, if the body needs too many arrays at a time, or if it
    both changes arrays and returns new ones.
    """

    def __init__(self, body, operands, numbers, names):
        record = Record(sum(x is ARRAY for x in operands))
        inputs = [Array(record, i) for i in range(len(record.steps))]
        left = iter(inputs)
        given = body(FUNCTIONS, *[next(left) if x is ARRAY else x for x in operands], **numbers)
        given = () if given is None else given if isinstance(given, tuple) else (given,)
        slots = {i: x for i, x in enumerate(inputs) if x.value != i}
        slots |= {len(inputs) + k: x for k, x in enumerate(given)}
        values = record.own_values(slots)
        record.join_products(values.values())
        self.body, self.inputs, self.outputs = body, len(inputs), len(given)
        self.steps, tiles, self.texts = _placed(record, values, len(inputs) + len(given))
        self.row = eval(  # what computes the numbers of a call
            f"lambda {', '.join(names)}: ({''.join(f'{text}, ' for text in self.texts)})",
            {"inf": inf, "nan": nan},
        )
        self.program = compiled and compiled.chain_program(
            self.inputs, self.outputs, tiles, len(self.texts), self.steps
        )

    @classmethod
    def of(cls, body):
        """Decorator: the chain of a body whose operands are arrays, its keywords numbers."""
        parameters = list(inspect.signature(body).parameters.values())[1:]
        names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        operands = [ARRAY] * (len(parameters) - len(names))
        return cls(body, operands, {name: Number(name) for name in names}, names)

    def __call__(self, *arrays, **numbers):
        """What the body returns: by the kernels, or else on NumPy."""
        made = self.run(*arrays, **numbers)
        return self.body(np, *arrays, **numbers) if made is NotImplemented else made

    def run(self, *arrays, **numbers):
        """What the body returns for arrays that broadcast to the largest.

        NotImplemented without kernels, and for arrays that they do not take.
        """
        if self.program is None:
            return NotImplemented
        return compiled.chain_apply(self.program, arrays, self.row(**numbers))

    def update(self, columns, rows):
        """Change arrays as the body does, those of many parameters.

        `columns` has for each operand a list with an array of every parameter, `rows` numbers as
        `row` makes them, for every parameter or one for all. False if the kernels do not take the
        arrays: nothing was changed.
        """
        return self.program is not None and compiled.chain_update(self.program, columns, rows)


ARRAY = object()


def _placed(record, values, arrays):
    """The steps that the values need, each with its tile; how many tiles; the texts of numbers.

    `values` are those that arrays get, by their tiles. A value is computed into its array unless
    somebody needs later what this held before; then it is copied there in the end.
    """
    steps, uses = record.steps, record.uses(values.values())
    last = {x: i for i, (_, operands) in enumerate(steps) if uses[i] for x in operands}
    late = {to: value for to, value in values.items() if last.get(to, -1) > value}
    homes = {value: to for to, value in values.items() if to not in late}
    fixed = {*homes, *late.values()}
    free, made, texts, tiles = [], [], {}, arrays
    for i, (name, operands) in enumerate(steps):
        if name == "array":
            homes[i] = i
            fixed.add(i)
        elif uses[i]:
            from_ = [
                ~texts.setdefault(x, len(texts)) if isinstance(x, str) else homes[x]
                for x in operands
            ]
            free += {homes[x] for x in operands if last[x] == i and x in homes and x not in fixed}
            if i not in homes:
                if not free:
                    free.append(tiles)
                    tiles += 1
                homes[i] = free.pop()
            made.append((name, homes[i], *from_))
    made += [("copy", to, homes[value]) for to, value in late.items()]
    return made, tiles, list(texts)


# Chains made for what a body may branch on


def known(value):
    """What a chain is made for: of numbers only whether they are 0."""
    if isinstance(value, tuple | list):
        return tuple(map(known, value))
    return type(value) if type(value) in (float, int) and value else value


def specialised(body, names, kinds, settings):
    """The chain of a body whose operands, by names, are ARRAY, Number or None.

    `settings` are its keywords, which it may ask whether they are 0; its numbers are computed of
    these and, after them, of the operands that are numbers.
    """
    operands = [
        Number(name) if kind is Number else kind for name, kind in zip(names, kinds, strict=True)
    ]
    counts = [x.text for x in operands if isinstance(x, Number)]
    numbers = {name: _number(name, value) for name, value in settings.items()}
    return Chain(body, operands, numbers, [*settings, *counts])


def _number(text, value):
    if isinstance(value, tuple | list):
        return tuple(_number(f"{text}[{i}]", x) for i, x in enumerate(value))
    return Number(text, bool(value)) if type(value) in (float, int) else value
