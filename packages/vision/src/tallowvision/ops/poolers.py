"""Regions of interest from a pyramid of maps."""

import math

import tallow
from tallow.errors import ArgumentError
from tallow.nn import Module
from tallowvision.ops.boxes import box_area
from tallowvision.ops.roi import regions_of, roi_align


class MultiScaleRoIAlign(Module):
    """`roi_align` from that of several maps which suits the size of a box: (K, C, *output_size).

    Called with a dict of maps, a list of boxes (L, 4) for each image, and the list of (height,
    width) of the images. `featmap_names` are the maps to use, finest first. A box of
    `canonical_scale` pixels squared uses the level `canonical_level`: the map with
    2**canonical_level times fewer pixels a side than the image (equation 1 of Lin et al., "Feature
    pyramid networks", 2017).
    """

    def __init__(
        self, featmap_names, output_size, sampling_ratio, *, canonical_scale=224, canonical_level=4
    ):  # fmt: skip
        super().__init__()
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size = (
            (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        )
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def forward(self, x, boxes, image_shapes):
        maps = [x[name] for name in x if name in self.featmap_names]
        if not image_shapes or not maps:
            raise ArgumentError(
                f"MultiScaleRoIAlign: expected images and maps {self.featmap_names}, got "
                f"{len(image_shapes)} images and maps {list(x)}"
            )
        height = max(shape[0] for shape in image_shapes)
        steps = [round(math.log2(height / one.shape[-2])) for one in maps]  # halvings
        regions = regions_of(boxes)
        if len(maps) == 1:
            return self._aligned(maps[0], regions, steps[0])
        level = self._levels(regions[:, 1:], steps[0], steps[-1])
        out = maps[0].new_zeros(len(regions), maps[0].shape[1], *self.output_size)
        for i, (one, step) in enumerate(zip(maps, steps, strict=True)):
            chosen = tallow.where(level == i)[0]
            part = self._aligned(one, regions[chosen], step)
            out = out.index_copy(0, chosen, part.to(out.dtype))
        return out

    def _aligned(self, one, regions, step):
        return roi_align(one, regions, self.output_size, 2.0**-step, self.sampling_ratio)

    def _levels(self, boxes, first, last):
        """The number of the map for each box."""
        octave = (box_area(boxes).sqrt() / self.canonical_scale).log2()
        level = (self.canonical_level + octave + 1e-6).floor().clamp(first, last)
        return level.long() - first

    def extra_repr(self):
        names = ("featmap_names", "output_size", "sampling_ratio")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
