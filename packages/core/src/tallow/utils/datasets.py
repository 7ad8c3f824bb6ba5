"""Datasets of published files: what is published where, how it gets here, and what is missing.

    SPOKEN = Archive(
        ("https://one.org/spoken.tar.gz", "https://other.org/spoken.tar.gz"),
        "962ff6e904d2df1126132ecec6978786...", made="spoken", size=17_286_119,
    )
    SPOKEN.get("data")                   # downloaded, verified and unpacked, unless it was
    require("Spoken", "data", [SPOKEN])  # else an error: what to fetch, from where and to where

`tallow.testing.datasets` serves small archives in place of such files, for tests.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tallow.errors import TallowError
from tallow.utils.download import ArchiveError, DownloadError, digest_of, extract, fetch

__all__ = [
    "Archive", "ArchiveError", "DataFileError", "DownloadError", "File", "MissingFilesError",
    "digest_of", "drive", "extract", "fetch", "get_missing", "parsed", "read_lines", "require",
]  # fmt: skip


class MissingFilesError(TallowError, FileNotFoundError, RuntimeError):
    """Files or folders of a dataset that are not there."""


class DataFileError(TallowError, RuntimeError, ValueError):
    """A file of a dataset that is broken, or not as it is published."""


@dataclass(frozen=True)
class File:
    """A published file, used as it is.

    `url` is its address, or a tuple of those of mirrors (none if it is given by hand alone);
    `digest` its SHA-256 or MD5 in hexadecimal, if known; `name` what it is stored as, by default
    the end of its first address; `size` is in bytes.
    """

    url: str | tuple[str, ...] = ()
    digest: str | None = None
    name: str = ""
    size: int | None = field(default=None, kw_only=True)

    @property
    def urls(self):
        """Its addresses, as a tuple."""
        return (self.url,) if isinstance(self.url, str) else tuple(self.url)

    @property
    def filename(self):
        """The name it is stored under."""
        return self.name or "".join(self.urls[:1]).rpartition("/")[2]

    @property
    def makes(self):
        """What is in the folder once it is there."""
        return self.filename

    def get(self, folder):
        """The path of the file in a folder, downloaded unless it is there; see `fetch`."""
        return fetch(self.urls, Path(folder, self.filename), self.digest, size=self.size)

    def by_hand(self, folder):
        """What one has to do without `get`, in words."""
        return f"{' or '.join(self.urls)} to {Path(folder, self.filename)}"


@dataclass(frozen=True)
class Archive(File):
    """A file to unpack, in the dataset's folder or `into` below it; `made` is then there."""

    made: str = ""
    into: str = ""

    @property
    def makes(self):
        return self.made

    def get(self, folder):
        """Download and unpack it: the folder that it was unpacked in."""
        return extract(super().get(folder), Path(folder, self.into))

    def by_hand(self, folder):
        return f"{super().by_hand(folder)}, unpacked in {Path(folder, self.into)}"


def drive(number):
    """The address of a file on Google Drive."""
    return f"https://drive.usercontent.google.com/download?id={number}&export=download&confirm=t"


def get_missing(folder, files):
    """Have files in a dataset's folder: those are downloaded whose results are not there."""
    for file in files:
        if not Path(folder, file.makes).exists():
            file.get(folder)


def require(name, folder, files):
    """Raise MissingFilesError unless a dataset's folder has what all its files make.

    It says which paths are missing and, of files with an address, from where to fetch them and
    where to put them.

    >>> require("Pets", "data", [File("https://one.org/pets.csv")])
    Traceback (most recent call last):
        ...
    tallow.utils.datasets.MissingFilesError: Pets: expected data/pets.csv, which does not exist; \
download=True downloads it, or put there by hand
      https://one.org/pets.csv to data/pets.csv
    """
    missing = [file for file in files if not Path(folder, file.makes).exists()]
    if not missing:
        return
    paths = ", ".join(dict.fromkeys(str(Path(folder, file.makes)) for file in missing))
    by_hand = dict.fromkeys(file.by_hand(folder) for file in missing if file.url)
    hint = "; download=True downloads it, or put there by hand" if by_hand else ""
    raise MissingFilesError(
        "\n  ".join([f"{name}: expected {paths}, which does not exist{hint}", *by_hand])
    )


def read_lines(path, encoding="utf-8"):
    """The lines of a text file, without their ends."""
    try:
        with open(path, encoding=encoding) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        raise MissingFilesError(f"{path}: expected a file, which does not exist") from None


def parsed(path, lines, parse):
    """What a function makes of each line; DataFileError names the line that it fails on."""
    made = []
    for number, line in enumerate(lines, 1):
        try:
            made.append(parse(line))
        except (ValueError, IndexError, KeyError) as error:
            raise DataFileError(f"{path}, line {number}: got {line!r}; {error}") from error
    return made
