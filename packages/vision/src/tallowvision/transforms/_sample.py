"""What there is in a sample: its leaves by type, their size, the labels."""

from collections.abc import Mapping

import PIL.Image

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowvision import tv_tensors
from tallowvision.transforms import functional as F
from tallowvision.transforms.functional._registry import lookup
from tallowvision.tv_tensors import is_pure_tensor


def check_type(obj, types_or_checks):
    """True if an object is of one of some types, or one of some functions says so."""
    return any(
        isinstance(obj, check) if isinstance(check, type) else check(obj)
        for check in types_or_checks
    )


def has_any(flat_inputs, *types_or_checks):
    """True if one of the leaves passes `check_type`."""
    return any(check_type(leaf, types_or_checks) for leaf in flat_inputs)


def has_all(flat_inputs, *types_or_checks):
    """True if for each of the checks there is a leaf that passes it."""
    return all(has_any(flat_inputs, check) for check in types_or_checks)


def get_bounding_boxes(flat_inputs):
    """The first boxes among the leaves; ArgumentError if there are none."""
    return _first("get_bounding_boxes", flat_inputs, tv_tensors.BoundingBoxes)


def get_keypoints(flat_inputs):
    """The first points among the leaves; ArgumentError if there are none."""
    return _first("get_keypoints", flat_inputs, tv_tensors.KeyPoints)


def _first(name, leaves, kind):
    for leaf in leaves:
        if isinstance(leaf, kind):
            return leaf
    raise ArgumentError(f"{name}: expected a sample with {kind.__name__}, got none")


def query_size(flat_inputs, name="query_size"):
    """(height, width) of the pictures and targets in a sample, which must agree."""
    measures = [(lookup(F.get_size, type(leaf)), leaf) for leaf in flat_inputs]
    sizes = {tuple(measure(leaf)) for measure, leaf in measures if measure}
    if not sizes:
        raise TypeMismatchError(f"{name}: expected a sample with a picture or a target, got none")
    if len(sizes) > 1:
        raise ArgumentError(
            f"{name}: expected one (height, width) in a sample, got {sorted(sizes)}"
        )
    return sizes.pop()


def query_chw(flat_inputs):
    """(channels, height, width) of the pictures in a sample, which must agree."""
    kinds = (is_pure_tensor, tv_tensors.Image, tv_tensors.Video, PIL.Image.Image)
    sizes = {tuple(F.get_dimensions(x)) for x in flat_inputs if check_type(x, kinds)}
    if not sizes:
        raise TypeMismatchError("query_chw: expected a sample with a picture, got none")
    if len(sizes) > 1:
        raise ArgumentError(f"query_chw: expected one size in a sample, got {sorted(sizes)}")
    return sizes.pop()


def labels_getter_of(name, labels_getter):
    """The function from a sample to its labels that the argument `labels_getter` stands for."""
    if labels_getter == "default":
        return lambda sample: _default_labels(name, sample)
    if labels_getter is None:
        return lambda sample: None
    if callable(labels_getter):
        return labels_getter
    raise ArgumentError(
        f"{name}: expected labels_getter as a function, None or 'default', got {labels_getter!r}"
    )


def _default_labels(name, sample):
    """The second part of a sample, or what is called labels, or has it in its name, in a dict."""
    target = sample[1] if isinstance(sample, tuple | list) else sample
    if is_pure_tensor(target):
        return target
    if not isinstance(target, Mapping):
        raise ArgumentError(
            f"{name}: expected a dict, or a pair of input and labels, got "
            f"{type(target).__name__}; labels_getter says where the labels are"
        )
    keys = [key for key in target if "label" in key.lower()]
    if not keys:
        raise ArgumentError(
            f"{name}: expected a key with labels in the sample, got {list(target)}; "
            "labels_getter=None is for samples without labels"
        )
    return target[next((key for key in keys if key.lower() == "labels"), keys[0])]


def tensors_of_labels(name, labels):
    """The labels as a tuple of tensors; none of None."""
    several = labels if isinstance(labels, tuple | list) else () if labels is None else (labels,)
    for one in several:
        if not isinstance(one, tallow.Tensor):
            raise ArgumentError(f"{name}: expected labels as tensors, got {type(one).__name__}")
    return tuple(several)
