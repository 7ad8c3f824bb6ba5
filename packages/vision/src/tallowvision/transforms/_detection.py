"""Transforms for samples with boxes or points: parts that have some, and those that still count."""

import PIL.Image

import tallow
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError, describe
from tallowvision import tv_tensors
from tallowvision.ops import box_iou
from tallowvision.transforms import _tree
from tallowvision.transforms import functional as F
from tallowvision.transforms._geometry import fill_for
from tallowvision.transforms._sample import (
    get_bounding_boxes,
    get_keypoints,
    has_any,
    labels_getter_of,
    query_size,
    tensors_of_labels,
)
from tallowvision.transforms._transform import RandomTransform, Transform
from tallowvision.tv_tensors import is_pure_tensor


class RandomZoomOut(RandomTransform):
    """With probability `p`, the picture somewhere on a canvas that is larger by a random factor.

    The factor is uniform in `side_range`; `fill` is as in `Pad`.
    """

    def __init__(self, fill=0, side_range=(1.0, 4.0), p=0.5):
        super().__init__(p)
        if len(side_range) != 2 or not 1.0 <= side_range[0] <= side_range[1]:
            raise ArgumentError(
                f"RandomZoomOut: expected side_range (min, max) from 1 on, got {side_range}"
            )
        self.fill = fill
        self.side_range = side_range

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomZoomOut")
        low, high = self.side_range
        factor = low + tallow.rand(1) * (high - low)
        room_x, room_y = int(width * factor) - width, int(height * factor) - height
        across, down = tallow.rand(2)
        left, top = int(room_x * across), int(room_y * down)
        return {"padding": [left, top, room_x - left, room_y - top]}

    def transform(self, inpt, params):
        return self._call_kernel(F.pad, inpt, **params, fill=fill_for(self.fill, type(inpt)))


class RandomIoUCrop(Transform):
    """A part of the picture that overlaps with a box by at least a random measure, or all of it.

    The measure is one of `sampler_options`; 1 or more stands for all of the picture. Sides are
    `min_scale` to `max_scale` of the picture's, their ratio is within the aspect ratios. Boxes with
    their centre outside become 0: `SanitizeBoundingBoxes` removes them. Liu et al., "SSD" (2016).
    """

    def __init__(
        self, min_scale=0.3, max_scale=1.0, min_aspect_ratio=0.5, max_aspect_ratio=2.0,
        sampler_options=None, trials=40,
    ):  # fmt: skip
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = sampler_options or [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
        self.trials = trials

    def check_inputs(self, flat_inputs):
        pictures = (PIL.Image.Image, tv_tensors.Image, is_pure_tensor)
        if not has_any(flat_inputs, *pictures) or not has_any(
            flat_inputs, tv_tensors.BoundingBoxes
        ):
            raise TypeMismatchError("RandomIoUCrop: expected a sample with an image and boxes")

    def make_params(self, flat_inputs):
        size = query_size(flat_inputs, "RandomIoUCrop")
        boxes = get_bounding_boxes(flat_inputs)
        corners = F.convert_bounding_box_format(boxes, new_format="XYXY").as_subclass(tallow.Tensor)
        while True:
            least = self.options[tallow.randint(len(self.options), (1,)).item()]
            if least >= 1.0:
                return {}
            for _ in range(self.trials):
                params = self._part(size, corners, least)
                if params:
                    return params

    def _part(self, size, corners, least):
        """A part of a picture, if it suits."""
        scales = (self.min_scale + (self.max_scale - self.min_scale) * tallow.rand(2)).tolist()
        width, height = int(size[1] * scales[0]), int(size[0] * scales[1])
        ratio = width / height if height else 0.0
        if not self.min_aspect_ratio <= ratio <= self.max_aspect_ratio:
            return None
        across, down = tallow.rand(2)
        left, top = int((size[1] - width) * across), int((size[0] - height) * down)
        if not width or not height:
            return None
        x, y = (0.5 * (corners[:, i] + corners[:, i + 2]) for i in (0, 1))
        inside = (left < x) & (x < left + width) & (top < y) & (y < top + height)
        part = tallow.tensor([[left, top, left + width, top + height]]).to(corners)
        if not inside.any() or box_iou(corners[inside], part).max() < least:
            return None
        return {
            "crop": {"top": top, "left": left, "height": height, "width": width}, "inside": inside,
        }  # fmt: skip

    def transform(self, inpt, params):
        if not params:
            return inpt
        part = self._call_kernel(F.crop, inpt, **params["crop"])
        if isinstance(part, tv_tensors.BoundingBoxes):
            kept = tallow.where(params["inside"][:, None], part, 0).to(part.dtype)
            return tv_tensors.wrap(kept, like=part)
        return part


class _Sanitize(Transform):
    """The base: some rows of targets and of labels are kept."""

    def __init__(self, labels_getter):
        super().__init__()
        self.labels_getter = labels_getter
        self._labels_getter = labels_getter_of(type(self).__name__, labels_getter)

    def forward(self, *inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        name = type(self).__name__
        labels = tensors_of_labels(name, self._labels_getter(sample))
        leaves, rebuild = _tree.flatten(sample)
        valid = self._valid(leaves)
        for label in labels:
            if label.shape[:1] != valid.shape:
                raise ShapeError(
                    f"{name}: expected labels for each of {len(valid)} targets, got "
                    f"{describe(label)}"
                )

        def kept(leaf):
            if any(leaf is label for label in labels):
                return leaf[valid]
            if isinstance(leaf, self._transformed_types) and leaf.shape[:1] == valid.shape:
                return tv_tensors.wrap(leaf[valid], like=leaf)
            return leaf

        return rebuild([kept(leaf) for leaf in leaves])


class SanitizeBoundingBoxes(_Sanitize):
    """Boxes without those that are too small or leave the canvas; their labels and masks too.

    A box is kept if both sides are at least `min_size` and its area is at least `min_area`.
    `labels_getter` finds the labels in a sample: a function that gives a tensor or several, None
    for no labels, or "default": what is called labels.
    """

    _transformed_types = (tv_tensors.BoundingBoxes, tv_tensors.Mask)

    def __init__(self, min_size=1.0, min_area=1.0, labels_getter="default"):
        super().__init__(labels_getter)
        if min_size < 1 or min_area < 1:
            raise ArgumentError(
                "SanitizeBoundingBoxes: expected min_size and min_area of 1 or more, got "
                f"{min_size} and {min_area}"
            )
        self.min_size = min_size
        self.min_area = min_area

    def _valid(self, leaves):
        boxes = get_bounding_boxes(leaves)
        return F.sanitize_bounding_boxes(boxes, None, None, self.min_size, self.min_area)[1]


class SanitizeKeyPoints(_Sanitize):
    """Points without those outside of the canvas; their labels, found as by SanitizeBoundingBoxes.

    Of groups of points (N, K, 2), those are kept that have all points inside.
    """

    _transformed_types = (tv_tensors.KeyPoints,)

    def __init__(self, labels_getter=None):
        super().__init__(labels_getter)

    def _valid(self, leaves):
        return F.sanitize_keypoints(get_keypoints(leaves))[1]
