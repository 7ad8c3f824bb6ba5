"""CIFAR-10 and CIFAR-100: small photographs."""

import os

import numpy as np
import PIL.Image

from tallow.utils.datasets import Archive, DataFileError, get_missing, require
from tallowvision.datasets._batches import read_batch
from tallowvision.datasets.vision import VisionDataset


class CIFAR10(VisionDataset):
    """Photographs of ten classes, 50,000 to learn from and 10,000 to test on: (image, class).

    Images are Pillow's, RGB, 32 x 32; `data` (N, 32, 32, 3) is an array of all, `targets` a list.
    The files lie in root/cifar-10-batches-py, where `download` puts them if they are missing.
    Krizhevsky, "Learning multiple layers of features from tiny images" (2009).
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"]
    test_list = ["test_batch"]
    labels_key, meta = "labels", ("batches.meta", "label_names")

    def __init__(
        self, root, train=True, transform=None, target_transform=None, download=False
    ):  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        require(type(self).__name__, self.root, self._published())
        batches = [
            self._read(self._path(name)) for name in (self.train_list if train else self.test_list)
        ]
        self.data = np.concatenate([images for images, _ in batches])
        self.targets = [label for _, labels in batches for label in labels]
        name, key = self.meta
        self.classes = read_batch(self._path(name), **{key: list})[key]
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}

    def _path(self, name):
        return os.path.join(self.root, self.base_folder, name)

    def _published(self):
        """The archive, once for each file in it."""
        names = (*self.train_list, *self.test_list, self.meta[0])
        made = [os.path.join(self.base_folder, name) for name in names]
        return [Archive(self.url, self.tgz_md5, self.filename, made=path) for path in made]

    def _read(self, path):
        """The images (N, 32, 32, 3) and labels in a file."""
        batch = read_batch(path, data=np.ndarray, **{self.labels_key: list})
        images, labels = batch["data"], batch[self.labels_key]
        if images.dtype != np.uint8 or images.shape != (len(labels), 3072):
            raise DataFileError(
                f"{path}: expected uint8 images ({len(labels)}, 3072), got {images.dtype} "
                f"{images.shape}"
            )
        return images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels

    def download(self):
        """Download the archive and unpack it, unless all files are there."""
        get_missing(self.root, self._published())

    def __getitem__(self, index):
        return self._transformed(PIL.Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Photographs of a hundred classes in the same format, 600 of each: (image, class)."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = ["train"]
    test_list = ["test"]
    labels_key, meta = "fine_labels", ("meta", "fine_label_names")
