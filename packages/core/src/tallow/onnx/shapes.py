"""How an operation is written in ONNX's operators: those that rearrange elements."""

import numpy as np

from tallow.errors import NotSupportedError
from tallow.onnx.graph import static
from tallow.onnx.operators import WRITERS, writes
from tallow.onnx.trace import Dim, Value

END = np.iinfo(np.int64).max  # where a slice stops that goes to the end

WRITERS |= {
    "permute": lambda g, x, *, axes: g.add("Transpose", x, perm=axes),
    "expand": lambda g, x, *, shape: g.add("Expand", x, g.shape(shape)),
    "repeat": lambda g, x, *, repeats: g.add("Tile", x, g.shape(repeats)),
    "cat": lambda g, *xs, axis: g.add("Concat", *xs, axis=axis),
    "tril": lambda g, x, *, k: g.add("Trilu", x, g.constant(np.asarray(k, np.int64)), upper=0),
    "triu": lambda g, x, *, k: g.add("Trilu", x, g.constant(np.asarray(k, np.int64)), upper=1),
    "gather": lambda g, x, *, axis, index: g.add("GatherElements", x, index, axis=axis),
    "scatter": lambda g, x, src, *, axis, index: g.add(
        "ScatterElements", x, index, g.typed([x, src])[1], axis=axis
    ),
}


@writes("reshape")
def _(g, x, *, shape):
    dynamic = [n for n in shape if isinstance(n, Dim)]
    if len(dynamic) == 1:
        shape = tuple(-1 if isinstance(n, Dim) else n for n in shape)
    return g.add("Reshape", x, g.shape(shape))


@writes("swap")
def _(g, x, *, axis1, axis2):
    order = list(range(len(g.shape_of(x))))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return g.add("Transpose", x, perm=order)


def _slice(g, x, axes, starts, stops, steps=None):
    bounds = [g.shape(starts), g.shape(stops), g.integers(axes)]
    return g.add("Slice", x, *bounds, None if steps is None else g.integers(steps))


@writes("flip")
def _(g, x, *, axis):
    axes = (axis,) if isinstance(axis, int) else axis
    each = [1] * len(axes)
    return _slice(g, x, axes, [-n for n in each], [-END] * len(axes), [-n for n in each])


@writes("roll")
def _(g, x, *, shifts, axis):
    pairs = [(shifts, axis)] if isinstance(axis, int) else zip(shifts, axis, strict=True)
    sizes = g.shape_of(x)
    for shift, at in pairs:
        start = -(shift % static("a size to roll", sizes[at])) or END
        ends = _slice(g, x, [at], [start], [END]), _slice(g, x, [at], [0], [start])
        x = g.add("Concat", *ends, axis=at)
    return x


@writes("cut")
def _(g, x, *, axis, start, stop):
    return _slice(g, x, [axis], [start], [stop])


@writes("pad")
def _(g, x, *, widths, value):
    before, after = zip(*widths, strict=True)
    return g.add("Pad", x, g.shape((*before, *after)), g.typed([x, value])[1])


@writes("crop")
def _(g, x, *, widths):
    axes = [i for i, pair in enumerate(widths) if pair != (0, 0)]
    starts, stops = zip(*(widths[i] for i in axes), strict=True)
    return _slice(g, x, axes, starts, [-n or END for n in stops])


@writes("stack")
def _(g, *xs, axis):
    parts = [g.add("Unsqueeze", x, g.integers([axis])) for x in xs]
    return g.add("Concat", *parts, axis=axis)


@writes("unstack")
def _(g, x, *, axis):
    count = static("a number of parts", g.shape_of(x)[axis])
    parts = g.add("Split", x, outputs=count, axis=axis, num_outputs=count)
    parts = [parts] if count == 1 else parts
    return [g.add("Squeeze", part, g.integers([axis])) for part in parts]


@writes("getitem")
def _(g, x, *, key):
    """Slices first, then the dims that ints take away, then those that None adds."""
    rank = len(g.shape_of(x))
    free = rank - sum(part is not None and part is not ... for part in key)
    slices, gone, new, axis, place = {}, [], [], 0, 0
    for part in key:
        if part is None:
            new.append(place)
        elif part is ...:
            axis, place = axis + free, place + free - 1
        elif isinstance(part, slice):
            if part != slice(None):
                slices[axis] = part.start or 0, END if part.stop is None else part.stop, part.step
            axis += 1
        else:
            slices[axis] = part, part + 1 if part != -1 else END, 1
            gone.append(axis)
            axis, place = axis + 1, place - 1
        place += 1
    if slices:
        starts, stops, steps = zip(*slices.values(), strict=True)
        x = _slice(g, x, list(slices), starts, stops, [step or 1 for step in steps])
    if gone:
        x = g.add("Squeeze", x, g.integers(gone))
    return g.add("Unsqueeze", x, g.integers(new)) if new else g.add("Identity", x)


@writes("take")
def _(g, x, *, key):
    """One index gathers along its axis; several, on the first axes, gather elements or rows."""
    places = [i for i, part in enumerate(key) if not isinstance(part, slice)]
    indices = [key[i] for i in places]
    if any(g.dtype_of(index).kind == "b" for index in indices):
        raise NotSupportedError("onnx.export: expected an index of integers, got a mask; use where")
    if len(places) == 1:
        return g.add("Gather", x, indices[0], axis=places[0])
    if places != list(range(len(places))) or not any(isinstance(x, Value) for x in indices):
        raise NotSupportedError(
            "onnx.export: expected one index tensor, or several for the first dims, got others"
        )
    shape = np.broadcast_shapes(*(static("an index", g.shape_of(i)) for i in indices))
    columns = [g.add("Expand", index, g.integers(shape)) for index in indices]
    columns = [g.add("Unsqueeze", column, g.integers([-1])) for column in columns]
    return g.add("GatherND", x, g.add("Concat", *columns, axis=-1))
