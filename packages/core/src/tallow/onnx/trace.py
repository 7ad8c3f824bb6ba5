"""What a model computes, as steps: operations whose operands are numbered values or constants.

The model runs with inputs of several sizes and contents. What is the same in all runs is constant;
integers that follow the size of a dynamic axis become `Dim`s; anything else that differs would not
be right for other inputs, and is an error.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tallow.autograd.tape import recorded
from tallow.errors import NotSupportedError
from tallow.ops.taps import Taps
from tallow.tensor import Tensor, root_of


@dataclass(frozen=True)
class Value:
    """The result of a step, or an input, by its number."""

    number: int


@dataclass(frozen=True)
class Dim:
    """An integer that depends on dynamic axes: base + the sum of slope * (size of an axis).

    `slopes` is empty where it depends on them in another way.
    """

    base: int
    slopes: tuple[tuple[str, int], ...]

    def __add__(self, n):
        return Dim(self.base + n, self.slopes)

    def __mul__(self, n):
        return Dim(self.base * n, tuple((axis, slope * n) for axis, slope in self.slopes))


@dataclass(frozen=True)
class Filled:
    """A constant of a shape that depends on dynamic axes, with one number everywhere."""

    number: Any
    shape: tuple[Any, ...]


@dataclass(frozen=True)
class Same:
    """A tuple of `count` times the same integer."""

    count: Any
    number: Any


@dataclass
class Step:
    """One operation: `operands` are Values, constants (arrays, numbers) or None."""

    name: str
    operands: list[Any]
    params: dict[str, Any]
    out: list[Value]


@dataclass
class Trace:
    """The steps of a run; `shapes` and `dtypes` of all values by number; the results."""

    steps: list[Step] = field(default_factory=list)
    shapes: list[tuple[Any, ...]] = field(default_factory=list)
    dtypes: list[Any] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)


class Tracer:
    """Follows one run of a model, from its inputs on.

    `fixed` are the arrays that do not change: those of parameters and buffers.
    """

    def __init__(self, inputs, fixed):
        self.trace = Trace()
        self.fixed = {id(array) for array in fixed}
        self.known = {}  # id of an array -> the Value that it holds
        self.kept = []  # tensors and their arrays, so that no id is used twice
        self.trace.inputs = [self.enter(tensor) for tensor in inputs]

    def enter(self, tensor):
        """Number a new value."""
        value = Value(len(self.trace.shapes))
        self.trace.shapes.append(tensor.array.shape)
        self.trace.dtypes.append(tensor.array.dtype)
        self.set(tensor, value)
        return value

    def set(self, tensor, value):
        self.known[id(tensor.array)] = value
        self.kept.append((tensor, tensor.array))

    def holds(self, x):
        """What an operand or a parameter is: a Value, or itself where no input reaches it."""
        if isinstance(x, tuple | list):
            return tuple(self.holds(part) for part in x)
        array = x.array if isinstance(x, Tensor) else x
        if not hasattr(array, "dtype"):
            return array
        found = self.known.get(id(array))
        if found is STALE:
            raise NotSupportedError(
                "onnx.export: expected no change in place of a part of a tensor, got one; "
                "make the result by cat, stack or where instead"
            )
        if found is not None:
            return found
        return array if id(array) in self.fixed else array.copy()  # it may change in place

    def __call__(self, call):
        """Take down a call of an operation."""
        if call.op is None:
            return self.changed(call.out[0], call.operands[0])
        operands = [self.holds(x) for x in call.operands]
        params = {name: self.holds(x) for name, x in call.params.items()}
        if _values(operands) or _values(params.values()):
            out = [self.enter(tensor) for tensor in call.out]
            self.trace.steps.append(Step(call.op.name, operands, params, out))

    def changed(self, x, new):
        """A tensor changes in place, to `new`, None if that is not known."""
        value = None if new is None else self.holds(new)
        follows = isinstance(value, Value)
        root = root_of(x)
        shared = [t for t, _ in self.kept if root_of(t) is root and t.array is not x.array]
        if follows and root.array is not x.array:
            shared.append(root)
        for tensor in shared:
            self.set(tensor, STALE)
        if follows and self.trace.shapes[value.number] != x.array.shape:
            shape, out = {"shape": x.array.shape}, self.enter(x)
            self.trace.steps.append(Step("expand", [value], shape, [out]))
        elif follows:
            self.set(x, value)
        elif id(x.array) in self.known:
            self.set(x, STALE if new is None else None)


STALE = object()  # what an array holds after a change that was not followed


def _values(parts):
    return any(isinstance(x, Value) or (isinstance(x, tuple) and _values(x)) for x in parts)


def trace(run, inputs, fixed=()):
    """The trace of `run(*inputs)`, which returns a list of tensors."""
    tracer = Tracer(inputs, fixed)
    with recorded(tracer):
        results = run(*inputs)
    tracer.trace.results = [tracer.holds(x) for x in results]
    return tracer.trace


# Several runs as one


class Merger:
    """Makes one of the traces of several runs.

    `sizes` has the sizes of the dynamic axes in each run, by name: in the second run they are those
    of the first, in the last all others, and in those between one each.
    """

    def __init__(self, traces, sizes):
        self.traces = traces
        self.sizes = sizes

    def merged(self):
        first, *others = self.traces
        for other in others:
            if [step.name for step in other.steps] != [step.name for step in first.steps]:
                raise NotSupportedError(
                    "onnx.export: expected the same operations for any input, got others for "
                    "another size or content of the input"
                )
        shapes = [self.join("a shape", versions) for versions in self.columns("shapes")]
        steps = [self.step(versions) for versions in self.columns("steps")]
        results = [self.join("a result", versions) for versions in self.columns("results")]
        return Trace(steps, shapes, first.dtypes, first.inputs, results)

    def columns(self, part):
        return list(zip(*(getattr(trace, part) for trace in self.traces), strict=True))

    def step(self, versions):
        first = versions[0]
        what = f"an operand or parameter of {first.name}"
        operands = [
            self.join(what, parts) for parts in zip(*(v.operands for v in versions), strict=True)
        ]
        params = {key: self.join(what, [v.params[key] for v in versions]) for key in first.params}
        return Step(first.name, operands, params, first.out)

    def join(self, what, versions):
        """One thing in all runs: itself, or what it follows from."""
        first = versions[0]
        if len({isinstance(v, Value) for v in versions}) > 1:
            raise _depends(what)
        if isinstance(first, tuple):
            if any(len(v) != len(first) for v in versions):
                return self.repeated(what, versions)
            return tuple(self.join(what, parts) for parts in zip(*versions, strict=True))
        if isinstance(first, slice):
            ends = [[getattr(v, end) for v in versions] for end in ("start", "stop", "step")]
            return slice(*(self.join(what, parts) for parts in ends))
        if type(first) is int and all(type(v) is int for v in versions):
            return self.integer(versions)
        if getattr(first, "shape", ()) != () and hasattr(first, "dtype"):
            return self.array(what, versions)
        if all(_same(v, first) for v in versions):
            return first
        raise _depends(what)

    def integer(self, versions):
        """An integer, or the Dim that it follows."""
        first, again, *singly = versions
        if again != first:
            raise _depends("an integer")
        if all(n == first for n in singly):
            return first
        names, before, last = list(self.sizes[0]), self.sizes[0], self.sizes[-1]
        steps = zip(names, self.sizes[2:], singly, strict=False)
        slopes = [(axis, (n - first) / (sizes[axis] - before[axis])) for axis, sizes, n in steps]
        expected = first + sum(slope * (last[axis] - before[axis]) for axis, slope in slopes)
        if expected != singly[-1] or any(slope % 1 for _, slope in slopes):
            return Dim(first, ())
        base = first - sum(slope * before[axis] for axis, slope in slopes)
        return Dim(int(base), tuple((axis, int(slope)) for axis, slope in slopes if slope))

    def array(self, what, versions):
        """An array that is the same in all runs, or of one number in a shape that varies."""
        first, hosts = versions[0], [to_host(v) for v in versions]
        if all(v.shape == first.shape for v in versions):
            if all(host is hosts[0] or _equal(host, hosts[0]) for host in hosts):
                return first
            raise _depends(what)
        number = hosts[0].reshape(-1)[:1]
        if not all((host == number).all() for host in hosts):
            raise _depends(what)
        return Filled(number[0], self.join(what, [v.shape for v in versions]))

    def repeated(self, what, versions):
        """Tuples of several lengths, each of one number: the sizes of a batch, step after step."""
        if not all(len(set(v)) == 1 for v in versions):
            raise _depends(what)
        count, number = zip(*((len(v), v[0]) for v in versions), strict=True)
        return Same(self.integer(count), self.integer(number))


def to_host(array):
    """An array of any device as NumPy's."""
    return np.asarray(array.get() if hasattr(array, "get") else array)


def _equal(x, y):
    return np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")


def _same(x, y):
    if isinstance(x, Taps) and isinstance(y, Taps):
        tables = [(t.index, t.weight) for t in (x, y)]
        same = all(np.array_equal(a, b) for a, b in zip(*tables, strict=True))
        return same or (is_mean(x) and is_mean(y))
    return x is y or bool(x == y) or bool(x != x and y != y)


def is_mean(taps):
    """True for a table whose one result is the mean of all elements."""
    count, size = taps.weight.shape
    return count == 1 and size == taps.size and bool((taps.weight == taps.weight[0, 0]).all())


def _depends(what):
    return NotSupportedError(
        f"onnx.export: expected {what} to be the same in all runs, or to grow with a dynamic axis; "
        "it depends on the input in a way that operations do not show, or on chance"
    )
