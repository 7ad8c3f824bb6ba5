"""MNIST and its family: small grey images of signs, in idx files."""

import os
import string
from os.path import splitext

import PIL.Image

import tallow
from tallow.utils.datasets import Archive, DataFileError, extract, get_missing, require
from tallowvision.datasets._idx import read_idx
from tallowvision.datasets.utils import verify_str_arg
from tallowvision.datasets.vision import VisionDataset

_DIGITS = "zero one two three four five six seven eight nine".split()


class MNIST(VisionDataset):
    """Handwritten digits, 60,000 to learn from and 10,000 to test on: samples (image, digit).

    Images are Pillow's, grey, 28 x 28; `data` (N, 28, 28) and `targets` (N) hold all as tensors.
    The files lie in root/MNIST/raw, where `download` puts them if they are missing. LeCun et al.,
    "Gradient-based learning applied to document recognition" (1998).
    """

    mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [f"{number} - {name}" for number, name in enumerate(_DIGITS)]

    def __init__(
        self, root, train=True, transform=None, target_transform=None, download=False
    ):  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        images, labels = self.images_file, self.labels_file
        needed = [os.path.basename(path) for path in (images, labels)]
        files = [file for file in self._published() if file.makes in needed]
        require(type(self).__name__, self.raw_folder, files)
        self.data, self.targets = self._read(images, labels)
        if len(self.data) != len(self.targets):
            raise DataFileError(
                f"{labels}: expected a label for each of {len(self.data)} images, "
                f"got {len(self.targets)}"
            )

    def _read(self, images, labels):
        return read_idx(images, 3, tallow.uint8), read_idx(labels, 1, tallow.uint8).long()

    @property
    def raw_folder(self):
        """The folder of the files."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def images_file(self):
        """The file of the images."""
        return self._file("images-idx3-ubyte")

    @property
    def labels_file(self):
        """The file of the labels."""
        return self._file("labels-idx1-ubyte")

    def _file(self, kind):
        return os.path.join(self.raw_folder, f"{'train' if self.train else 't10k'}-{kind}")

    @property
    def class_to_idx(self):
        """A dict from the names of the classes to their numbers."""
        return {name: number for number, name in enumerate(self.classes)}

    def download(self):
        """Download what is missing of the files."""
        get_missing(self.raw_folder, self._published())

    def _published(self):
        """The compressed files."""
        return [
            Archive(tuple(mirror + name for mirror in self.mirrors), md5, made=splitext(name)[0])
            for name, md5 in self._resources
        ]

    @property
    def _resources(self):
        return self.resources

    def __getitem__(self, index):
        image = PIL.Image.fromarray(self.data[index].numpy())
        return self._transformed(image, self._target(index))

    def _target(self, index):
        return int(self.targets[index])

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes in ten classes, in MNIST's format (Xiao et al., 2017)."""

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Ten classes of old Japanese cursive characters, in MNIST's format (Clanuwat et al., 2018)."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten letters and digits, in six selections (Cohen et al., 2017).

    `split` is one of byclass, bymerge, balanced, letters, digits and mnist. The images are stored
    with rows and columns exchanged, and given so.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _merged = sorted({*string.digits, *string.ascii_letters} - set("cijklmopsuvwxyz"))
    classes_split_dict = {
        "byclass": sorted(string.digits + string.ascii_letters),
        "bymerge": _merged,
        "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root, split, **kwargs):
        self.split = verify_str_arg(split, "split", self.splits)
        self.classes = self.classes_split_dict[split]
        super().__init__(root, **kwargs)

    def _file(self, kind):
        part = "train" if self.train else "test"
        return os.path.join(self.raw_folder, f"emnist-{self.split}-{part}-{kind}")

    def _published(self):
        made = (os.path.basename(path) for path in (self.images_file, self.labels_file))
        return [Archive(self.url, self.md5, made=name) for name in made]

    def download(self):
        if os.path.isfile(self.images_file) and os.path.isfile(self.labels_file):
            return
        archive, _ = self._published()
        folder = os.path.join(archive.get(self.raw_folder), "gzip")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".gz"):
                extract(os.path.join(folder, name), self.raw_folder, remove_finished=True)


class QMNIST(MNIST):
    """MNIST made anew from its sources, with all 60,000 test images (Yadav and Bottou, 2019).

    `what` is one of train, test, test10k (MNIST's own), test50k (the others) and nist (all of
    them); by default `train` says which. The target is the digit, or, without `compat`, a tensor of
    eight numbers: class, NIST series, writer, number in the series, NIST's class, index in NIST,
    and two that say which it duplicates.
    """

    subsets = {
        "train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist",
    }  # fmt: skip
    mirrors = ["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"]
    resources = {  # type: ignore[assignment]
        "train": [
            ("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            ("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            ("xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            ("xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(self, root, what=None, compat=True, train=True, **kwargs):
        what = ("train" if train else "test") if what is None else what
        self.what = verify_str_arg(what, "what", tuple(self.subsets))
        self.compat = compat
        super().__init__(root, train, **kwargs)

    @property
    def images_file(self):
        return os.path.join(self.raw_folder, splitext(self._resources[0][0])[0])

    @property
    def labels_file(self):
        return os.path.join(self.raw_folder, splitext(self._resources[1][0])[0])

    @property
    def _resources(self):
        return self.resources[self.subsets[self.what]]

    def _read(self, images, labels):
        data, targets = read_idx(images, 3, tallow.uint8), read_idx(labels, 2, tallow.int32).long()
        part = {"test10k": slice(None, 10_000), "test50k": slice(10_000, None)}.get(self.what)
        return (data, targets) if part is None else (data[part], targets[part])

    def _target(self, index):
        return int(self.targets[index][0]) if self.compat else self.targets[index]

    def extra_repr(self):
        return f"Split: {self.what}"
