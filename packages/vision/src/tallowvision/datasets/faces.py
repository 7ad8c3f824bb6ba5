"""Faces: LFW, WIDER FACE."""

import os

import tallow
from tallow.utils.datasets import (
    Archive,
    DataFileError,
    File,
    MissingFilesError,
    drive,
    extract,
    read_lines,
)
from tallowvision.datasets._files import ListedImages, SplitImages
from tallowvision.datasets.folder import default_loader
from tallowvision.datasets.utils import verify_str_arg


class _LFW(ListedImages):
    folder = "lfw-py"
    _kinds = {
        "original": ("lfw", "lfw.tgz"), "funneled": ("lfw_funneled", "lfw-funneled.tgz"),
        "deepfunneled": ("lfw-deepfunneled", "lfw-deepfunneled.tgz"),
    }  # fmt: skip
    _parts = {"10fold": "", "train": "DevTrain", "test": "DevTest"}
    view = ""
    names: tuple[str, ...] = ()

    def __init__(
        self, root, split="10fold", image_set="funneled", transform=None, target_transform=None,
        download=False, loader=default_loader,
    ):  # fmt: skip
        self.image_set = verify_str_arg(image_set.lower(), "image_set", tuple(self._kinds))
        self.split = verify_str_arg(split.lower(), "split", tuple(self._parts))
        self.labels_file = f"{self.view}{self._parts[self.split]}.txt"
        self.root = root
        images, archive = (self.path(name) for name in self._kinds[self.image_set])
        if not os.path.isdir(images) and os.path.isfile(archive):
            extract(archive)
        super().__init__(root, transform, target_transform, download, loader)
        self.data = [paths for paths, _ in self.samples]

    def files(self):
        needed = (self._kinds[self.image_set][0], self.labels_file, *self.names)
        return [File(name=name) for name in needed]

    def download(self):
        """Refused: the dataset has no address any more."""
        raise MissingFilesError(
            f"{type(self).__name__}: expected its files in {self.path()}, since they have no "
            "address to download from any more"
        )

    def listed(self):
        path = self.path(self.labels_file)
        rows = [line.split() for line in read_lines(path) if line.strip()]
        try:
            return list(self._samples(rows))
        except (ValueError, IndexError, KeyError) as error:
            raise DataFileError(f"{path}: expected lists of {self.view}, got {error}") from error

    def _image(self, name, number):
        folder = self._kinds[self.image_set][0]
        return self.path(folder, name, f"{name}_{int(number):04d}.jpg")

    def extra_repr(self):
        return f"Alignment: {self.image_set}\nSplit: {self.split}"


class LFWPeople(_LFW):
    """Faces of famous people, 13,233 of 5,749: samples (image, number of the person).

    `split` is 10fold, train or test; `image_set` original, funneled or deepfunneled. The files
    have no address any more: put lfw-funneled.tgz, people.txt and lfw-names.txt into root/lfw-py.
    Huang et al., "Labeled faces in the wild" (2007).
    """

    view = "people"
    names = ("lfw-names.txt",)

    def _samples(self, rows):
        self._numbers = {
            line.split()[0]: i for i, line in enumerate(read_lines(self.path(*self.names)))
        }
        folds = int(rows.pop(0)[0]) if self.split == "10fold" else 1
        for _ in range(folds):
            count, *rows = rows
            for name, images in rows[: int(count[0])]:
                for number in range(1, int(images) + 1):
                    yield self._image(name, number), self._numbers[name]
            rows = rows[int(count[0]) :]

    @property
    def class_to_idx(self):
        """A dict from the people's names to their numbers."""
        return self._numbers

    def extra_repr(self):
        return f"{super().extra_repr()}\nClasses (identities): {len(self._numbers)}"


class LFWPairs(_LFW):
    """Pairs of faces: samples (image, image, 1 if both are of one person, else 0).

    The arguments are those of `LFWPeople`; the file of pairs is pairs.txt. `pair_names` are the
    names of the people.
    """

    view = "pairs"

    def _samples(self, rows):
        head, *rows = rows
        folds, count = map(int, head) if self.split == "10fold" else (1, int(head[0]))
        self.pair_names = []
        for row in rows[: 2 * folds * count]:
            name, first, *rest = row
            other, second = rest if len(rest) == 2 else (name, *rest)
            self.pair_names.append((name, other))
            yield (self._image(name, first), self._image(other, second)), int(len(row) == 3)

    def __getitem__(self, index):
        paths, same = self.samples[index]
        first, second = (
            image if self.transform is None else self.transform(image)
            for image in map(self.loader, paths)
        )
        return first, second, same if self.target_transform is None else self.target_transform(same)


class WIDERFace(SplitImages):
    """Crowds, 393,703 faces in 32,203 images: samples (image, dict).

    The dict has, for each face, bbox (x, y, width, height), blur, expression, illumination,
    occlusion, pose and invalid, tensors; `split` test has None. Yang et al., "WIDER FACE" (2016).
    """

    folder = "widerface"
    splits = ("train", "val", "test")
    published = (
        Archive(drive("15hGDLhsx8bLgLcIRD5DhYt5iBxnjNF1M"), "3fedf70df600953d25982bcd13d91ba2",
                "WIDER_train.zip", made="WIDER_train"),
        Archive(drive("1GUCogbp16PMGa39thoMMeWxp7Rp5oM8Q"), "dfa7d7e790efa35df3788964cf0bbaea",
                "WIDER_val.zip", made="WIDER_val"),
        Archive(drive("1HIfDbVEWKmsYKJZm4lchTBDLW5N7dY5T"), "e5d8f4248ed24c334bbd12f49c29dd40",
                "WIDER_test.zip", made="WIDER_test"),
        Archive("http://shuoyang1213.me/WIDERFACE/support/bbx_annotation/wider_face_split.zip",
                "0e3767bcf0e326556d407bf5bff5d27c", made="wider_face_split"),
    )  # fmt: skip
    _columns = ("blur", "expression", "illumination", "occlusion", "pose", "invalid")

    def files(self):
        *images, lists = self.published
        return [images[self.splits.index(self.split)], lists]

    def _image(self, name):
        return self.path(f"WIDER_{self.split}", "images", *name.split("/"))

    def listed(self):
        if self.split == "test":
            names = read_lines(self.path("wider_face_split", "wider_face_test_filelist.txt"))
            return [(self._image(name), None) for name in names]
        path = self.path("wider_face_split", f"wider_face_{self.split}_bbx_gt.txt")
        lines = iter(line.strip() for line in read_lines(path))
        samples = []
        try:
            for name in filter(None, lines):
                count = max(1, int(next(lines)))  # an image without faces has a row of zeros
                rows = [[int(x) for x in next(lines).split()] for _ in range(count)]
                samples.append((self._image(name), self._faces(tallow.tensor(rows))))
        except (ValueError, StopIteration) as error:
            place = len(samples) + 1
            raise DataFileError(
                f"{path}: expected boxes of image {place}, got {error!r}"
            ) from error
        return samples

    def _faces(self, rows):
        columns = dict(zip(self._columns, rows[:, 4:10].T, strict=True))
        return {"bbox": rows[:, :4]} | {name: column.clone() for name, column in columns.items()}
