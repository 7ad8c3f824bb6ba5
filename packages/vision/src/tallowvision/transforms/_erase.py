"""Transforms that cover parts of pictures, or spoil them."""

import math

import tallow
from tallow.errors import ArgumentError
from tallowvision.transforms import functional as F
from tallowvision.transforms._color import channels_of
from tallowvision.transforms._sample import query_size
from tallowvision.transforms._transform import RandomTransform, Transform, draw


class RandomErasing(RandomTransform):
    """A random rectangle of the picture covered, with probability `p` (Zhong et al., 2017).

    Its area is uniform in `scale` times the picture's; its ratio of height to width is in `ratio`,
    its logarithm uniform. It shows `value`: a number, one for each channel, or "random" normal
    numbers. Targets stay as they are.
    """

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0.0, inplace=False):
        super().__init__(p)
        if not 0 <= scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ArgumentError(
                "RandomErasing: expected scale (min, max) from 0 to 1 and ratio (min, max), got "
                f"{scale} and {ratio}"
            )
        if isinstance(value, str) and value != "random":
            raise ArgumentError(f"RandomErasing: expected value 'random' or numbers, got {value!r}")
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomErasing")
        channels = channels_of("RandomErasing", flat_inputs)
        value = [self.value] if isinstance(self.value, int | float) else self.value
        if value != "random" and len(value) not in (1, channels):
            raise ArgumentError(f"RandomErasing: expected {channels} values, got {self.value}")
        bounds = tallow.tensor(self.ratio, dtype=tallow.float32).log().tolist()
        for _ in range(10):
            area = height * width * draw(*self.scale)
            ratio = tallow.empty(1).uniform_(*bounds).exp().item()
            h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if h >= height or w >= width:
                continue
            if value == "random":
                cover = tallow.empty(channels, h, w).normal_()
            else:
                cover = tallow.tensor([float(x) for x in value])[:, None, None]
            i = tallow.randint(height - h + 1, (1,)).item()
            j = tallow.randint(width - w + 1, (1,)).item()
            return {"i": i, "j": j, "h": h, "w": w, "v": cover}
        return {}

    def transform(self, inpt, params):
        return self._call_kernel(F.erase, inpt, **params, inplace=self.inplace) if params else inpt


class JPEG(Transform):
    """The picture, of bytes, as JPEG of a `quality` from 1 to 100, or (min, max), leaves it."""

    def __init__(self, quality):
        super().__init__()
        low, high = (quality, quality) if isinstance(quality, int) else quality
        if not 1 <= low <= high <= 100:
            raise ArgumentError(f"JPEG: expected a quality from 1 to 100, got {quality}")
        self.quality = (low, high)

    def make_params(self, flat_inputs):
        return {"quality": tallow.randint(self.quality[0], self.quality[1] + 1, ()).item()}

    def transform(self, inpt, params):
        return self._call_kernel(F.jpeg, inpt, **params)
