"""Pictures with boxes in VOC's format, from a folder or a zip file of it."""

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

import tallow
from tallow.utils.data import Dataset
from tallowvision import transforms, tv_tensors
from tallowvision.datasets import VOCDetection
from tallowvision.transforms import functional as F

SIDES = ("xmin", "ymin", "xmax", "ymax")


class Files:
    """The files of a folder or zip file; in the zip they may lie in a folder of their own."""

    def __init__(self, path):
        self.path = Path(path)
        self.archive = zipfile.ZipFile(path) if self.path.is_file() else None
        names = self.archive.namelist() if self.archive else [
            str(p.relative_to(self.path)) for p in self.path.rglob("ImageSets/Main/*.txt")
        ]  # fmt: skip
        lists = [name for name in names if name.endswith(".txt") and "ImageSets/Main/" in name]
        if not lists:
            raise SystemExit(f"{path}: expected ImageSets/Main/*.txt, as VOC's format has")
        self.top = lists[0].partition("ImageSets/")[0]
        self.sets = {Path(name).stem for name in lists}

    def read(self, name):
        """What is in a file, in bytes."""
        name = self.top + name
        return self.archive.read(name) if self.archive else (self.path / name).read_bytes()


class Pictures(Dataset):
    """Samples (image, target) of one list of pictures, at most `size` pixels wide and high.

    Images are uint8 (3, H, W), targets have `boxes` and `labels`, from 1, of `classes`.
    """

    def __init__(self, files, image_set, size, classes=None, transform=None):
        if image_set not in files.sets:
            raise SystemExit(f"{files.path}: expected one of {sorted(files.sets)}, got {image_set}")
        names = files.read(f"ImageSets/Main/{image_set}.txt").decode().split()
        things = [self._things(files.read(f"Annotations/{name}.xml")) for name in names]
        found = sorted({label for own in things for label, _ in own})
        self.classes = found if classes is None else classes
        self.transform = transform
        self.samples = [
            self._sample(files.read(f"JPEGImages/{name}.jpg"), own, size)
            for name, own in zip(names, things, strict=True)
        ]

    @staticmethod
    def _things(xml):
        """The name and box of each thing that has an area."""
        content = VOCDetection.parse_voc_xml(ElementTree.fromstring(xml))["annotation"]
        things = []
        for one in content["object"]:
            box = [float(one["bndbox"][side]) for side in SIDES]
            if box[0] < box[2] and box[1] < box[3]:
                things.append((one["name"], box))
        return things

    def _sample(self, jpeg, things, size):
        picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
        scale = min(1.0, size / max(picture.size))
        boxes = tallow.tensor([box for _, box in things]).reshape(-1, 4) * scale
        labels = [self.classes.index(label) + 1 for label, _ in things]
        width, height = (round(side * scale) for side in picture.size)
        image = F.pil_to_tensor(picture.resize((width, height), Image.Resampling.BILINEAR))
        return image, boxes, tallow.tensor(labels, dtype=tallow.int64)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        image, boxes, labels = self.samples[index]
        boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=image.shape[-2:])
        sample = tv_tensors.Image(image), {"boxes": boxes, "labels": labels}
        image, target = sample if self.transform is None else self.transform(*sample)
        plain = {name: x.as_subclass(tallow.Tensor) for name, x in target.items()}
        return F.to_dtype(image, tallow.float32, scale=True).as_subclass(tallow.Tensor), plain


def varied():
    """Pictures as others could have been taken: mirrored, of another part, in other colours."""
    return transforms.Compose([
        transforms.RandomIoUCrop(0.5, 1.0, 0.75, 1.33, [0.0, 1.0]),
        transforms.RandomHorizontalFlip(),
        transforms.RandomVerticalFlip(),
        transforms.ColorJitter(0.2, 0.2, 0.2, 0.02),
        transforms.SanitizeBoundingBoxes(min_size=2),
    ])  # fmt: skip


def collate(samples):
    """A list of images and a list of targets: they may be of different sizes."""
    return tuple(map(list, zip(*samples, strict=True)))
