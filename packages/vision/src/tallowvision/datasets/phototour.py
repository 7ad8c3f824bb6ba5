"""Patches of many photographs of the same places."""

from pathlib import Path

import numpy as np

import tallow
from tallow.utils.datasets import Archive, DataFileError, parsed, read_lines
from tallowvision._pil import open_image
from tallowvision.datasets._files import PublishedDataset
from tallowvision.datasets.utils import verify_str_arg

_OLD = "http://icvl.ee.ic.ac.uk/vbalnt/"
_NEW = "http://matthewalunbrown.com/patchdata/"
_SIDE = 64  # pixels


class PhotoTour(PublishedDataset):
    """Patches around points of buildings and mountains: uint8 (64, 64), or pairs of them.

    `name` is notredame, yosemite or liberty, or one of these with _harris. With `train`, samples
    are patches; `labels` are the numbers of the points that they show. Else they are (patch,
    patch, 1 if both show one point). `mean` and `std` are of the patches' levels, over 255. Winder
    and Brown, "Learning local image descriptors" (2007).
    """

    _names = {  # address, MD5, patches, mean, deviation
        "notredame_harris": (_NEW, "69f8c90f78e171349abdf0307afefe4d", 325295, 0.4854, 0.1864),
        "yosemite_harris": (_NEW, "a73253d1c6fbd3ba2613c45065c00d46", 450912, 0.4844, 0.1818),
        "liberty_harris": (_NEW, "c731fcfb3abb4091110d0ae8c7ba182c", 379587, 0.4437, 0.2019),
        "notredame": (_OLD, "509eda8535847b8c0a90bbb210c83484", 468159, 0.4854, 0.1864),
        "yosemite": (_OLD, "533b2e8eb7ede31be40abc317b2fd4f0", 633587, 0.4844, 0.1818),
        "liberty": (_OLD, "fdd9152f138ea5ef2091746689176414", 450092, 0.4437, 0.2019),
    }

    def __init__(self, root, name, train=True, transform=None, download=False):
        self.name = verify_str_arg(name, "name", tuple(self._names))
        self.train = train
        *_, count, self.mean, self.std = self._names[name]
        super().__init__(root, transform, download=download)
        self.data = self._patches()[:count]
        info, pairs = (self.path(name, f) for f in ("info.txt", "m50_100000_100000_0.txt"))
        labels = parsed(info, read_lines(info), lambda line: int(line.split()[0]))
        self.labels = tallow.tensor(list(labels))
        self.matches = tallow.tensor(list(parsed(pairs, read_lines(pairs), self._pair)))

    def files(self):
        address, md5, *_ = self._names[self.name]
        return [Archive(f"{address}{self.name}.zip", md5, made=self.name, into=self.name)]

    def _patches(self):
        """All patches (N, 64, 64): they are in rows of pictures."""
        parts = []
        for path in sorted(Path(self.path(self.name)).glob("*.bmp")):
            levels = open_image(path, lambda image: np.asarray(image.convert("L")))
            high, wide = (size // _SIDE for size in levels.shape)
            if levels.shape != (high * _SIDE, wide * _SIDE):
                raise DataFileError(
                    f"{path}: expected sides that are multiples of {_SIDE}, got {levels.shape}"
                )
            grid = levels.reshape(high, _SIDE, wide, _SIDE).swapaxes(1, 2)
            parts.append(grid.reshape(-1, _SIDE, _SIDE))
        if not parts:
            raise DataFileError(f"{self.path(self.name)}: expected pictures (.bmp), got none")
        return tallow.from_numpy(np.concatenate(parts))

    @staticmethod
    def _pair(line):
        """The patches and points of a line: two numbers of patches, and 1 for the same point."""
        words = line.split()
        return [int(words[0]), int(words[3]), int(words[1] == words[4])]

    def __getitem__(self, index):
        change = self.transform or (lambda patch: patch)
        if self.train:
            return change(self.data[index])
        first, second, same = self.matches[index]
        return change(self.data[first]), change(self.data[second]), same

    def __len__(self):
        return len(self.data if self.train else self.matches)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"
