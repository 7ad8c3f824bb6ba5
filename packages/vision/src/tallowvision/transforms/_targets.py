"""Transforms of boxes and points alone."""

from tallowvision import tv_tensors
from tallowvision.transforms import functional as F
from tallowvision.transforms._transform import Transform


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format (`tv_tensors.BoundingBoxFormat` or its name)."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, format):
        super().__init__()
        self.format = tv_tensors.box_format(format)

    def transform(self, inpt, params):
        return F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(Transform):
    """Boxes cut at the edges of their canvas; `clamping_mode` "auto" is their own."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode="auto"):
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt, params):
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class SetClampingMode(Transform):
    """Boxes that later transforms cut at the edge in another way; see `BoundingBoxes`."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode):
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt, params):
        return tv_tensors.wrap(inpt, like=inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Points moved onto their canvas."""

    _transformed_types = (tv_tensors.KeyPoints,)

    def transform(self, inpt, params):
        return F.clamp_keypoints(inpt)
