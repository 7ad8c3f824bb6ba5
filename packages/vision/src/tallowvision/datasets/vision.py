"""`VisionDataset`, the base of the image datasets."""

import os

from tallow.errors import ArgumentError
from tallow.utils.data import Dataset


class VisionDataset(Dataset):
    """A dataset under the directory `root`.

    `transform` changes each image and `target_transform` each target; `transforms` takes both and
    returns both. ArgumentError if `transforms` is given with one of the others.
    """

    def __init__(self, root=None, transforms=None, transform=None, target_transform=None):
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ArgumentError(
                f"{type(self).__name__}: expected transforms, or transform and target_transform, "
                "got both"
            )
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        self.transform = transform
        self.target_transform = target_transform
        if transform is not None or target_transform is not None:
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def _transformed(self, image, target):
        """The sample after the transforms."""
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def extra_repr(self):
        """More lines for `repr`, of a subclass."""
        return ""

    def __repr__(self):
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines += repr(self.transforms).splitlines()
        return "\n".join([f"Dataset {type(self).__name__}", *("    " + line for line in lines)])


class StandardTransform:
    """A function of image and target, made of one of each; either may be None."""

    def __init__(self, transform=None, target_transform=None):
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input, target):
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self):
        named = {"Transform": self.transform, "Target transform": self.target_transform}
        lines = ["StandardTransform"]
        for name, transform in named.items():
            if transform is not None:
                head, *rest = repr(transform).splitlines()
                indent = " " * (len(name) + 2)
                lines += [f"{name}: {head}", *(indent + line for line in rest)]
        return "\n".join(lines)
