"""COCO: annotations of many images in one JSON file."""

import json
import os
from collections import defaultdict

import numpy as np

from tallow.errors import ArgumentError
from tallow.utils.datasets import DataFileError
from tallowvision._errors import optional
from tallowvision.datasets.folder import pil_loader
from tallowvision.datasets.vision import VisionDataset


class Annotations:
    """What is in an annotation file, by number: `imgs`, `anns`, `cats`; `imgToAnns` by image."""

    def __init__(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                self.dataset = json.load(file)
            self.imgs = {one["id"]: one for one in self.dataset["images"]}
            annotations = self.dataset.get("annotations", [])
            self.anns = {one["id"]: one for one in annotations}
            self.cats = {one["id"]: one for one in self.dataset.get("categories", [])}
            self.imgToAnns = defaultdict(list)
            for one in annotations:
                self.imgToAnns[one["image_id"]].append(one)
        except (ValueError, KeyError, TypeError) as error:
            raise DataFileError(
                f"{path}: expected annotations of COCO in JSON, got {type(error).__name__} {error}"
            ) from error


class CocoDetection(VisionDataset):
    """Images in the folder `root` and what is in them: samples (image, list of annotations).

    `annFile` is the JSON file. An annotation is a dict, as it is there: bbox (x, y, width, height),
    category_id, segmentation and more. Lin et al., "Microsoft COCO" (2014).
    """

    def __init__(
        self, root, annFile, transform=None, target_transform=None, transforms=None
    ):  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        self.coco = Annotations(annFile)
        self.ids = sorted(self.coco.imgs)

    def _target(self, number):
        return self.coco.imgToAnns.get(number, [])

    def __getitem__(self, index):
        if not isinstance(index, int):
            raise ArgumentError(
                f"{type(self).__name__}: expected an int as index, got {type(index).__name__}"
            )
        number = self.ids[index]
        image = pil_loader(os.path.join(self.root, self.coco.imgs[number]["file_name"]))
        return self._transformed(image, self._target(number))

    def __len__(self):
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """Images and sentences about them: samples (image, list of captions)."""

    def _target(self, number):
        return [annotation["caption"] for annotation in super()._target(number)]


# Masks: runs of zeros and ones, in turn, down the columns.


def mask_of(segmentation, size):
    """The mask (height, width), uint8, that a segmentation of COCO stands for.

    Runs are decoded here; polygons take the package pycocotools.
    """
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        height, width = segmentation["size"]
        runs = _decoded(counts) if isinstance(counts, str | bytes) else counts
        values = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
        if len(values) != height * width:
            raise DataFileError(
                f"segmentation: expected runs of {height * width} pixels, got {len(values)}"
            )
        return values.reshape(width, height).T.copy()
    mask = optional(
        "pycocotools.mask", "segmentation: a mask of polygons",
        "; boxes and masks of runs do not need it",
    )  # fmt: skip
    return mask.decode(mask.merge(mask.frPyObjects(segmentation, *size)))


def _decoded(counts):
    """The runs in a string: digits of 5 bits, low ones first; from the third on, differences."""
    text = counts.encode() if isinstance(counts, str) else counts
    runs, value, shift = [], 0, 0
    for digit in (byte - 48 for byte in text):
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:  # the last one
            if digit & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
