"""What datasets share: where their files are published, how they are fetched, listed and loaded.

class YESNO(Recordings):
    def __init__(self, root, download=False):
        archive = Archive("http://.../waves_yesno.tar.gz", "c3f4...", made="waves_yesno")
        super().__init__(root, "waves_yesno", [archive], download)
        self.entries = self.listed("*.wav")          # paths below the folder

    def described(self, entry):                      # the path, and what a sample has beside it
        return entry, [int(digit) for digit in Path(entry).stem.split("_")]
"""

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from tallow.errors import ArgumentError, NotSupportedError, TallowError
from tallow.utils.data import Dataset
from tallow.utils.download import extract, fetch
from tallowaudio._load import load


class MissingFilesError(TallowError, FileNotFoundError, RuntimeError):
    """Files or folders of a dataset that are not there."""


class DataFileError(TallowError, RuntimeError, ValueError):
    """A file of a dataset that is not as it is published."""


@dataclass(frozen=True)
class Archive:
    """A published file: its address, its SHA-256, and what is there once it is, below the root.

    It is unpacked, into the root or `into` below it, unless `made` is its own name.
    """

    url: str
    sha256: str | None
    made: str
    into: str = ""

    @property
    def name(self):
        """Its file's name."""
        return self.url.rpartition("/")[2]

    def get(self, root):
        """Fetch and unpack it, unless what it makes is there already."""
        if not Path(root, self.made).exists():
            path = fetch(self.url, Path(root, self.name), self.sha256 and f"sha256:{self.sha256}")
            if self.made != self.name:
                extract(path, Path(root, self.into))


class Recordings(Dataset):
    """Recordings below root/`folder`, where `archives` put them: (waveform, sample rate, ...)."""

    sample_rate: int | None = None  # in Hz, where all have the same; another is an error

    def __init__(self, root, folder="", archives=(), download=False):
        self.root = os.path.expanduser(os.fspath(root))
        self.folder = os.path.join(self.root, folder)
        self.entries: list = []
        if download:
            for archive in archives:
                archive.get(self.root)
        for path in (self.folder, *(os.path.join(self.root, archive.made) for archive in archives)):
            if not os.path.exists(path):
                raise MissingFilesError(
                    f"{type(self).__name__}: expected {path}, which does not exist"
                    + ("; download=True downloads it" if archives else "")
                )

    def listed(self, pattern):
        """The paths below the folder that match a pattern, sorted."""
        return sorted(glob.glob(pattern, root_dir=self.folder))

    def described(self, entry):
        """The path of an entry's recording, and what a sample has after the sample rate."""
        raise NotSupportedError(f"{type(self).__name__}: expected described() to be defined")

    def waveform(self, path, *where):
        """The waveform and the sample rate of a file below the folder, or of a part of it."""
        path = os.path.join(self.folder, path)
        waveform, rate = load(path, *where)
        if self.sample_rate not in (None, rate):
            raise DataFileError(f"{path}: expected {self.sample_rate} Hz, got {rate}")
        return waveform, rate

    def get_metadata(self, n):
        """What a sample consists of, with the recording's path in place of the waveform."""
        path, *rest = self.described(self.entries[n])
        return path, self.sample_rate, *rest

    def __getitem__(self, n):
        path, *rest = self.described(self.entries[n])
        return *self.waveform(path), *rest

    def __len__(self):
        return len(self.entries)


def one_of(name, value, known):
    """`value` if it is one of those known, else ArgumentError."""
    if value not in known:
        names = ", ".join(map(repr, known))
        raise ArgumentError(f"{name}: expected one of {names}, got {value!r}")
    return value


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
