"""Resampling of images, and reading them at places, as the compiled kernels do them."""

from tallow.kernels.cpu import compiled
from tallow.ops import resample, sample

MANY = 32  # taps a result; beyond, a matrix product

MODES = {"nearest": 0, "linear": 1, "cubic": 2}
PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}


def _takes(table, size):
    return table.size == size and 0 < table.index.size <= MANY * len(table.index)


@resample.resample.on("cpu")
def _(x, *, axes, taps):
    if x.ndim < 2 or not all(map(_takes, taps, [x.shape[axis] for axis in axes])):
        return NotImplemented
    axes, taps, last = list(axes), [table.packed for table in taps], x.ndim - 1
    while axes and x is not NotImplemented:
        axis, table = axes.pop(), taps.pop()
        if axis < last:
            x = compiled.resample(x, axis, table, None)
            continue
        rows = None
        if axes and axes[-1] == last - 1:
            axes.pop()
            rows = taps.pop()
        x = compiled.resample(x, last - 1, rows, table)
    return x


def _how(mode, padding, align_corners):
    return MODES[mode], PADDINGS[padding], align_corners


@sample.grid_sample.on("cpu")
def _(x, grid, *, mode, padding, align_corners):
    return compiled.grid_sample(x, grid, *_how(mode, padding, align_corners))


@sample.grid_sample.op.grad_on
def _(g, x, grid, needs, mode, padding, align_corners):
    return compiled.grid_sample_grad(g, x, grid, *needs, *_how(mode, padding, align_corners))
