"""Anchors: the boxes that detectors start from, the same at each place of a map."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError


def _grid(height, width, device):
    """The numbers (H * W, 2) of the column and the row of each place of a map."""
    y, x = tallow.meshgrid(
        tallow.arange(height, device=device), tallow.arange(width, device=device), indexing="ij"
    )
    return tallow.stack([x.reshape(-1), y.reshape(-1)], 1)


class AnchorGenerator(nn.Module):
    """Anchors of some sizes and shapes around each pixel of each map of a pyramid.

    `sizes` and `aspect_ratios` (height / width) have a tuple for each map. Called with an
    `ImageList` and the maps, it gives a list of the same anchors (A, 4) for each image. Ren et al.,
    "Faster R-CNN" (2015).

    >>> from tallowvision.models.detection.anchor_utils import AnchorGenerator
    >>> AnchorGenerator(((32,), (64,)), ((0.5, 1.0), (1.0,))).num_anchors_per_location()
    [2, 1]
    """

    def __init__(self, sizes=((128, 256, 512),), aspect_ratios=((0.5, 1.0, 2.0),)):
        super().__init__()
        if not isinstance(sizes[0], list | tuple):
            sizes = tuple((size,) for size in sizes)
        if not isinstance(aspect_ratios[0], list | tuple):
            aspect_ratios = (aspect_ratios,) * len(sizes)
        self.sizes = sizes
        self.aspect_ratios = aspect_ratios
        self.cell_anchors = [
            self.generate_anchors(*both) for both in zip(sizes, aspect_ratios, strict=False)
        ]

    def generate_anchors(self, scales, aspect_ratios, dtype=tallow.float32, device="cpu"):
        """Boxes (A, 4) around the origin, rounded to pixels."""
        scales = tallow.as_tensor(scales, dtype=dtype, device=device)
        heights = tallow.as_tensor(aspect_ratios, dtype=dtype, device=device).sqrt()
        width, height = ((x[:, None] * scales).reshape(-1) for x in (1 / heights, heights))
        return (tallow.stack([-width, -height, width, height], 1) / 2).round()

    def num_anchors_per_location(self):
        """How many anchors a pixel has, for each map."""
        return [
            len(sizes) * len(ratios)
            for sizes, ratios in zip(self.sizes, self.aspect_ratios, strict=False)
        ]

    def grid_anchors(self, grid_sizes, strides):
        """The anchors (A, 4) of each map, of (height, width) and (down, across) in pixels."""
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise ArgumentError(
                f"AnchorGenerator: expected {len(self.cell_anchors)} maps, as there are tuples of "
                f"sizes and of aspect ratios, got {len(grid_sizes)}"
            )
        anchors = []
        for size, (down, across), cell in zip(grid_sizes, strides, self.cell_anchors, strict=True):
            shifts = _grid(*size, cell.device) * tallow.tensor([across, down], device=cell.device)
            anchors.append((tallow.cat([shifts, shifts], 1)[:, None] + cell).reshape(-1, 4))
        return anchors

    def forward(self, image_list, feature_maps):
        sizes = [tuple(x.shape[-2:]) for x in feature_maps]
        height, width = image_list.tensors.shape[-2:]
        strides = [(height // rows, width // columns) for rows, columns in sizes]
        self.cell_anchors = [cell.to(feature_maps[0]) for cell in self.cell_anchors]
        anchors = tallow.cat(self.grid_anchors(sizes, strides))
        return [anchors] * len(image_list.image_sizes)


class DefaultBoxGenerator(nn.Module):
    """The anchors of SSD: two squares and boxes of some shapes around each pixel of each map.

    Their sides are parts of the image: `scales`, or equal steps from `min_ratio` to `max_ratio`;
    one of the squares is between its map's scale and the next. `aspect_ratios` has a list for each
    map: each number stands for a wide box and a high one. `steps` are the pixels of the image
    between pixels of the maps. `clip` cuts sides to those of the image. Called as
    `AnchorGenerator` is. Liu et al., "SSD" (2016), section 2.2.
    """

    def __init__(
        self, aspect_ratios, min_ratio=0.15, max_ratio=0.9, scales=None, steps=None, clip=True
    ):
        super().__init__()
        if steps is not None and len(aspect_ratios) != len(steps):
            raise ArgumentError(
                f"DefaultBoxGenerator: expected {len(aspect_ratios)} steps, one for each map, got "
                f"{len(steps)}"
            )
        self.aspect_ratios = aspect_ratios
        self.steps = steps
        self.clip = clip
        count = len(aspect_ratios)
        if scales is None and count > 1:
            step = (max_ratio - min_ratio) / (count - 1)
            scales = [min_ratio + step * k for k in range(count)] + [1.0]
        self.scales = [min_ratio, max_ratio] if scales is None else scales
        self._sides = [self._sides_of(k) for k in range(count)]

    def _sides_of(self, k):
        """The widths and heights (A, 2) of the boxes of a map."""
        scale, between = self.scales[k], math.sqrt(self.scales[k] * self.scales[k + 1])
        sides = [(scale, scale), (between, between)]
        for ratio in self.aspect_ratios[k]:
            longer, shorter = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(longer, shorter), (shorter, longer)]
        return tallow.tensor(sides)

    def num_anchors_per_location(self):
        """How many anchors a pixel has, for each map."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def forward(self, image_list, feature_maps):
        height, width = image_list.tensors.shape[-2:]
        like = feature_maps[0]
        scale = tallow.tensor([width, height], device=like.device)
        anchors = []
        for k, (x, sides) in enumerate(zip(feature_maps, self._sides, strict=True)):
            size = tuple(x.shape[-2:])
            places = size if self.steps is None else [side / self.steps[k] for side in (
                height, width)]  # fmt: skip
            centres = (_grid(*size, like.device) + 0.5) / tallow.tensor(
                [places[1], places[0]], device=like.device, dtype=tallow.float32
            )
            sides = (sides.clamp(0, 1) if self.clip else sides).to(like)
            centres = centres.to(like.dtype)[:, None]
            ends = [(centres - 0.5 * sides) * scale, (centres + 0.5 * sides) * scale]
            anchors.append(tallow.cat(ends, -1).reshape(-1, 4))
        return [tallow.cat(anchors)] * len(image_list.image_sizes)

    def extra_repr(self):
        names = ("aspect_ratios", "clip", "scales", "steps")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
