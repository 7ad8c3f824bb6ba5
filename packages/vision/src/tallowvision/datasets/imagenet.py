"""ImageNet and Places365: large collections in large archives."""

import os
import tempfile
from pathlib import Path

import tallow
from tallow.utils.datasets import Archive, MissingFilesError, extract, parsed, read_lines
from tallowvision.datasets._files import ListedImages, read_mat
from tallowvision.datasets.folder import ImageFolder, default_loader
from tallowvision.datasets.utils import verify_str_arg

_META = "meta.bin"


class ImageNet(ImageFolder):
    """Photographs of a thousand classes, ILSVRC 2012: samples (image, class number).

    `split` is train (1,281,167) or val (50,000). The archives ILSVRC2012_devkit_t12.tar.gz and
    ILSVRC2012_img_train.tar or ILSVRC2012_img_val.tar, which their publisher gives to those that
    ask, lie in root; they are unpacked at first use, which takes the package scipy. `classes` are
    tuples of names, `wnids` the classes' numbers in WordNet; other arguments are those of
    `ImageFolder`. Russakovsky et al., "ImageNet large scale visual recognition challenge" (2015).
    """

    def __init__(self, root, split="train", **kwargs):
        self.split = verify_str_arg(split, "split", ("train", "val"))
        top = os.path.expanduser(root)
        names, wnids = _meta(top)
        folder = os.path.join(top, split)
        if not os.path.isdir(folder):
            _unpack(top, split, wnids)
        super().__init__(folder, **kwargs)
        self.root = top
        self.wnids, self.wnid_to_idx = self.classes, self.class_to_idx
        self.classes = [names[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, group in enumerate(self.classes) for name in group}

    @property
    def split_folder(self):
        """The folder of the images."""
        return os.path.join(self.root, self.split)

    def extra_repr(self):
        return f"Split: {self.split}"


def _archive(root, name):
    path = os.path.join(root, name)
    if not os.path.exists(path):
        raise MissingFilesError(
            f"ImageNet: expected {path}; its publisher, image-net.org, gives it to those that ask"
        )
    return path


def _meta(root):
    """The names of each class, and the classes of the validation images in order."""
    path = os.path.join(root, _META)
    if not os.path.exists(path):
        archive = _archive(root, "ILSVRC2012_devkit_t12.tar.gz")
        with tempfile.TemporaryDirectory() as folder:
            data = extract(archive, folder) / "ILSVRC2012_devkit_t12" / "data"
            rows = read_mat(data / "meta.mat")["synsets"]
            numbers = read_lines(data / "ILSVRC2012_validation_ground_truth.txt")
        leaves = [row for row in rows if row["num_children"] == 0]
        wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in leaves}
        names = {str(row["WNID"]): tuple(str(row["words"]).split(", ")) for row in leaves}
        tallow.save((names, [wnids[int(number)] for number in numbers]), path)
    return tallow.load(path)


def _unpack(root, split, wnids):
    """The images in folders of their classes; the folder `split` appears once it is whole."""
    archive = _archive(root, f"ILSVRC2012_img_{split}.tar")
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpack-") as made:
        folder = extract(archive, Path(made, split))
        images = sorted(folder.iterdir())
        if split == "train":
            for one in images:
                extract(one, one.with_suffix(""), remove_finished=True)
        else:
            for wnid, image in zip(wnids, images, strict=True):
                (folder / wnid).mkdir(exist_ok=True)
                image.rename(folder / wnid / image.name)
        folder.rename(os.path.join(root, split))


class Places365(ListedImages):
    """Photographs of 365 kinds of places: samples (image, kind), the kind None in the test split.

    `split` is train-standard, train-challenge, val or test; `small` images are 256 x 256. Zhou et
    al., "Places" (2017).
    """

    _address = "http://data.csail.mit.edu/places/places365/"
    _lists = {
        "standard": ("filelist_places365-standard.tar", "35a0585fee1fa656440f3ab298f8479c"),
        "challenge": ("filelist_places365-challenge.tar", "70a8307e459c3de41690a7c76c931734"),
    }
    _images = {
        "train_large_places365standard": "67e186b496a84c929568076ed01a8aa1",
        "train_large_places365challenge": "605f18e68e510c82b958664ea134545f",
        "val_large": "9b71c4993ad89d2d8bcbdc4aef38042f",
        "test_large": "41a4b6b724b1d2cd862fb3871ed59913",
        "train_256_places365standard": "53ca1c756c3d1e7809517cc47c5561c5",
        "train_256_places365challenge": "741915038a5e3471ec7332404dfb64ef",
        "val_256": "e27b17d8d44f4af9a78502beb927f808",
        "test_256": "f532f6ad7b582262a2ec8009075e186b",
    }

    def __init__(
        self, root, split="train-standard", small=False, download=False, transform=None,
        target_transform=None, loader=default_loader,
    ):  # fmt: skip
        known = ("train-standard", "train-challenge", "val", "test")
        self.split = verify_str_arg(split, "split", known)
        self.small = small
        super().__init__(root, transform, target_transform, download, loader)
        self.imgs = self.samples

    @property
    def variant(self):
        """standard or challenge."""
        return "challenge" if "challenge" in self.split else "standard"

    @property
    def images_dir(self):
        """The folder of the images."""
        return self.path(self._folder())

    def _folder(self):
        size = "256" if self.small else "large"
        train = self.split.startswith("train")
        return f"data_{size}_{self.variant}" if train else f"{self.split}_{size}"

    def files(self):
        lists, md5 = self._lists[self.variant]
        size = "256" if self.small else "large"
        train = self.split.startswith("train")
        images = f"train_{size}_places365{self.variant}" if train else f"{self.split}_{size}"
        name = f"places365_{self.split.replace('-', '_')}.txt"
        return [
            Archive(self._address + lists, md5, made=name),
            Archive(f"{self._address}{images}.tar", self._images[images], made=self._folder()),
        ]

    def download(self):
        """Download and unpack what is not there."""
        super().download()
        unpacked = self.images_dir.rpartition("_")[0]  # archives to learn from name no variant
        if not os.path.exists(self.images_dir):
            os.rename(unpacked, self.images_dir)

    def listed(self):
        kinds = [line.split() for line in read_lines(self.path("categories_places365.txt"))]
        self.classes = sorted(name for name, _ in kinds)

        def sample(line):
            image, number = (*line.split(), None)[:2]
            path = os.path.join(self.images_dir, *image.lstrip("/").split("/"))
            return path, number if number is None else int(number)

        path = self.path(self.files()[0].makes)
        return parsed(path, read_lines(path), sample)

    def extra_repr(self):
        return f"Split: {self.split}\nSmall: {self.small}"
