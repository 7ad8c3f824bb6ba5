"""What datasets of published files share: they say what files they are published in, and read them.

class Pets(SplitImages):
    folder = "pets"                                  # below root
    splits = ("train", "test")
    published = (Archive("https://.../pets.tar.gz", "0123...", made="images"),)

    def listed(self):                                # (path, target) of the samples
        for line in read_lines(self.path(f"{self.split}.txt")):
            ...
"""

import os
from collections.abc import Collection

from tallow.errors import ArgumentError, NotSupportedError
from tallow.utils.datasets import DataFileError, get_missing, require
from tallowvision._errors import optional
from tallowvision.datasets.folder import default_loader
from tallowvision.datasets.utils import verify_str_arg
from tallowvision.datasets.vision import VisionDataset

IN_EXTRA = "; pip install 'tallowvision[datasets]'"


class PublishedDataset(VisionDataset):
    """A dataset whose files lie in root/`folder`, where `download` puts those `published`."""

    folder = ""
    published: tuple = ()

    def __init__(
        self, root, transform=None, target_transform=None, download=False, transforms=None
    ):
        super().__init__(root, transforms, transform, target_transform)
        if download:
            self.download()
        require(type(self).__name__, self.path(), self.files())

    def path(self, *parts):
        """A path below the dataset's folder."""
        return os.path.join(self.root, self.folder, *parts)

    def files(self):
        """What of the published files this dataset needs."""
        return self.published

    def download(self):
        """Download and unpack what is not there."""
        get_missing(self.path(), self.files())

    @property
    def class_to_idx(self):
        """A dict from the names of the classes to their numbers."""
        return {name: number for number, name in enumerate(self.classes)}


class ListedImages(PublishedDataset):
    """Images in files of their own, that `listed()` gives with their targets: (image, target)."""

    def __init__(
        self, root, transform=None, target_transform=None, download=False, loader=default_loader,
        transforms=None,
    ):  # fmt: skip
        super().__init__(root, transform, target_transform, download, transforms)
        self.loader = loader
        self.samples = list(self.listed())

    def listed(self):
        """The path and the target of each sample."""
        raise NotSupportedError(f"{type(self).__name__}: expected a subclass to define listed()")

    @property
    def targets(self):
        """The targets of all samples."""
        return [target for _, target in self.samples]

    def __getitem__(self, index):
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)

    def __len__(self):
        return len(self.samples)


class SplitImages(ListedImages):
    """Images of which some are to learn from and others to test on: one of `splits`."""

    splits: Collection[str] = ()

    def __init__(
        self, root, split="train", transform=None, target_transform=None, download=False,
        loader=default_loader,
    ):  # fmt: skip
        self.split = verify_str_arg(split, "split", tuple(self.splits))
        super().__init__(root, transform, target_transform, download, loader)

    def extra_repr(self):
        return f"Split: {self.split}"


def kinds_of(name, kinds, known):
    """The kinds of targets asked for, one or several, as a list."""
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return [verify_str_arg(kind, name, known) for kind in kinds]


def one_or_all(targets):
    """Targets as a tuple, the only one as itself, none as None."""
    targets = tuple(targets)
    return targets[0] if len(targets) == 1 else targets or None


def read_mat(path, squeeze=True):
    """The dict in a MATLAB file, arrays without dims of length 1; it takes the package scipy."""
    scipy_io = optional("scipy.io", f"{path}: a MATLAB file", IN_EXTRA)
    try:
        return scipy_io.loadmat(path, squeeze_me=squeeze)
    except Exception as error:  # scipy raises many kinds for a file that is none
        raise DataFileError(f"{path}: expected a MATLAB file, got {error}") from error


def in_range(name, value, low, high):
    """`value` if it is an integer from `low` to `high`, else ArgumentError."""
    if not isinstance(value, int) or not low <= value <= high:
        raise ArgumentError(f"{name}: expected an integer from {low} to {high}, got {value!r}")
    return value
