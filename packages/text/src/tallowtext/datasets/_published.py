"""What datasets of published files share: where the files are, and how a split is made of them.

PETS = published(
    "PETS", "Texts about pets: (label from 1 to 3, text).",
    of_archive("https://.../pets.zip", "0123...", train="pets/train.csv", test="pets/test.csv"),
    rows(), labelled,
)
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tallow.errors import ArgumentError, TallowError
from tallow.hub import get_dir
from tallow.utils.datasets import File, extract, get_missing
from tallowtext._files import TextFileError
from tallowtext.data.readers import Records


class SplitError(ArgumentError, TypeError):
    """A split that a dataset has not."""


class MissingMemberError(TallowError, RuntimeError):
    """An archive without a file that should be in it."""


@dataclass(frozen=True)
class Member(File):
    """A file in an archive: its path in the dataset's folder, and there, or further below."""

    path: str = ""

    @property
    def makes(self):
        return self.path

    def get(self, folder):
        """Download the archive and take the file out of it."""
        unpack(super().get(folder), {self.path: Path(folder, self.path)})


def placed(file, folder):
    """The path of a published file in a folder, after downloading what is not there."""
    get_missing(folder, [file])
    return Path(folder, file.makes)


def unpack(archive, wanted):
    """Put files of an archive to their places: `wanted` maps ends of their paths to these."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        extract(archive, folder)
        inside = [path for path in Path(folder).rglob("*") if not path.name.startswith("._")]
        for end, place in wanted.items():
            found = [path for path in sorted(inside) if path.as_posix().endswith(end)]
            if not found:
                raise MissingMemberError(f"{archive}: expected the file {end} in it, got none")
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(found[0], place)


def of_files(base="", **splits):
    """Splits that are files of their own: name=(end of the address, MD5)."""
    return {split: File(base + url, md5) for split, (url, md5) in splits.items()}


def of_archive(url, md5, name="", **splits):
    """Splits that are files in one archive: name=path."""
    return {split: Member(url, md5, name, path) for split, path in splits.items()}


def folder_of(name, root):
    """The folder of a dataset below `root`, by default the cache."""
    folder = Path(get_dir(), "text") if root is None else Path(root)
    return folder / "datasets" / name


def chosen(name, split, splits, make):
    """What `make` makes of a split; a tuple for a tuple of them. SplitError for an unknown one."""
    asked = (split,) if isinstance(split, str) else tuple(split)
    for one in asked:
        if one not in splits:
            raise SplitError(f"{name}: expected splits of {', '.join(splits)}, got {one!r}")
    made = tuple(make(one) for one in asked)
    return made[0] if isinstance(split, str) else made


MAKERS: dict[str, Callable] = {}  # of splits, by the names of datasets: (folder, split)


class Split(Records):
    """A split of a dataset, which is pickled as what makes it."""

    made_of: tuple = ()

    def __reduce__(self):
        return _again, self.made_of


def _again(name, folder, split):
    import_module("tallowtext.datasets")
    return MAKERS[name](folder, split)


def published(name, about, files, split_records, parse=None, of_split=None):
    """The function `name(root, split)`, which gives a dataset, or a tuple for several splits.

    `files` maps splits to their files, `split_records` and `parse` are what `Records` takes, and
    `of_split` has other `parse` functions for some splits.
    """
    splits = tuple(files)

    def one(folder, split):
        path = placed(files[split], folder)
        made = Split(path, split_records, (of_split or {}).get(split, parse))
        made.made_of = name, folder, split
        return made

    def dataset(root=None, split=splits):
        return chosen(name, split, splits, lambda one_: one(folder_of(name, root), one_))

    def whole(root=None):
        return one(folder_of(name, root), splits[0])

    MAKERS[name] = one
    made: Callable = dataset if len(splits) > 1 else whole
    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"{about}\n\n    Splits: {', '.join(splits)}. Files are kept below `root`."
    return made


class Pairs(Records):
    """Pairs of the samples of two files; TextFileError where one has more of them."""

    def __init__(self, source, target):
        super().__init__(source.path, source.split, source.parse)
        self.target = target

    def __iter__(self):
        sources, targets = super().__iter__(), iter(self.target)
        for source in sources:
            target = next(targets, None)
            if target is None:
                break
            yield source, target
        else:
            if next(targets, None) is None:
                return
        raise TextFileError(
            f"{self.path} and {self.target.path}: expected as many lines in both, got more in one"
        )
