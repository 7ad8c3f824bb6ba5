"""Convolution as a product of matrices of which that of windows is never written out.

`Problem` in implicit.cu says what a launch is told. Sums over few elements of the result and many
terms are split into parts, so that there are blocks enough; these are added up in their order, so
a result is the same each time.
"""

from importlib import import_module
from itertools import product
from math import gcd
from typing import NamedTuple

import numpy as np

from tallow.kernels.cuda import launch
from tallow.kernels.cuda.launch import Source, empty, in_order, size, wide

tiles = Source("tiles.cuh", "implicit.cu")
COLUMNS, CHUNK, STAGES, THREADS = 128, 16, 4, 256  # of a block; bytes; parts of its memory
ENOUGH, LEAST, MOST = (
    264,
    256,
    256,
)  # blocks, two for each of 132 processors; terms of a part; parts
PLACES = ("count", "start", "jump", "phase", "spread", "full")
TAPS = ("taps", "step", "near", "apart", "kernel")
NUMBERS = (
    "rows", "columns", "depth", "out_row", "out_image", "out_group", "left_line", "left_group",
    "right_group", "splits", "total",
)  # fmt: skip
AXES = (*PLACES, *TAPS, "size")
ABSENT = dict.fromkeys(AXES, 1) | dict.fromkeys(("start", "phase", "step", "near"), 0)
PROBLEM = np.dtype([("axes", np.int32, 3 * len(AXES)), ("numbers", np.int64, len(NUMBERS))])


class Shape(NamedTuple):
    """A convolution of (images, groups * inputs, *sizes) to (images, groups * outputs, *count)."""

    images: int
    groups: int
    inputs: int
    outputs: int
    sizes: tuple
    kernel: tuple
    count: tuple


def _problem(axes, chunks, **numbers):
    """The struct, from tuples by name, an int for each axis, and from numbers."""
    missing = 3 - len(axes["size"])
    told = {name: (*(ABSENT[name],) * missing, *axes[name]) for name in AXES}
    told["taps"] = (*(max(n, 1) for n in told["taps"][1:]), chunks)
    made = np.zeros((), PROBLEM)
    made["axes"] = [n for name in AXES for n in told[name]]
    made["numbers"] = [numbers[name] for name in NUMBERS]
    return made


def _rounds(dtype):
    """True if factors may be rounded to what tensor cores take."""
    return dtype == np.float32 and import_module("tallow.backends.cudnn").allow_tf32


def _chunks(channels, dtype):
    """How many chunks channels are packed in."""
    return -(-channels * dtype.itemsize // CHUNK)


def _packed(x, outer, inner, channels, places):
    """x as (outer, inner, places, channels), these padded; of axes but places (size, step)."""
    padded = _chunks(channels[0], x.dtype) * CHUNK // x.dtype.itemsize
    out = empty((outer[0], inner[0], places, padded), x)
    blocks = outer[0] * inner[0] * -(-places // 64) * -(-padded // 64)
    tiles(
        "pack", x, blocks, THREADS, in_order(x), out, inner[0], outer[1], inner[1], channels[1],
        channels[0], places, padded, _rounds(x.dtype),
    )  # fmt: skip
    return out


def _packed_images(s, x, channels):
    """x (images, groups * channels, *sizes) as (groups, images, places, channels)."""
    places = size(x.shape[2:])
    image = s.groups * channels * places
    return _packed(x, (s.groups, channels * places), (s.images, image), (channels, places), places)


def _splits(blocks, depth):
    """How many parts a sum of `depth` terms is made in."""
    return max(1, min(ENOUGH // max(blocks, 1), depth // LEAST, MOST))


def _launch(kind, shape, left, right, bias, out, problems):
    """Launch the kernels of one result; `out` is None if it is to be left in parts, the result."""
    itemsize, most = right.dtype.itemsize, max(problem["rows"] for problem in problems)
    rounds = _rounds(right.dtype)
    broad = itemsize == 2 or rounds and kind == "by_place"
    rows = (
        32 if most <= 32 else 128 if most > 64 and broad and launch.has_tensor_cores(right) else 64
    )
    kernel = f"{'rounding_' if rounds else ''}{kind}_{rows}"
    room = max(STAGES * 4 * CHUNK * (rows + COLUMNS), rows * COLUMNS * itemsize)
    blocks = [-(-p["rows"] // rows) * -(-p["columns"] // COLUMNS) for p in problems]
    each = CHUNK // itemsize if kind == "by_place" else 1  # terms of a k
    splits = max(
        _splits(n * shape.groups, p["depth"] * each) for n, p in zip(blocks, problems, strict=True)
    )
    total = size(out.shape) if out is not None else problems[0]["out_group"] * shape.groups
    parts = None
    if out is None or splits > 1:
        parts = empty((splits, total), right, wide(right.dtype))
    for problem, n in zip(problems, blocks, strict=True):
        made = _problem(**problem, splits=splits, total=total)
        grid = (n, shape.groups * splits)
        tiles(kernel, right, grid, THREADS, left, right, bias, out, parts, made, room=room)
    return parts


def _summed(parts, bias, out, channels, taps, padded):
    """out (rows, channels, taps), sums of parts (splits, rows, taps, padded) and a bias by row."""
    biases = 1 if bias is None else bias.size
    tiles.each("sum_parts", out, out.size, parts, bias, out, len(parts), channels, taps, padded,
               biases)  # fmt: skip
    return out


def _by_place(s, left, right, bias, out, problems):
    """`out` (images, groups * channels, *places)."""
    parts = _launch("by_place", s, left, right, bias, out, problems)
    places = size(out.shape[2:])
    return out if parts is None else _summed(parts, bias, out, places, 1, places)


def _windows(s, stride, padding, dilation):
    """The problem's axes for places of windows and taps in them."""
    ones, zeros = (1,) * len(s.kernel), (0,) * len(s.kernel)
    return {
        "count": s.count, "start": tuple(-p for p in padding), "jump": stride, "phase": zeros,
        "spread": ones, "full": s.count, "taps": s.kernel, "step": dilation, "near": zeros,
        "apart": ones, "kernel": s.kernel, "size": s.sizes,
    }  # fmt: skip


def takes(s):
    """True if the kernels count as far as they must."""
    channels, taps = max(s.inputs, s.outputs) + 8, size(s.kernel)
    chunks = max(size(s.sizes), size(s.count)) * max(s.images, 2) * -(-channels // 2)
    taps = channels * channels * taps
    return min(s.count) > 0 and max(chunks, taps) < 2**31 and s.groups <= 2**15  # in the grid's z


def forward(s, x, weight, bias, stride, padding, dilation):
    """out (images, groups * outputs, *count), with a bias (groups * outputs,) or None."""
    taps, places, volume = size(s.kernel), size(s.count), size(s.sizes)
    chunks, depth = _chunks(s.inputs, x.dtype), s.inputs * taps
    left = _packed(
        weight, (s.groups, s.outputs * depth), (s.outputs, depth), (s.inputs, taps), taps
    )
    problem = {
        "axes": _windows(s, stride, padding, dilation), "chunks": chunks, "rows": s.outputs,
        "columns": s.images * places, "depth": taps * chunks, "out_row": places,
        "out_image": s.groups * s.outputs * places, "out_group": s.outputs * places,
        "left_line": taps * chunks, "left_group": s.outputs * taps * chunks,
        "right_group": s.images * volume * chunks,
    }  # fmt: skip
    out = empty((s.images, s.groups * s.outputs, *s.count), x)
    return _by_place(s, left, _packed_images(s, x, s.inputs), in_order(bias), out, [problem])


def grad_weight(s, g, x, stride, padding, dilation):
    """The gradient by the weight (groups * outputs, inputs, *kernel)."""
    taps, places, volume = size(s.kernel), size(s.count), size(s.sizes)
    chunks, line = _chunks(s.inputs, x.dtype), _chunks(s.outputs, x.dtype)
    row = taps * chunks * CHUNK // x.dtype.itemsize
    problem = {
        "axes": _windows(s, stride, padding, dilation), "chunks": chunks, "rows": s.outputs,
        "columns": row, "depth": s.images * places, "out_row": row, "out_image": 0,
        "out_group": s.outputs * row, "left_line": line, "left_group": s.images * places * line,
        "right_group": s.images * volume * chunks,
    }  # fmt: skip
    left, right = _packed_images(s, g, s.outputs), _packed_images(s, x, s.inputs)
    parts = _launch("by_tap", s, left, right, None, None, [problem])
    out = empty((s.groups * s.outputs, s.inputs, *s.kernel), x)
    return _summed(parts, None, out, s.inputs, taps, row // taps)


def grad_input(s, g, weight, stride, padding, dilation):
    """The gradient by x (images, groups * inputs, *sizes)."""
    taps, places, volume = size(s.kernel), size(s.count), size(s.sizes)
    chunks, row = _chunks(s.outputs, g.dtype), s.inputs * taps
    left = _packed(weight, (s.groups, s.outputs * row), (s.inputs, taps), (s.outputs, row), taps)
    problems = [
        {
            "axes": axes, "chunks": chunks, "rows": s.inputs,
            "columns": s.images * size(axes["count"]), "depth": chunks * size(axes["taps"]),
            "out_row": volume, "out_image": s.groups * s.inputs * volume,
            "out_group": s.inputs * volume, "left_line": taps * chunks,
            "left_group": row * chunks, "right_group": s.images * places * chunks,
        }
        for axes in _residues(s, stride, padding, dilation)
    ]  # fmt: skip
    out = empty((s.images, s.groups * s.inputs, *s.sizes), g)
    return _by_place(s, left, _packed_images(s, g, s.outputs), None, out, problems)


def _residues(s, stride, padding, dilation):
    """The problem's axes for the places of x by their residues by the stride.

    Place `phase + j * stride` is element t of the window that begins at
    `(phase + j * stride + padding - t * dilation) / stride`, where that is whole.
    """
    choices = [
        [
            made
            for phase in range(min(step, n))
            for made in [_residue(phase, n, k, step, p, d, count)]
        ]
        for n, k, step, p, d, count in zip(
            s.sizes, s.kernel, stride, padding, dilation, s.count, strict=True
        )
    ]
    for chosen in product(*choices):
        yield {name: tuple(axis[name] for axis in chosen) for name in AXES}


def _residue(phase, n, k, stride, padding, dilation, count):
    """What `_residues` says of one axis."""
    near = [t for t in range(k) if (phase + padding - t * dilation) % stride == 0]
    apart = stride // gcd(stride, dilation)
    first = near[0] if near else 0
    return {
        "count": -(-(n - phase) // stride), "start": (phase + padding - first * dilation) // stride,
        "jump": 1, "phase": phase, "spread": stride, "full": n, "taps": len(near),
        "step": -(apart * dilation // stride), "near": first, "apart": apart, "kernel": k,
        "size": count,
    }  # fmt: skip


def shape_of(x_shape, weight_shape, count, groups):
    """The Shape of a convolution, from those of its operands."""
    outputs, inputs, *kernel = weight_shape
    return Shape(
        x_shape[0], groups, inputs, outputs // groups, tuple(x_shape[2:]), tuple(kernel),
        tuple(count),
    )  # fmt: skip
