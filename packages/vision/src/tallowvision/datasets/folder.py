"""Datasets of files sorted into folders, one for each class."""

import os

from tallow.errors import ArgumentError
from tallow.utils.datasets import MissingFilesError
from tallowvision._pil import open_image
from tallowvision.datasets.vision import VisionDataset

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def has_file_allowed_extension(filename, extensions):
    """True if a file's name ends in one of the extensions, in any case."""
    return filename.lower().endswith(
        extensions if isinstance(extensions, str) else tuple(extensions)
    )


def is_image_file(filename):
    """True if a file's name is one of an image."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory):
    """The folders in a directory, sorted, and a dict from them to their numbers."""
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise MissingFilesError(
            f"{directory}: expected a folder for each class in it, got no folders"
        )
    return classes, {name: number for number, name in enumerate(classes)}


def make_dataset(
    directory, class_to_idx=None, extensions=None, is_valid_file=None, allow_empty=False
):  # fmt: skip
    """The (path, class number) of all files below the folders of classes, in order.

    Files count by their `extensions`, or where `is_valid_file(path)` is true: one of the two is
    given. MissingFilesError for a class without any, unless `allow_empty`.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    elif not class_to_idx:
        raise ArgumentError("make_dataset: expected classes in class_to_idx, got none")
    if (extensions is None) == (is_valid_file is None):
        raise ArgumentError("make_dataset: expected extensions or is_valid_file, and not both")
    valid = is_valid_file or (lambda path: has_file_allowed_extension(path, extensions))
    samples, empty = [], []
    for name in sorted(class_to_idx):
        folder = os.path.join(directory, name)
        paths = [path for path in _files_below(folder) if valid(path)]
        samples += [(path, class_to_idx[name]) for path in paths]
        if not paths:
            empty.append(name)
    if empty and not allow_empty:
        kinds = f" ending in {_listing(extensions)}" if extensions is not None else ""
        raise MissingFilesError(
            f"{directory}: expected files{kinds} for every class, got none for {', '.join(empty)}; "
            "allow_empty=True takes classes without files"
        )
    return samples


def _listing(extensions):
    return extensions if isinstance(extensions, str) else ", ".join(extensions)


def _files_below(folder):
    for parent, _, names in sorted(os.walk(folder, followlinks=True)):
        for name in sorted(names):
            yield os.path.join(parent, name)


class DatasetFolder(VisionDataset):
    """Files in root/CLASS/... of any depth, read by `loader(path)`: samples (data, class number).

    Attributes: `classes` (sorted names), `class_to_idx`, `samples` (path, class number), `targets`.
    """

    def __init__(
        self, root, loader, extensions=None, transform=None, target_transform=None,
        is_valid_file=None, allow_empty=False,
    ):  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory, class_to_idx, extensions=None, is_valid_file=None, allow_empty=False
    ):  # fmt: skip
        """See the function of that name; a subclass may find its samples elsewhere."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory):
        """See the function of that name; a subclass may choose classes."""
        return find_classes(directory)

    def __getitem__(self, index):
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)

    def __len__(self):
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in root/CLASS/... of any depth: samples (RGB image, class number).

    Attributes: `classes` (sorted names), `class_to_idx`, `imgs` (path, class number), `targets`.
    A file that is no whole image raises ImageFileError, with its path, when it is read.
    """

    def __init__(
        self, root, transform=None, target_transform=None, loader=None, is_valid_file=None,
        allow_empty=False,
    ):  # fmt: skip
        super().__init__(
            root,
            loader or default_loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples


def pil_loader(path):
    """The image in a file, in RGB; ImageFileError names a file that is no whole image."""
    return open_image(path, lambda image: image.convert("RGB"))


def default_loader(path):
    """`pil_loader`."""
    return pil_loader(path)
