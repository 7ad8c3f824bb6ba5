"""Resizing of signals (N, C, L), images (N, C, H, W) and volumes (N, C, D, H, W)."""

from math import floor

from tallow import dtypes
from tallow.errors import ArgumentError, NotSupportedError, describe
from tallow.nn.functional.common import floats, numbers
from tallow.nn.functional.pooling import adaptive_avg
from tallow.ops import taps
from tallow.ops.resample import resample
from tallow.promotion import to_dtype

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# How many spatial dims a mode is for (None: any), and what its kernel is called with antialias.
_MODES = {
    "nearest": None, "nearest-exact": None, "area": None, "linear": 1, "bilinear": 2,
    "trilinear": 3, "bicubic": 2, "lanczos": 2,
}  # fmt: skip
_SMOOTHED = {"bilinear": "linear", "bicubic": "cubic", "lanczos": "lanczos"}


def interpolate(
    input, size=None, scale_factor=None, mode="nearest", align_corners=None,
    recompute_scale_factor=None, antialias=False,
):  # fmt: skip
    """Resize the spatial dims to `size`, or by `scale_factor`, rounded down to whole elements.

    Modes: "nearest" (the element at or before), "nearest-exact" (the nearest one), "linear",
    "bilinear", "trilinear", "bicubic", "lanczos" (with antialias) and "area" (means of windows).
    `align_corners`: the centres of the corner elements stay, else the outer edges.
    `recompute_scale_factor`: the step follows from the sizes, rather than being 1 / scale_factor.
    `antialias`: the kernel widens when an image shrinks.

    >>> x = tallow.tensor([[[1.0, 2.0]]])
    >>> tallow.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    >>> tallow.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
    tensor([[[1.0000, 1.5000, 2.0000]]])
    """
    n = input.array.ndim - 2
    _check_mode(input, n, mode, align_corners, antialias)
    counts, steps = _counts(input, n, size, scale_factor, recompute_scale_factor, mode)
    if mode == "area":
        return adaptive_avg("interpolate", n, input, counts)
    dtype = input.dtype
    if not mode.startswith("nearest"):
        if dtype == dtypes.uint8 and n == 2 or dtype.itemsize == 2 and dtype.is_floating_point:
            input = to_dtype(input, dtypes.float32)
        floats("interpolate", input)
    tables = {}
    for axis, sizes in enumerate(zip(input.array.shape[2:], counts, steps, strict=True), 2):
        if sizes[0] != sizes[1]:
            tables[axis] = _table(mode, sizes, bool(align_corners), antialias)
    if dtype == dtypes.uint8:
        for axis in reversed(tables):
            input = resample(input, axes=(axis,), taps=(tables[axis].for_bytes,))
            input = (input + 0.5).floor().clamp(0, 255)  # bytes again before the next axis
    elif tables:
        input = resample(input, axes=tuple(tables), taps=tuple(tables.values()))
    return to_dtype(input, dtype)


def _table(mode, sizes, align_corners, antialias):
    """The weights of one axis; `sizes` are the old, the new, and the step or None."""
    if antialias:
        return taps.smoothed(*sizes, align_corners, _SMOOTHED[mode])
    if mode.startswith("nearest"):
        return taps.nearest(*sizes, mode == "nearest-exact")
    return (taps.cubic if mode == "bicubic" else taps.linear)(*sizes, align_corners)


def _check_mode(input, n, mode, align_corners, antialias):
    if mode not in _MODES:
        raise NotSupportedError(f"interpolate: expected one of {', '.join(_MODES)}, got {mode!r}")
    dims = _MODES[mode]
    if n not in (1, 2, 3) or dims not in (None, n):
        expected = "(N, C, L), (N, C, H, W) or (N, C, D, H, W)"
        if dims is not None:
            expected = f"{dims} spatial dims for mode {mode!r}"
        raise NotSupportedError(f"interpolate: expected {expected}, got {describe(input)}")
    if align_corners is not None and dims is None:
        raise ArgumentError(f"interpolate: expected no align_corners with mode {mode!r}")
    if antialias and mode not in _SMOOTHED:
        raise ArgumentError(
            f"interpolate: expected mode {', '.join(_SMOOTHED)} with antialias, got {mode!r}"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ArgumentError("interpolate: expected antialias and no align_corners with lanczos")


def _counts(input, n, size, scale_factor, recompute, mode):
    """The sizes of the result, and for each dim the step in elements (None: that of the sizes)."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            f"interpolate: expected either size or scale_factor, got {size} and {scale_factor}"
        )
    if size is not None:
        if recompute:
            raise ArgumentError("interpolate: expected scale_factor to recompute, got size")
        counts, steps = numbers("interpolate", size, n), (None,) * n
    else:
        factors = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor,) * n
        if len(factors) != n:
            raise ArgumentError(
                f"interpolate: expected {n} scale factors for {describe(input)}, got {scale_factor}"
            )
        sizes = input.array.shape[2:]
        counts = tuple(floor(m * factor) for m, factor in zip(sizes, factors, strict=True))
        steps = (None,) * n if recompute or mode == "area" else tuple(1 / f for f in factors)
    if min(counts) < 1 or 0 in input.array.shape[1:]:
        raise ArgumentError(
            f"interpolate: expected sizes of 1 or more, got {describe(input)} to {counts}"
        )
    return counts, steps


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate`, by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """`interpolate` with mode "nearest", by its older name."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input, size=None, scale_factor=None):
    """`interpolate` with mode "bilinear" and `align_corners`, by its older name."""
    return interpolate(input, size, scale_factor, "bilinear", True)
