"""Sampling of images and volumes at the places that a grid holds."""

import warnings

from tallow.creation import linspace, ones
from tallow.errors import ArgumentError, NotSupportedError, ShapeError, describe
from tallow.joining import meshgrid, stack
from tallow.nn.functional.common import same_dtype
from tallow.ops import sample as ops

__all__ = ["affine_grid", "grid_sample"]

_MODES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}


def affine_grid(theta, size, align_corners=None):
    """The places at which an affine map samples: theta (N, 2, 3) -> (N, H, W, 2), holding (x, y).

    Or theta (N, 3, 4) -> (N, D, H, W, 3), holding (x, y, z). `size` is that of the result of
    `grid_sample`: (N, C, H, W) or (N, C, D, H, W). -1 and 1 are the image's outer edges or, with
    `align_corners`, the centres of its corner elements. Jaderberg et al., "Spatial transformer
    networks", 2015.
    """
    align_corners = _aligned("affine_grid", align_corners)
    sizes = tuple(size)[2:]
    n = len(sizes)
    if n not in (2, 3) or theta.array.shape != (size[0], n, n + 1):
        raise ShapeError(
            f"affine_grid: expected theta (N, 2, 3) for size (N, C, H, W) or (N, 3, 4) for "
            f"(N, C, D, H, W), got {describe(theta)} and {tuple(size)}"
        )
    axes = []
    for m in sizes:
        line = linspace(-1, 1, m, dtype=theta.dtype, device=theta.device)
        if m == 1:
            line = line * 0
        axes.append(line if align_corners else line * ((m - 1) / m))
    places = meshgrid(*axes, indexing="ij")
    one = ones(sizes, dtype=theta.dtype, device=theta.device)
    base = stack([*reversed(places), one], -1).reshape(1, -1, n + 1)
    return (base @ theta.transpose(1, 2)).reshape(size[0], *sizes, n)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The values of an image at any places: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W').

    Or (N, C, D, H, W), (N, D', H', W', 3) -> (N, C, D', H', W'). The grid holds (x, y[, z]), -1
    and 1 as in `affine_grid`. `mode` is "bilinear", "nearest" or "bicubic" (images only); outside
    the image are zeros, its border, or its reflection.

    >>> image = tallow.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> centre = tallow.zeros(1, 1, 1, 2)
    >>> tallow.nn.functional.grid_sample(image, centre, align_corners=True)
    tensor([[[[2.5000]]]])
    """
    align_corners = _aligned("grid_sample", align_corners)
    _check(input, grid, mode, padding_mode)
    return ops.grid_sample(
        input, grid, mode=_MODES[mode], padding=padding_mode, align_corners=align_corners
    )


def _aligned(name, align_corners):
    if align_corners is None:
        warnings.warn(
            f"{name}: align_corners is False unless told, since PyTorch 1.3; say which is meant",
            stacklevel=3,
        )
    return bool(align_corners)


def _check(input, grid, mode, padding_mode):
    n = input.array.ndim - 2
    if mode not in _MODES:
        raise ArgumentError(
            f"grid_sample: expected mode 'bilinear', 'nearest' or 'bicubic', got {mode!r}"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ArgumentError(
            "grid_sample: expected padding_mode 'zeros', 'border' or 'reflection', got "
            f"{padding_mode!r}"
        )
    shape = grid.array.shape
    if n not in (2, 3) or len(shape) != n + 2 or shape[-1] != n or len(input.array) != len(grid):
        raise ShapeError(
            "grid_sample: expected input (N, C, H, W) and grid (N, H', W', 2), or (N, C, D, H, W) "
            f"and (N, D', H', W', 3), got {describe(input)} and {describe(grid)}"
        )
    if mode == "bicubic" and n != 2:
        raise NotSupportedError(
            f"grid_sample: expected an image (N, C, H, W) with bicubic, got {describe(input)}"
        )
    same_dtype("grid_sample", input, grid)
