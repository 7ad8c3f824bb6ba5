"""Streets seen from a car: Cityscapes, Kitti."""

import json
import os
from collections import namedtuple

import PIL.Image

from tallow.utils.datasets import Archive, File, extract, parsed, read_lines
from tallowvision._pil import open_image
from tallowvision.datasets._files import ListedImages, kinds_of, one_or_all
from tallowvision.datasets.utils import verify_str_arg

_CLASSES = """
void 0: unlabeled 0 255 - -, 0 0 0; ego vehicle 1 255 - -, 0 0 0
void 0: rectification border 2 255 - -, 0 0 0; out of roi 3 255 - -, 0 0 0
void 0: static 4 255 - -, 0 0 0; dynamic 5 255 - -, 111 74 0; ground 6 255 - -, 81 0 81
flat 1: road 7 0 - +, 128 64 128; sidewalk 8 1 - +, 244 35 232
flat 1: parking 9 255 - -, 250 170 160; rail track 10 255 - -, 230 150 140
construction 2: building 11 2 - +, 70 70 70; wall 12 3 - +, 102 102 156
construction 2: fence 13 4 - +, 190 153 153; guard rail 14 255 - -, 180 165 180
construction 2: bridge 15 255 - -, 150 100 100; tunnel 16 255 - -, 150 120 90
object 3: pole 17 5 - +, 153 153 153; polegroup 18 255 - -, 153 153 153
object 3: traffic light 19 6 - +, 250 170 30; traffic sign 20 7 - +, 220 220 0
nature 4: vegetation 21 8 - +, 107 142 35; terrain 22 9 - +, 152 251 152
sky 5: sky 23 10 - +, 70 130 180
human 6: person 24 11 + +, 220 20 60; rider 25 12 + +, 255 0 0
vehicle 7: car 26 13 + +, 0 0 142; truck 27 14 + +, 0 0 70; bus 28 15 + +, 0 60 100
vehicle 7: caravan 29 255 + -, 0 0 90; trailer 30 255 + -, 0 0 110
vehicle 7: train 31 16 + +, 0 80 100; motorcycle 32 17 + +, 0 0 230
vehicle 7: bicycle 33 18 + +, 119 11 32; license plate -1 -1 - -, 0 0 142
"""  # category: name, id, id in training, has instances, is counted, colour


def _classes(kind):
    for line in _CLASSES.strip().splitlines():
        category, _, rest = line.partition(": ")
        category, number = category.split()
        for one in rest.split("; "):
            words, _, colour = one.partition(", ")
            *name, id, train, instances, counted = words.split()
            flags = instances == "+", counted == "-"
            colour = tuple(map(int, colour.split()))
            yield kind(" ".join(name), int(id), int(train), category, int(number), *flags, colour)


class Cityscapes(ListedImages):
    """Streets of 50 cities, what each pixel shows: samples (image, target).

    `mode` is fine (`split` train, val or test) or coarse (train, train_extra or val).
    `target_type` is instance, semantic or color (Pillow images), polygon (a dict), or a list of
    these. Its publisher asks for a registration: put the archives, or what is in them, into
    `root`. `classes` tells of the numbers. Cordts et al., "The Cityscapes dataset" (2016).
    """

    CityscapesClass = namedtuple(
        "CityscapesClass",
        ["name", "id", "train_id", "category", "category_id", "has_instances", "ignore_in_eval",
         "color"],
    )  # fmt: skip
    classes = list(_classes(CityscapesClass))
    _endings = {
        "instance": "instanceIds.png", "semantic": "labelIds.png", "color": "color.png",
        "polygon": "polygons.json",
    }  # fmt: skip

    def __init__(
        self, root, split="train", mode="fine", target_type="instance", transform=None,
        target_transform=None, transforms=None,
    ):  # fmt: skip
        verify_str_arg(mode, "mode", ("fine", "coarse"))
        known = ("train", "test", "val") if mode == "fine" else ("train", "train_extra", "val")
        self.split = verify_str_arg(split, "split", known)
        self.mode = "gtFine" if mode == "fine" else "gtCoarse"
        self.target_type = kinds_of("target_type", target_type, tuple(self._endings))
        self.images_dir = os.path.join(root, "leftImg8bit", split)
        self.targets_dir = os.path.join(root, self.mode, split)
        if not (os.path.isdir(self.images_dir) and os.path.isdir(self.targets_dir)):
            extra = "trainextra" if split == "train_extra" else "trainvaltest"
            of_targets = "gtFine_trainvaltest.zip" if mode == "fine" else "gtCoarse.zip"
            for name in (f"leftImg8bit_{extra}.zip", of_targets):
                archive = os.path.join(root, name)
                if os.path.isfile(archive):
                    extract(archive)
        super().__init__(root, transform, target_transform, transforms=transforms)
        self.images = [path for path, _ in self.samples]

    def files(self):
        folders = (self.images_dir, self.targets_dir)
        return [File(name=os.path.relpath(folder, self.root)) for folder in folders]

    def listed(self):
        for city in sorted(os.listdir(self.images_dir)):
            for name in sorted(os.listdir(os.path.join(self.images_dir, city))):
                stem = os.path.join(self.targets_dir, city, name.partition("_leftImg8bit")[0])
                targets = [f"{stem}_{self.mode}_{self._endings[t]}" for t in self.target_type]
                yield os.path.join(self.images_dir, city, name), targets

    def __getitem__(self, index):
        path, targets = self.samples[index]
        return self._transformed(self.loader(path), one_or_all(map(self._read, targets)))

    @staticmethod
    def _read(path):
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        return open_image(path, PIL.Image.Image.copy)

    def extra_repr(self):
        return f"Split: {self.split}\nMode: {self.mode}\nType: {self.target_type}"


class Kitti(ListedImages):
    """Streets and the things in them, 7,481 images: samples (image, list of dicts).

    A dict has type (Car, Pedestrian, ...), truncated, occluded, alpha, bbox (left, top, right,
    bottom), dimensions, location and rotation_y. Without `train`, 7,518 images to test on, whose
    targets are None. Geiger et al., "Are we ready for autonomous driving?" (2012).
    """

    folder = os.path.join("Kitti", "raw")
    _address = "https://s3.eu-central-1.amazonaws.com/avg-kitti/data_object_"

    def __init__(
        self, root, train=True, transform=None, target_transform=None, transforms=None,
        download=False,
    ):  # fmt: skip
        self.train = train
        super().__init__(root, transform, target_transform, download, transforms=transforms)
        self.images = [path for path, _ in self.samples]

    def files(self):
        part = "training" if self.train else "testing"
        kinds = ("image_2", "label_2") if self.train else ("image_2",)
        return [
            Archive(f"{self._address}{kind}.zip", None, made=os.path.join(part, kind))
            for kind in kinds
        ]

    def listed(self):
        images, *labels = (self.path(file.makes) for file in self.files())
        for name in sorted(os.listdir(images)):
            label = os.path.join(labels[0], f"{name.partition('.')[0]}.txt") if labels else None
            yield os.path.join(images, name), label

    def __getitem__(self, index):
        path, label = self.samples[index]
        things = None if label is None else list(parsed(label, read_lines(label), self._thing))
        return self._transformed(self.loader(path), things)

    @staticmethod
    def _thing(line):
        kind, truncated, occluded, *rest = line.split()
        alpha, *numbers = map(float, rest)
        return {
            "type": kind, "truncated": float(truncated), "occluded": int(occluded),
            "alpha": alpha, "bbox": numbers[:4], "dimensions": numbers[4:7],
            "location": numbers[7:10], "rotation_y": numbers[10],
        }  # fmt: skip
