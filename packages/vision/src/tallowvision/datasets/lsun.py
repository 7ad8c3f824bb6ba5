"""LSUN: rooms and places, in databases of LMDB."""

import bisect
import io
import os
from functools import cache
from itertools import accumulate

from tallow.errors import TypeMismatchError
from tallow.utils.datasets import File, require
from tallowvision._errors import optional
from tallowvision._pil import open_image
from tallowvision.datasets._files import IN_EXTRA
from tallowvision.datasets.utils import verify_str_arg
from tallowvision.datasets.vision import VisionDataset

_KINDS = (
    "bedroom", "bridge", "church_outdoor", "classroom", "conference_room", "dining_room",
    "kitchen", "living_room", "restaurant", "tower",
)  # fmt: skip
_PARTS = ("train", "val", "test")


@cache
def _database(path, process):
    """The database in a folder, which one process can open once."""
    del process
    lmdb = optional("lmdb", "LSUN", IN_EXTRA)
    return lmdb.open(path, readonly=True, lock=False, readahead=False, meminit=False)


class LSUNClass(VisionDataset):
    """The images of one database, a folder: samples (image, None)."""

    def __init__(self, root, transform=None, target_transform=None):
        super().__init__(root, transform=transform, target_transform=target_transform)
        require(type(self).__name__, root, [File()])
        with self._reading() as reading:
            self.keys = list(reading.cursor().iternext(keys=True, values=False))

    def _reading(self):
        return _database(str(self.root), os.getpid()).begin()

    def __getitem__(self, index):
        key = self.keys[index]
        with self._reading() as reading:
            content = io.BytesIO(reading.get(key))
        name = f"{self.root}, {key.decode(errors='replace')}"
        return self._transformed(
            open_image(content, lambda image: image.convert("RGB"), name), None
        )

    def __len__(self):
        return len(self.keys)


class LSUN(VisionDataset):
    """Rooms and places, ten kinds, about ten million images: samples (image, place in `classes`).

    `classes` is train or val (of all kinds), test, or a list such as ["bedroom_train"]; each is a
    folder of `root`, called bedroom_train_lmdb and so on. Reading them takes the package lmdb. Yu
    et al., "LSUN" (2015).
    """

    def __init__(self, root, classes="train", transform=None, target_transform=None):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes = self._checked(classes)
        self.dbs = [LSUNClass(os.path.join(root, f"{name}_lmdb")) for name in self.classes]
        self.indices = list(accumulate(len(db) for db in self.dbs))

    @staticmethod
    def _checked(classes):
        if isinstance(classes, str):
            verify_str_arg(classes, "classes", _PARTS)
            return ["test"] if classes == "test" else [f"{kind}_{classes}" for kind in _KINDS]
        if not isinstance(classes, list | tuple):
            raise TypeMismatchError(
                f"LSUN: expected classes as a name or a list, got {type(classes).__name__}"
            )
        known = tuple(f"{kind}_{part}" for kind in _KINDS for part in _PARTS)
        return [verify_str_arg(name, "classes", known) for name in classes]

    def __getitem__(self, index):
        place = bisect.bisect_right(self.indices, index)
        image, _ = self.dbs[place][index - (self.indices[place - 1] if place else 0)]
        return self._transformed(image, place)

    def __len__(self):
        return self.indices[-1]

    def extra_repr(self):
        return f"Classes: {self.classes}"
