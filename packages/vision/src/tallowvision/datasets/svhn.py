"""SVHN: digits of house numbers."""

import os

import numpy as np
import PIL.Image

from tallow.utils.datasets import DataFileError, File, require
from tallowvision.datasets._files import read_mat
from tallowvision.datasets.utils import verify_str_arg
from tallowvision.datasets.vision import VisionDataset


class SVHN(VisionDataset):
    """Photographed house numbers, one digit in the middle of each image: samples (image, digit).

    `split` is train (73,257), test (26,032) or extra (531,131). Images are Pillow's, RGB, 32 x 32;
    `data` (N, 3, 32, 32) and `labels` (N) are arrays of all. Reading them takes the package scipy.
    Netzer et al., "Reading digits in natural images with unsupervised feature learning" (2011).
    """

    address = "http://ufldl.stanford.edu/housenumbers/"
    split_list = {
        "train": ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
        "test": ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        "extra": ("extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"),
    }

    def __init__(
        self, root, split="train", transform=None, target_transform=None, download=False
    ):  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        require("SVHN", self.root, [self._published()])
        path = os.path.join(self.root, self.filename)
        content = read_mat(path, squeeze=False)
        images, labels = (content.get(key) for key in ("X", "y"))
        if np.ndim(images) != 4 or np.size(labels) != np.shape(images)[3]:
            raise DataFileError(
                f"{path}: expected X (32, 32, 3, N) and y (N, 1), got {np.shape(images)} and "
                f"{np.shape(labels)}"
            )
        self.data = images.transpose(3, 2, 0, 1)
        self.labels = labels.astype(np.int64).reshape(-1) % 10  # the file has 10 for the digit 0

    def download(self):
        """Download the file of the split, unless it is there."""
        self._published().get(self.root)

    def _published(self):
        return File(self.address + self.filename, self.file_md5)

    def __getitem__(self, index):
        image = PIL.Image.fromarray(self.data[index].transpose(1, 2, 0))
        return self._transformed(image, int(self.labels[index]))

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {self.split}"
