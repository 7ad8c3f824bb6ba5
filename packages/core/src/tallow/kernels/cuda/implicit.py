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

from tallow.kernels.cuda.launch import Source, empty, in_order, size, wide

tiles = Source("tiles.cuh", "implicit.cu")
COLUMNS, THREADS = 128, 256  # of a block
ENOUGH, LEAST, MOST = 256, 256, 256  # blocks; terms of a part; parts
PLACES = ("count", "start", "jump", "phase", "spread", "full")
TAPS = ("taps", "step", "near", "apart", "kernel")
NUMBERS = (
    "rows", "columns", "depth", "image", "other_image", "other_tap", "left_row", "out_row",
    "left_group", "right_group", "out_group", "splits", "total",
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


def _problem(axes, **numbers):
    """The struct, from tuples by name, an int for each axis, and from numbers."""
    missing = 3 - len(axes["size"])
    made = np.zeros((), PROBLEM)
    made["axes"] = [n for name in AXES for n in (*(ABSENT[name],) * missing, *axes[name])]
    made["numbers"] = [numbers[name] for name in NUMBERS]
    return made


def _rounds(dtype):
    """True if factors may be rounded to what tensor cores take."""
    return dtype == np.float32 and import_module("tallow.backends.cudnn").allow_tf32


def _splits(blocks, depth):
    """How many parts a sum of `depth` terms is made in."""
    return max(1, min(-(-ENOUGH // max(blocks, 1)), depth // LEAST, MOST))


def _launch(kind, shape, left, right, bias, out, problems):
    """Launch the kernels of one result."""
    rows = 64 if problems[0]["rows"] > 32 else 32
    kernel = f"{'rounding_' if _rounds(out.dtype) else ''}{kind}_{rows}"
    grids, splits = [], 1
    for problem in problems:
        tall, broad = -(-problem["rows"] // rows), -(-problem["columns"] // COLUMNS)
        grids.append((broad, tall))
        splits = max(splits, _splits(broad * tall * shape.groups, problem["depth"]))
    parts = empty((splits, *out.shape), out, wide(out.dtype)) if splits > 1 else None
    for problem, grid in zip(problems, grids, strict=True):
        made = _problem(problem["axes"], splits=splits, total=out.size, **{
            name: n for name, n in problem.items() if name != "axes"
        })  # fmt: skip
        blocks = (*grid, shape.groups * splits)
        tiles(kernel, out, blocks, THREADS, left, right, bias, out, parts, made)
    if parts is not None:
        channels, places = out.shape[1], size(out.shape[2:])
        tiles.each("sum_parts", out, out.size, parts, bias, out, splits, channels, places)
    return out


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
    places = max(size(s.sizes), size(s.count)) * max(s.images, 2)
    taps = max(s.inputs, s.outputs) * size(s.kernel)
    grid = s.groups <= 2**15 and max(s.inputs, s.outputs) <= 2**20  # in z, and in y by rows
    return min(s.count) > 0 and max(places, taps) < 2**31 and grid


def forward(s, x, weight, bias, stride, padding, dilation):
    """out (images, groups * outputs, *count), with a bias (groups * outputs,) or None."""
    depth, places, volume = s.inputs * size(s.kernel), size(s.count), size(s.sizes)
    problem = {
        "axes": _windows(s, stride, padding, dilation), "rows": s.outputs,
        "columns": s.images * places, "depth": depth, "image": s.groups * s.inputs * volume,
        "other_image": s.groups * s.outputs * places, "other_tap": size(s.kernel),
        "left_row": depth, "out_row": places, "left_group": s.outputs * depth,
        "right_group": s.inputs * volume, "out_group": s.outputs * places,
    }  # fmt: skip
    out = empty((s.images, s.groups * s.outputs, *s.count), x)
    return _launch("by_place", s, *map(in_order, (weight, x, bias)), out, [problem])


def grad_weight(s, g, x, stride, padding, dilation):
    """The gradient by the weight (groups * outputs, inputs, *kernel)."""
    depth, places, volume = s.inputs * size(s.kernel), size(s.count), size(s.sizes)
    problem = {
        "axes": _windows(s, stride, padding, dilation), "rows": s.outputs, "columns": depth,
        "depth": s.images * places, "image": s.groups * s.inputs * volume,
        "other_image": s.groups * s.outputs * places, "other_tap": size(s.kernel),
        "left_row": places, "out_row": depth, "left_group": s.outputs * places,
        "right_group": s.inputs * volume, "out_group": s.outputs * depth,
    }  # fmt: skip
    out = empty((s.groups * s.outputs, s.inputs, *s.kernel), x)
    return _launch("by_tap", s, in_order(g), in_order(x), None, out, [problem])


def grad_input(s, g, weight, stride, padding, dilation):
    """The gradient by x (images, groups * inputs, *sizes)."""
    taps, places, volume = size(s.kernel), size(s.count), size(s.sizes)
    problems = []
    for axes in _residues(s, stride, padding, dilation):
        problems.append({
            "axes": axes, "rows": s.inputs, "columns": s.images * size(axes["count"]),
            "depth": s.outputs * size(axes["taps"]), "image": s.groups * s.outputs * places,
            "other_image": s.groups * s.inputs * volume, "other_tap": s.inputs * taps,
            "left_row": taps, "out_row": volume, "left_group": s.outputs * s.inputs * taps,
            "right_group": s.outputs * places, "out_group": s.inputs * volume,
        })  # fmt: skip
    out = empty((s.images, s.groups * s.inputs, *s.sizes), g)
    return _launch("by_place", s, in_order(weight), in_order(g), None, out, problems)


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
