"""Samples of datasets as transforms take them: masks and boxes typed, targets in dicts."""

from copy import copy

import tallow
from tallow.errors import ArgumentError, NotSupportedError, TypeMismatchError
from tallow.utils.data import Dataset
from tallowvision import tv_tensors
from tallowvision.datasets.celeba import CelebA
from tallowvision.datasets.classification import Caltech101, OxfordIIITPet
from tallowvision.datasets.clips import Clips
from tallowvision.datasets.coco import CocoCaptions, CocoDetection, mask_of
from tallowvision.datasets.faces import WIDERFace
from tallowvision.datasets.streets import Cityscapes, Kitti
from tallowvision.datasets.vision import VisionDataset
from tallowvision.datasets.voc import SBDataset, VOCDetection, VOCSegmentation

KITTI_CLASSES = [
    "Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc", "DontCare",
]  # fmt: skip
VOC_CLASSES = [
    "__background__", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
    "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep",
    "sofa", "train", "tvmonitor",
]  # fmt: skip


def wrap_dataset_for_transforms_v2(dataset, target_keys=None):
    """A dataset whose targets transforms change along with images.

    Masks become `tv_tensors.Mask`, boxes `tv_tensors.BoundingBoxes` (XYXY). Targets of detection
    are dicts with boxes and labels: `target_keys` says what else, or "all". Frames of videos
    become `tv_tensors.Video`. Targets of classification stay as they are.
    """
    return _Wrapped(dataset, target_keys)


class _Wrapped(Dataset):
    def __init__(self, dataset, target_keys):
        if not isinstance(dataset, VisionDataset):
            raise TypeMismatchError(
                f"wrap_dataset_for_transforms_v2: expected a VisionDataset, got "
                f"{type(dataset).__name__}"
            )
        self.dataset = copy(dataset)
        self.target_keys = target_keys
        self.transform, self.transforms = dataset.transform, dataset.transforms
        for name in ("transform", "target_transform", "transforms"):
            setattr(self.dataset, name, None)
        kinds = (kind for kind in type(dataset).__mro__ if kind in _WRAPPERS)
        self.kind = next(kinds, VisionDataset)
        if target_keys is not None and self.kind not in _KEYS:
            raise ArgumentError(
                "wrap_dataset_for_transforms_v2: expected target_keys for "
                f"{', '.join(kind.__name__ for kind in _KEYS)} only, got them for "
                f"{type(dataset).__name__}"
            )
        self.keys = _wanted(self.kind, target_keys) if self.kind in _KEYS else None

    def __getattr__(self, name):
        if name == "dataset":  # not there yet, while a copy is made
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, index):
        sample = self.dataset[index]
        if self.kind in _WRAPPERS:
            sample = sample[0], _WRAPPERS[self.kind](self, index, *sample)
        if isinstance(self.dataset, Clips):
            return self._clip(*sample)
        return sample if self.transforms is None else self.transforms(*sample)

    def _clip(self, frames, *rest):
        if self.dataset.video_clips.output_format != "TCHW":
            raise ArgumentError(
                'wrap_dataset_for_transforms_v2: expected videos of output_format "TCHW", got '
                f'"THWC" of {type(self.dataset).__name__}'
            )
        video = tv_tensors.Video(frames)
        return (video if self.transform is None else self.transform(video), *rest)

    def __len__(self):
        return len(self.dataset)

    def __repr__(self):
        return repr(self.dataset)


def _wanted(kind, target_keys):
    available, default = _KEYS[kind]
    wanted = default if target_keys is None else target_keys
    wanted = available if wanted == "all" else set(wanted)
    if wanted - available:
        raise ArgumentError(
            f"wrap_dataset_for_transforms_v2: expected target_keys of {sorted(available)}, got "
            f"{sorted(wanted - available)}"
        )
    return wanted


def _size(image):
    return (image.height, image.width)


def _boxes(numbers, format, image):
    """Boxes in XYXY."""
    from tallowvision.transforms.functional import convert_bounding_box_format

    boxes = tv_tensors.BoundingBoxes(numbers, format=format, canvas_size=_size(image))
    return convert_bounding_box_format(boxes, new_format="XYXY")


def _coco(wrapped, index, image, annotations):
    number = wrapped.dataset.ids[index]
    if not annotations:
        return {"image_id": number}

    def column(key):
        return [one.get(key) for one in annotations]

    made = {
        "image_id": lambda: number,
        "boxes": lambda: _boxes(column("bbox"), "XYWH", image),
        "labels": lambda: tallow.tensor(column("category_id")),
        "masks": lambda: tv_tensors.Mask(tallow.stack([
            tallow.from_numpy(mask_of(one, _size(image))) for one in column("segmentation")
        ])),
    }  # fmt: skip
    return {key: made[key]() if key in made else column(key) for key in sorted(wrapped.keys)}


def _voc(wrapped, index, image, target):
    things = target["annotation"]["object"]
    sides = ("xmin", "ymin", "xmax", "ymax")
    numbers = [[int(float(one["bndbox"][side])) for side in sides] for one in things]
    made = {
        "annotation": lambda: target["annotation"],
        "boxes": lambda: _boxes(tallow.tensor(numbers).reshape(-1, 4), "XYXY", image),
        "labels": lambda: tallow.tensor(
            [VOC_CLASSES.index(one["name"]) for one in things], dtype=tallow.int64
        ),
    }
    return {key: made[key]() for key in sorted(wrapped.keys)}


def _mask(wrapped, index, image, target):
    return tv_tensors.Mask(target)


def _refused(wrapped, what):
    raise NotSupportedError(
        f"wrap_dataset_for_transforms_v2: {what} of {type(wrapped.dataset).__name__} have no type "
        "that transforms change"
    )


def _outlines(wrapped, index, image, target):
    if wrapped.dataset.mode == "boundaries":
        _refused(wrapped, "boundaries")
    return tv_tensors.Mask(target)


def _by_kind(kinds, target, convert):
    """One target, or several, of which some kinds are converted."""
    several = target if len(kinds) > 1 else (target,)
    changed = tuple(
        convert[kind](one) if kind in convert else one
        for kind, one in zip(kinds, several, strict=True)
    )
    return changed if len(kinds) > 1 else changed[0]


def _faces(wrapped, index, image, target):
    kinds = wrapped.dataset.target_type
    if {"attr", "landmarks"} & set(kinds):
        _refused(wrapped, "attributes and landmarks")
    if not kinds:
        return target
    return _by_kind(kinds, target, {"bbox": lambda one: _boxes(one, "XYWH", image)})


def _pets(wrapped, index, image, target):
    kinds = wrapped.dataset.target_types
    return _by_kind(kinds, target, {"segmentation": tv_tensors.Mask}) if kinds else target


def _streets(wrapped, index, image, target):
    kinds = wrapped.dataset.target_type
    if {"polygon", "color"} & set(kinds):
        _refused(wrapped, "polygons and colours")
    return _by_kind(kinds, target, {"semantic": tv_tensors.Mask, "instance": _instances})


def _instances(target):
    """The masks of things, and their classes: pixels hold these, or 1000 times them and more."""
    mask = tv_tensors.Mask(target)[0]
    numbers = mask.unique()
    return {
        "masks": tv_tensors.Mask(tallow.stack([mask == number for number in numbers])),
        "labels": tallow.where(numbers >= 1000, numbers // 1000, numbers),
    }


def _traffic(wrapped, index, image, target):
    if target is None:
        return None
    made = {
        "boxes": lambda: _boxes(
            tallow.tensor([one["bbox"] for one in target]).reshape(-1, 4), "XYXY", image
        ),
        "labels": lambda: tallow.tensor(
            [KITTI_CLASSES.index(one["type"]) for one in target], dtype=tallow.int64
        ),
    }
    return {
        key: made[key]() if key in made else [one[key] for one in target]
        for key in sorted(wrapped.keys)
    }


def _crowds(wrapped, index, image, target):
    if target is None:
        return None
    return {
        key: _boxes(target[key], "XYWH", image) if key == "bbox" else target[key]
        for key in sorted(wrapped.keys)
    }


def _things(wrapped, index, image, target):
    if "annotation" in wrapped.dataset.target_type:
        _refused(wrapped, "annotations")
    return target


_WRAPPERS = {
    CocoDetection: _coco, CocoCaptions: lambda wrapped, index, image, captions: captions,
    VOCDetection: _voc, VOCSegmentation: _mask, SBDataset: _outlines, CelebA: _faces,
    OxfordIIITPet: _pets, Caltech101: _things, Cityscapes: _streets, Kitti: _traffic,
    WIDERFace: _crowds,
}  # fmt: skip
_FACES = {"bbox", "blur", "expression", "illumination", "occlusion", "pose", "invalid"}
_KEYS = {
    CocoDetection: (
        {"segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "boxes", "masks",
         "labels"},
        {"image_id", "boxes", "labels"},
    ),
    VOCDetection: ({"annotation", "boxes", "labels"}, {"boxes", "labels"}),
    Kitti: (
        {"type", "truncated", "occluded", "alpha", "bbox", "dimensions", "location", "rotation_y",
         "boxes", "labels"},
        {"boxes", "labels"},
    ),
    WIDERFace: (_FACES, _FACES),
}  # fmt: skip
