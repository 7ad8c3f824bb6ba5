"""Small images, all in one file: STL10, USPS, SEMEION, MovingMNIST, PCAM."""

import bz2

import numpy as np
import PIL.Image

import tallow
from tallow.utils.datasets import Archive, DataFileError, File, drive, parsed, read_lines
from tallowvision._errors import optional
from tallowvision.datasets._files import IN_EXTRA, PublishedDataset, in_range
from tallowvision.datasets.utils import verify_str_arg


class _Grey(PublishedDataset):
    """The base of datasets with `data` (N, H, W), uint8, and `targets`."""

    def __getitem__(self, index):
        return self._transformed(PIL.Image.fromarray(self.data[index]), int(self.targets[index]))

    def __len__(self):
        return len(self.data)


class USPS(_Grey):
    """Handwritten digits of envelopes, 16 x 16, 7,291 to learn from and 2,007 to test on.

    Samples are (grey image, digit). Hull, "A database for handwritten text recognition" (1994).
    """

    _address = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"

    def __init__(
        self, root, train=True, transform=None, target_transform=None, download=False
    ):  # fmt: skip
        self.train = train
        super().__init__(root, transform, target_transform, download)
        path = self.path(self.files()[0].filename)
        try:
            with bz2.open(path, "rt", encoding="ascii") as file:
                lines = file.read().splitlines()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise DataFileError(
                f"{path}: expected text compressed by bzip2, got {error}"
            ) from error
        rows = list(parsed(path, lines, self._row))
        self.targets = [label for label, _ in rows]
        levels = np.array([pixels for _, pixels in rows], np.float32).reshape(-1, 16, 16)
        self.data = ((levels + 1) / 2 * 255).astype(np.uint8)

    @staticmethod
    def _row(line):
        """A label from 1 on, then number:value for each pixel."""
        label, *pixels = line.split()
        if len(pixels) != 256:
            raise ValueError(f"expected 256 pixels, got {len(pixels)}")
        return int(label) - 1, [float(pixel.rpartition(":")[2]) for pixel in pixels]

    def files(self):
        if self.train:
            return [File(self._address + "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197")]
        return [File(self._address + "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118")]


class SEMEION(_Grey):
    """Handwritten digits in black and white, 16 x 16, 1,593 of them: samples (grey image, digit).

    `labels` are the digits. Buscema, "MetaNet" (1998).
    """

    published = (
        File("http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data",
             "cb545d371d2ce14ec121470795a77432"),
    )  # fmt: skip

    def __init__(self, root, transform=None, target_transform=None, download=True):
        super().__init__(root, transform, target_transform, download)
        path = self.path("semeion.data")
        rows = list(parsed(path, read_lines(path), self._row))
        self.data = np.array([pixels for pixels, _ in rows], np.uint8).reshape(-1, 16, 16) * 255
        self.labels = self.targets = np.array([label for _, label in rows])

    @staticmethod
    def _row(line):
        """256 pixels, then ten numbers of which one is 1."""
        numbers = [float(x) for x in line.split()]
        if len(numbers) != 266:
            raise ValueError(f"expected 266 numbers, got {len(numbers)}")
        return numbers[:256], numbers[256:].index(1)


class STL10(PublishedDataset):
    """Photographs of ten classes, 96 x 96: samples (image, class), -1 where there is no label.

    `split` is train (5,000), test (8,000), unlabeled (100,000) or train+unlabeled; `folds` is one
    of ten parts of the first, 0 to 9. `data` (N, 3, 96, 96) and `labels` are arrays. Coates et al.,
    "An analysis of single layer networks" (2011).
    """

    folder = "stl10_binary"
    splits = ("train", "train+unlabeled", "unlabeled", "test")
    published = (
        Archive("http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                "91f7769df0f17e558f3565bffb0c7dfb", made="train_X.bin", into=".."),
    )  # fmt: skip

    def __init__(
        self, root, split="train", folds=None, transform=None, target_transform=None, download=False
    ):
        self.split = verify_str_arg(split, "split", self.splits)
        self.folds = folds if folds is None else in_range("STL10: folds", folds, 0, 9)
        super().__init__(root, transform, target_transform, download)
        parts = [self._part(name) for name in split.split("+")]
        self.data = np.concatenate([images for images, _ in parts])
        self.labels = np.concatenate([labels for _, labels in parts])
        self.classes = read_lines(self.path("class_names.txt"))

    def _part(self, name):
        path = self.path(f"{name}_X.bin")
        images = np.fromfile(path, np.uint8)
        if images.size % (3 * 96 * 96):
            raise DataFileError(
                f"{path}: expected images of {3 * 96 * 96} bytes, got {images.size}"
            )
        images = images.reshape(-1, 3, 96, 96).swapaxes(2, 3)  # stored column by column
        if name == "unlabeled":
            return images, np.full(len(images), -1)
        labels = np.fromfile(self.path(f"{name}_y.bin"), np.uint8).astype(np.int64) - 1
        if len(labels) != len(images):
            raise DataFileError(f"{path}: expected {len(labels)} images, got {len(images)}")
        if name == "train" and self.folds is not None:
            fold = read_lines(self.path("fold_indices.txt"))[self.folds]
            chosen = np.array(fold.split(), np.int64)
            return images[chosen], labels[chosen]
        return images, labels

    def __getitem__(self, index):
        image = PIL.Image.fromarray(self.data[index].transpose(1, 2, 0))
        return self._transformed(image, int(self.labels[index]))

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {self.split}"


class MovingMNIST(PublishedDataset):
    """Videos of two digits that move: 10,000 tensors (frames, 1, 64, 64), uint8.

    There are 20 frames; `split` train gives the first `split_ratio` of them, test the others, None
    all. Srivastava et al., "Unsupervised learning of video representations" (2015).
    """

    folder = "MovingMNIST"
    published = (
        File("http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
             "be083ec986bfe91a449d63653c411eb2"),
    )  # fmt: skip

    def __init__(self, root, split=None, split_ratio=10, download=False, transform=None):
        if split is not None:
            verify_str_arg(split, "split", ("train", "test"))
        self.split = split
        self.split_ratio = in_range("MovingMNIST: split_ratio", split_ratio, 1, 19)
        super().__init__(root, transform, download=download)
        path = self.path("mnist_test_seq.npy")
        try:
            frames = np.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataFileError(f"{path}: expected an array in a .npy file, got {error}") from error
        kept = {"train": slice(split_ratio), "test": slice(split_ratio, None), None: slice(None)}
        self.data = tallow.from_numpy(frames[kept[split]].swapaxes(0, 1)[:, :, None].copy())

    def __getitem__(self, index):
        video = self.data[index]
        return video if self.transform is None else self.transform(video)

    def __len__(self):
        return len(self.data)


class PCAM(PublishedDataset):
    """Tissue, 96 x 96, with a tumour in the middle or not: samples (image, 1 if there is one).

    `split` is train (262,144), val or test (32,768 each). Reading it takes the package h5py.
    Veeling et al., "Rotation equivariant CNNs for digital pathology" (2018).
    """

    folder = "pcam"
    _parts = {
        "train": ("train", "1Ka0XfEMiwgCYPdTI-vv6eUElOBnKFKQ2", "1571f514728f59376b705fc836ff4b63",
                  "1269yhu3pZDP8UYFQs-NYs3FPwuK-nGSG", "35c2d7259d906cfc8143347bb8e05be7"),
        "test": ("test", "1qV65ZqZvWzuIVthK8eVDhIwrbnsJdbg_", "d8c2d60d490dbd479f8199bdfa0cf6ec",
                 "17BHrSrwWKjYsOgTMmoqrIjDy6Fa2o_gP", "60a7035772fbdb7f34eb86d4420cf66a"),
        "val": ("valid", "1hgshYGWK8V-eGRy8LToWJJgDU_rXWVJ3", "d5b63470df7cfa627aeec8b9dc0c066e",
                "1bH8ZRbhSVAhScTS0p9-ZzGnX91cHT3uO", "2b85f58b927af9964a4c15b8f7e8f179"),
    }  # fmt: skip

    def __init__(
        self, root, split="train", transform=None, target_transform=None, download=False
    ):  # fmt: skip
        self.split = verify_str_arg(split, "split", tuple(self._parts))
        super().__init__(root, transform, target_transform, download)
        self._open = optional("h5py", "PCAM", IN_EXTRA).File
        with self._open(self.path(self._name("x"))) as file:
            self._count = len(file["x"])

    def _name(self, kind):
        return f"camelyonpatch_level_2_split_{self._parts[self.split][0]}_{kind}.h5"

    def files(self):
        _, images, images_md5, labels, labels_md5 = self._parts[self.split]
        parts = (("x", images, images_md5), ("y", labels, labels_md5))
        return [
            Archive(drive(number), md5, f"{self._name(kind)}.gz", made=self._name(kind))
            for kind, number, md5 in parts
        ]

    def __getitem__(self, index):
        with self._open(self.path(self._name("x"))) as images:
            image = PIL.Image.fromarray(images["x"][index])
        with self._open(self.path(self._name("y"))) as labels:
            return self._transformed(image, int(labels["y"][index, 0, 0, 0]))

    def __len__(self):
        return self._count

    def extra_repr(self):
        return f"Split: {self.split}"
