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

from tallow.errors import ArgumentError, NotSupportedError
from tallow.utils.data import Dataset
from tallow.utils.datasets import DataFileError, File, get_missing, require
from tallowaudio._load import load


class Recordings(Dataset):
    """Recordings below root/`folder`, where `archives` put them: (waveform, sample rate, ...)."""

    sample_rate: int | None = None  # in Hz, where all have the same; another is an error

    def __init__(self, root, folder="", archives=(), download=False):
        self.root = os.path.expanduser(os.fspath(root))
        self.folder = os.path.join(self.root, folder)
        self.entries: list = []
        if download:
            get_missing(self.root, archives)
        require(type(self).__name__, self.root, [*archives, File(name=folder)])

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
