"""Regions of interest: parts of feature maps (N, C, H, W), in any number, made (C, *size) each.

A cell of the result is a weighted mean of pixels, and the weights are a product of those of rows
and those of columns. So a region is a window of the map between two matrices, and so is its
gradient: `between` and `between_back`, each the other's adjoint.
"""

from dataclasses import dataclass

import numpy as np

import tallow
from tallow.autograd.op import op
from tallow.errors import ShapeError, TypeMismatchError, describe
from tallow.nn import Module


@dataclass
class _Windows:
    """K windows: which image each is of, and its weights of rows and of columns.

    `rows` and `columns` are (K, size, longest window), of pixels from `top` and `left` on; `height`
    and `width` say how many of them count. With `own`, a map (N, C, *size, H, W) has planes of its
    own for each cell.
    """

    image: list
    rows: np.ndarray
    top: list
    height: list
    columns: np.ndarray
    left: list
    width: list
    own: bool

    def parts(self, xp, dtype):
        """The key of each window, its weights of rows and of columns."""
        rows, columns = xp.asarray(self.rows, dtype), xp.asarray(self.columns, dtype)
        for k, image in enumerate(self.image):
            top, left, height, width = self.top[k], self.left[k], self.height[k], self.width[k]
            key = image, ..., slice(top, top + height), slice(left, left + width)
            by_rows, by_columns = rows[k, :, :height], columns[k, :, :width].T
            if self.own:
                yield key, by_rows[:, None, None], by_columns.T[..., None]
            else:
                yield key, by_rows, by_columns


@op
def between(xp, x, *, windows):
    """The windows of x between their matrices: (K, C, *size)."""
    parts = [rows @ (x[key] @ columns) for key, rows, columns in windows.parts(xp, x.dtype)]
    out = xp.stack(parts) if parts else xp.zeros((0, *_region_shape(x.shape, windows)), x.dtype)
    return out[..., 0, 0] if windows.own else out


def _region_shape(shape, windows):
    size = (windows.rows.shape[1], windows.columns.shape[1])
    return (shape[1], *size, 1, 1) if windows.own else (shape[1], *size)


@op
def between_back(xp, g, *, windows, shape):
    """Zeros of `shape` with each window's share of g added."""
    out = xp.zeros(shape, g.dtype)
    for k, (key, rows, columns) in enumerate(windows.parts(xp, g.dtype)):
        part = g[k][..., None, None] if windows.own else g[k]
        out[key] += xp.swapaxes(rows, -1, -2) @ part @ xp.swapaxes(columns, -1, -2)
    return out


between.vjp(lambda g, windows, shapes: between_back(g, windows=windows, shape=shapes[0]))
between_back.vjp(lambda g, windows: between(g, windows=windows))


# Arguments


def _regions(name, input, boxes, output_size):
    """The regions as an array (K, 5) on the host, image number and box; and (height, width)."""
    if input.ndim != 4:
        raise ShapeError(f"{name}: expected input (N, C, H, W), got {describe(input)}")
    if isinstance(boxes, list | tuple):
        for box in boxes:
            if box.ndim != 2 or box.shape[1] != 4:
                raise ShapeError(
                    f"{name}: expected boxes (L, 4) for each image, got {describe(box)}"
                )
        boxes = regions_of(boxes)
    elif not isinstance(boxes, tallow.Tensor):
        raise TypeMismatchError(
            f"{name}: expected boxes (K, 5) or a list of (L, 4), got {type(boxes).__name__}"
        )
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ShapeError(f"{name}: expected boxes (K, 5), got {describe(boxes)}")
    found = boxes.detach().cpu().double().numpy()
    if len(found) and not (0 <= found[:, 0].min() and found[:, 0].max() < len(input)):
        raise ShapeError(
            f"{name}: expected image numbers below {len(input)} in the first column of boxes, got "
            f"{found[:, 0].min():g} to {found[:, 0].max():g}"
        )
    if found.size and boxes.dtype is not tallow.float64:
        found = found.astype(np.float32)  # rounded as PyTorch's family does
    size = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
    return found, size


def regions_of(boxes):
    """A list of boxes (L, 4), one for each image, as (K, 5): image number and box."""
    numbers = [tallow.full_like(box[:, :1], i) for i, box in enumerate(boxes)]
    return tallow.cat([tallow.cat(numbers), tallow.cat(list(boxes))], 1)


def _own_planes(name, input, size):
    """The input as (N, C, *size, H, W), if it has channels for each cell."""
    n, channels, height, width = input.shape
    if channels % (size[0] * size[1]):
        raise ShapeError(
            f"{name}: expected a multiple of {size[0] * size[1]} channels, got {channels}"
        )
    return input.reshape(n, channels // (size[0] * size[1]), *size, height, width)


def _windows(regions, by_rows, by_columns, own=False):
    (rows, top, height), (columns, left, width) = by_rows, by_columns
    image = regions[:, 0].astype(int).tolist()
    return _Windows(image, rows, top, height, columns, left, width, own)


def _weights(k, cell, pixel, weight, shape, length):
    """The matrices (K, size, longest window) that hold each `weight` at (k, cell, pixel).

    And the first pixel of each window, and how many it has. A weight of 0 stands for nothing.
    """
    count, size = shape
    found = weight != 0
    k, cell, pixel, weight = (np.broadcast_to(x, weight.shape)[found] for x in (
        k, cell, pixel, weight))  # fmt: skip
    first, last = np.full(count, length), np.full(count, -1)
    np.minimum.at(first, k, pixel)
    np.maximum.at(last, k, pixel)
    lengths = np.maximum(last - first + 1, 0)
    longest = int(lengths.max(initial=0))
    place = (k * size + cell) * longest + pixel - first[k]
    flat = np.bincount(place, weight, minlength=count * size * longest)
    return flat.reshape(count, size, longest), first.tolist(), lengths.tolist()


# Means of samples


def _sampled(start, extent, size, length, sampling_ratio):
    """The weights of means of points, between pixels, of `size` cells that divide an extent (K)."""
    count = np.full(len(start), sampling_ratio)
    if sampling_ratio <= 0:
        count = np.ceil(extent / size).astype(int)
    step = np.maximum(count, 1)[:, None, None]
    cell, point = np.arange(size)[:, None], np.arange(max(count.max(initial=0), 0))
    step_size = (extent / size)[:, None, None]
    place = start[:, None, None] + cell * step_size
    place = place + (point.astype(start.dtype) + start.dtype.type(0.5)) * (
        step_size / step.astype(start.dtype)
    )
    valid = (point < count[:, None, None]) & (place >= -1) & (place <= length)
    place = place.clip(0, length - 1)
    low = place.astype(int)
    part = place - low
    k = np.arange(len(start))[:, None, None]
    share = valid / step
    weights = np.stack([share * (1 - part), share * part])
    pixels = np.stack([low, np.minimum(low + 1, length - 1)])
    return _weights(k, cell, pixels, weights, (len(start), size), length)


def _aligned(regions, size, shape, spatial_scale, sampling_ratio, offset, least, own=False):
    scaled = regions[:, 1:] * regions.dtype.type(spatial_scale) - regions.dtype.type(offset)
    extent = np.maximum(scaled[:, 2:] - scaled[:, :2], least)
    rows, columns = (
        _sampled(scaled[:, axis], extent[:, axis], size[1 - axis], shape[3 - axis], sampling_ratio)
        for axis in (1, 0)
    )
    return _windows(regions, rows, columns, own)


def roi_align(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False):
    """The parts of feature maps (N, C, H, W) in boxes, (K, C, *output_size): means of samples.

    `boxes` are (K, 5), image number, left, top, right, bottom; or a list of (L, 4), one for each
    image. `spatial_scale` takes them to pixels of the map. Each cell of a box has `sampling_ratio`
    squared points, by default as many as it has pixels. `aligned` counts pixels by their middle.
    He et al., "Mask R-CNN" (2017).

    >>> import tallow
    >>> from tallowvision import ops
    >>> ramp = tallow.arange(16.0).reshape(1, 1, 4, 4)
    >>> ops.roi_align(ramp, [tallow.tensor([[0.0, 0, 2, 2]])], 1, aligned=True)
    tensor([[[[2.5000]]]])
    """
    regions, size = _regions("roi_align", input, boxes, output_size)
    offset, least = (0.5, -np.inf) if aligned else (0.0, 1.0)
    windows = _aligned(regions, size, input.shape, spatial_scale, sampling_ratio, offset, least)
    return between(input, windows=windows)


def ps_roi_align(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1):
    """`roi_align` from channels of its own for each cell: (K, C // cells, *output_size).

    Li et al., "Light-head R-CNN" (2017).
    """
    regions, size = _regions("ps_roi_align", input, boxes, output_size)
    planes = _own_planes("ps_roi_align", input, size)
    windows = _aligned(
        regions, size, input.shape, spatial_scale, sampling_ratio, 0.5, -np.inf, own=True
    )
    return between(planes, windows=windows)


# Whole pixels


def _rounded(x):
    """To the nearest integer, halves away from 0."""
    return np.trunc(x + np.copysign(x.dtype.type(0.5), x)).astype(int)


def _bins(start, extent, size, length):
    """The first pixel of each of `size` cells, and the one after the last: (K, size) both."""
    step = extent[:, None].astype(np.float32) / np.float32(size)
    cell = np.arange(size, dtype=np.float32)
    first = np.floor(cell * step).astype(int) + start[:, None]
    last = np.ceil((cell + 1) * step).astype(int) + start[:, None]
    return first.clip(0, length), last.clip(0, length)


def _bin_means(start, extent, size, length):
    # as in PyTorch's family, the last pixel of a row or column is of no cell
    first, last = _bins(start, extent, size, length - 1)
    count = last - first
    pixel = np.arange(length)
    inside = (pixel >= first[..., None]) & (pixel < last[..., None])
    k, cell = np.arange(len(first))[:, None, None], np.arange(first.shape[1])[:, None]
    weights = inside / np.maximum(count, 1)[..., None]
    return _weights(k, cell, pixel, weights, first.shape, length)


def ps_roi_pool(input, boxes, output_size, spatial_scale=1.0):
    """Means of whole pixels, from channels of its own for each cell: (K, C // cells, *output_size).

    The arguments are those of `roi_align`. Dai et al., "R-FCN" (2016).
    """
    regions, size = _regions("ps_roi_pool", input, boxes, output_size)
    planes = _own_planes("ps_roi_pool", input, size)
    scaled = _rounded(regions[:, 1:] * regions.dtype.type(spatial_scale))
    extent = np.maximum(scaled[:, 2:] - scaled[:, :2], 1)
    rows, columns = (
        _bin_means(scaled[:, axis], extent[:, axis], size[1 - axis], input.shape[3 - axis])
        for axis in (1, 0)
    )
    return between(planes, windows=_windows(regions, rows, columns, own=True))


def roi_pool(input, boxes, output_size, spatial_scale=1.0):
    """The largest of the whole pixels in each cell of boxes: (K, C, *output_size).

    The arguments are those of `roi_align`; cells without a pixel give 0. Girshick, "Fast R-CNN"
    (2015).
    """
    regions, size = _regions("roi_pool", input, boxes, output_size)
    n, channels, height, width = input.shape
    scaled = _rounded(regions[:, 1:] * regions.dtype.type(spatial_scale))
    extent = np.maximum(scaled[:, 2:] - scaled[:, :2] + 1, 1)
    rows = _bins(scaled[:, 1], extent[:, 1], size[0], height)
    columns = _bins(scaled[:, 0], extent[:, 0], size[1], width)
    index = _largest(input.detach().cpu().numpy(), regions[:, 0].astype(int), rows, columns)
    image = tallow.from_numpy(regions[:, 0].astype(np.int64)).to(input.device)
    index = tallow.from_numpy(index).to(input.device)
    channel = tallow.arange(channels, device=input.device)[:, None, None]
    found = input.flatten(2)[image[:, None, None, None], channel, index.clamp(min=0)]
    return tallow.where(index < 0, 0.0, found).to(input.dtype)


def _largest(maps, images, rows, columns):
    """Where in a flattened map the largest pixel of each cell is, (K, C, *size); -1 for none."""
    shape = (len(images), maps.shape[1], rows[0].shape[1], columns[0].shape[1])
    index = np.full(shape, -1)
    for k, i, j in np.ndindex(shape[0], *shape[2:]):
        top, bottom, left, right = (x[k, n] for x, n in (
            (rows[0], i), (rows[1], i), (columns[0], j), (columns[1], j)))  # fmt: skip
        if bottom > top and right > left:
            cell = maps[images[k], :, top:bottom, left:right].reshape(shape[1], -1)
            y, x = np.divmod(cell.argmax(1), right - left)
            index[k, :, i, j] = (top + y) * maps.shape[3] + left + x
    return index


# Modules


class _Pooling(Module):
    """A function of regions with its arguments."""

    arguments: tuple[str, ...]

    def extra_repr(self):
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.arguments)

    def forward(self, input, rois):
        arguments = [getattr(self, name) for name in self.arguments]
        return type(self).function(input, rois, *arguments)


class RoIPool(_Pooling):
    """`roi_pool` as a module."""

    function, arguments = staticmethod(roi_pool), ("output_size", "spatial_scale")

    def __init__(self, output_size, spatial_scale):
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale


class PSRoIPool(RoIPool):
    """`ps_roi_pool` as a module."""

    function = staticmethod(ps_roi_pool)


class PSRoIAlign(_Pooling):
    """`ps_roi_align` as a module."""

    function = staticmethod(ps_roi_align)
    arguments: tuple[str, ...] = ("output_size", "spatial_scale", "sampling_ratio")

    def __init__(self, output_size, spatial_scale, sampling_ratio):
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio


class RoIAlign(PSRoIAlign):
    """`roi_align` as a module."""

    function = staticmethod(roi_align)
    arguments = (*PSRoIAlign.arguments, "aligned")

    def __init__(self, output_size, spatial_scale, sampling_ratio, aligned=False):
        super().__init__(output_size, spatial_scale, sampling_ratio)
        self.aligned = aligned
