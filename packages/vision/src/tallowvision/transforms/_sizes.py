"""Transforms that resize pictures to a random size."""

import tallow
from tallowvision.transforms import functional as F
from tallowvision.transforms._sample import query_size
from tallowvision.transforms._transform import Transform


class _RandomSize(Transform):
    def __init__(self, interpolation, antialias):
        super().__init__()
        self.interpolation = interpolation
        self.antialias = antialias

    def transform(self, inpt, params):
        return self._call_kernel(
            F.resize, inpt, **params, interpolation=self.interpolation, antialias=self.antialias
        )


class ScaleJitter(_RandomSize):
    """The picture resized to fit in `target_size`, times a factor uniform in `scale_range`.

    The shape stays; `interpolation` and `antialias` are those of `functional.resize`.
    """

    def __init__(
        self, target_size, scale_range=(0.1, 2.0), interpolation="bilinear", antialias=True
    ):  # fmt: skip
        super().__init__(interpolation, antialias)
        self.target_size = target_size
        self.scale_range = scale_range

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "ScaleJitter")
        low, high = self.scale_range
        scale = low + tallow.rand(1) * (high - low)
        factor = min(self.target_size[1] / height, self.target_size[0] / width) * scale
        return {"size": (int(height * factor), int(width * factor))}


class RandomShortestSize(_RandomSize):
    """The picture with its shorter side one of `min_size`, and none longer than `max_size`."""

    def __init__(self, min_size, max_size=None, interpolation="bilinear", antialias=True):
        super().__init__(interpolation, antialias)
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomShortestSize")
        side = self.min_size[tallow.randint(len(self.min_size), ()).item()]
        factor = side / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        return {"size": (int(height * factor), int(width * factor))}


class RandomResize(_RandomSize):
    """The picture with its shorter side from `min_size` to below `max_size`."""

    def __init__(self, min_size, max_size, interpolation="bilinear", antialias=True):
        super().__init__(interpolation, antialias)
        self.min_size = min_size
        self.max_size = max_size

    def make_params(self, flat_inputs):
        return {"size": [tallow.randint(self.min_size, self.max_size, ()).item()]}
