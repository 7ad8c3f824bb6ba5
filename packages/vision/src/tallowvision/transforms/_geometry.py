"""Transforms that move pixels: flips, crops, padding and resizing."""

import math

import PIL.Image

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowvision import tv_tensors
from tallowvision.transforms import functional as F
from tallowvision.transforms._sample import has_any, query_size
from tallowvision.transforms._transform import RandomTransform, Transform, draw
from tallowvision.transforms.functional._geometry import check_padding_mode, padding_sides
from tallowvision.transforms.functional._meta import size_pair


def fill_for(fill, kind):
    """The fill for a type of picture: one for all, or a dict from types (and "others")."""
    if not isinstance(fill, dict):
        return fill
    return fill.get(kind, fill.get("others", 0))


class RandomHorizontalFlip(RandomTransform):
    """The picture mirrored, left and right exchanged, with probability `p`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomTransform):
    """The picture mirrored, upside down, with probability `p`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.vertical_flip, inpt)


class Resize(Transform):
    """The picture with other pixels; the arguments are those of `functional.resize`.

    >>> import tallow
    >>> from tallowvision import transforms
    >>> transforms.Resize((8, 6))(tallow.zeros(3, 20, 30)).shape
    tallow.Size([3, 8, 6])
    """

    def __init__(self, size, interpolation="bilinear", max_size=None, antialias=True):
        super().__init__()
        if size is None and not isinstance(max_size, int):
            raise ArgumentError(f"Resize: expected max_size where size is None, got {max_size!r}")
        if size is not None and not isinstance(size, int) and len(size) not in (1, 2):
            raise ArgumentError(f"Resize: expected an int, or (height, width), got {size!r}")
        self.size = size if size is None else [size] if isinstance(size, int) else list(size)
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt, params):
        return self._call_kernel(
            F.resize, inpt, self.size, interpolation=self.interpolation, max_size=self.max_size,
            antialias=self.antialias,
        )  # fmt: skip


class Pad(Transform):
    """The picture with borders; the arguments are those of `functional.pad`.

    `fill` may be a dict from types of pictures (and "others") to fills.
    """

    def __init__(self, padding, fill=0, padding_mode="constant"):
        super().__init__()
        padding_sides(padding)
        check_padding_mode(padding_mode)
        self.padding = padding if isinstance(padding, int) else list(padding)
        self.fill = fill
        self.padding_mode = padding_mode

    def transform(self, inpt, params):
        fill = fill_for(self.fill, type(inpt))
        return self._call_kernel(
            F.pad, inpt, padding=self.padding, fill=fill, padding_mode=self.padding_mode
        )


class _Crop(Transform):
    """The base of crops: `size` is (height, width), or an int for a square."""

    def __init__(self, size):
        super().__init__()
        self.size = size_pair(type(self).__name__, size)


class CenterCrop(_Crop):
    """The middle of the picture; black around it where it is smaller than `size`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class FiveCrop(_Crop):
    """The four corners and the middle of the picture, a tuple of five crops of `size`."""

    def check_inputs(self, flat_inputs):
        if has_any(flat_inputs, tv_tensors.BoundingBoxes, tv_tensors.Mask):
            raise TypeMismatchError(
                f"{type(self).__name__}: expected pictures only, got a sample with boxes or masks"
            )

    def transform(self, inpt, params):
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(FiveCrop):
    """`FiveCrop` of the picture and of its mirror image: a tuple of ten crops."""

    def __init__(self, size, vertical_flip=False):
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def transform(self, inpt, params):
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


class RandomCrop(_Crop):
    """A part of the picture, `size` (height, width) or a square, anywhere in it.

    The picture is first padded by `padding`, and by `pad_if_needed` as far as it is smaller than
    `size`; `fill` and `padding_mode` are those of `functional.pad`.
    """

    def __init__(
        self, size, padding=None, pad_if_needed=False, fill=0, padding_mode="constant"
    ):  # fmt: skip
        super().__init__(size)
        check_padding_mode(padding_mode)
        self.padding = padding_sides(padding) if padding else None
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomCrop")
        left, top, right, bottom = self.padding or (0, 0, 0, 0)
        crop_height, crop_width = self.size
        if self.pad_if_needed:
            more_y = max(crop_height - height - top - bottom, 0)
            more_x = max(crop_width - width - left - right, 0)
            left, top, right, bottom = left + more_x, top + more_y, right + more_x, bottom + more_y
        room_y = height + top + bottom - crop_height
        room_x = width + left + right - crop_width
        if room_y < 0 or room_x < 0:
            raise ArgumentError(
                f"RandomCrop: expected a size within the padded picture's "
                f"{[crop_height + room_y, crop_width + room_x]}, got {self.size}"
            )
        # nothing is drawn where there is no choice
        y = tallow.randint(room_y + 1, ()).item() if room_y else 0
        x = tallow.randint(room_x + 1, ()).item() if room_x else 0
        crop = {"top": y, "left": x, "height": crop_height, "width": crop_width}
        return {"padding": [left, top, right, bottom], "crop": crop if room_y or room_x else None}

    def transform(self, inpt, params):
        if params["crop"] and self._is_black_beyond(inpt):
            left, top, _, _ = params["padding"]
            crop = params["crop"]
            crop = {**crop, "top": crop["top"] - top, "left": crop["left"] - left}
            return self._call_kernel(F.crop, inpt, **crop)
        if any(params["padding"]):
            inpt = self._call_kernel(
                F.pad, inpt, padding=params["padding"], fill=fill_for(self.fill, type(inpt)),
                padding_mode=self.padding_mode,
            )  # fmt: skip
        return self._call_kernel(F.crop, inpt, **params["crop"]) if params["crop"] else inpt

    def _is_black_beyond(self, inpt):
        """True if a crop beyond the edges shows what padding would: it spares the padded copy."""
        return (
            isinstance(inpt, PIL.Image.Image)
            and inpt.mode != "P"
            and self.padding_mode == "constant"
            and fill_for(self.fill, type(inpt)) in (0, None)
        )


class RandomResizedCrop(_Crop):
    """A part of the picture of random area and shape, resized to `size`.

    Its area is uniform in `scale` times the picture's; its ratio of width to height is in `ratio`,
    its logarithm uniform. After ten parts that do not fit the middle is taken.
    """

    def __init__(
        self, size, scale=(0.08, 1.0), ratio=(3.0 / 4.0, 4.0 / 3.0), interpolation="bilinear",
        antialias=True,
    ):  # fmt: skip
        super().__init__(size)
        for name, bounds in (("scale", scale), ("ratio", ratio)):
            if not isinstance(bounds, tuple | list) or len(bounds) != 2 or bounds[0] > bounds[1]:
                raise ArgumentError(
                    f"RandomResizedCrop: expected {name} as (min, max), got {bounds!r}"
                )
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomResizedCrop")
        # in float32, as the generator's stream is scaled
        bounds = tallow.tensor(self.ratio, dtype=tallow.float32).log().tolist()
        for _ in range(10):
            area = height * width * draw(*self.scale)
            ratio = tallow.empty(1).uniform_(*bounds).exp().item()
            new_width = round(math.sqrt(area * ratio))
            new_height = round(math.sqrt(area / ratio))
            if 0 < new_width <= width and 0 < new_height <= height:
                top = tallow.randint(height - new_height + 1, (1,)).item()
                left = tallow.randint(width - new_width + 1, (1,)).item()
                return {"top": top, "left": left, "height": new_height, "width": new_width}
        return self._middle(height, width)

    def _middle(self, height, width):
        new_height, new_width = height, width
        if width / height < min(self.ratio):
            new_height = round(width / min(self.ratio))
        elif width / height > max(self.ratio):
            new_width = round(height * max(self.ratio))
        top, left = (height - new_height) // 2, (width - new_width) // 2
        return {"top": top, "left": left, "height": new_height, "width": new_width}

    def transform(self, inpt, params):
        return self._call_kernel(
            F.resized_crop, inpt, **params, size=self.size, interpolation=self.interpolation,
            antialias=self.antialias,
        )  # fmt: skip
