"""Carnegie Mellon's dictionary of pronunciations."""

import os
import re

from tallow.utils.data import Dataset
from tallow.utils.datasets import File, get_missing, parsed, read_lines, require

_BASE = "http://svn.code.sf.net/p/cmusphinx/code/trunk/cmudict/cmudict-0.7b"
_DIGESTS = {
    _BASE: "209a8b4cd265013e96f4658632a9878103b0c5abf62b50d4ef3ae1be226b29e4",
    f"{_BASE}.symbols": "408ccaae803641c6d7b626b6299949320c2dbca96b2220fd3fb17887b023b027",
}


class CMUDict(Dataset):
    """134,000 English words and their phonemes: (word, list of phonemes).

    `exclude_punctuations` leaves out how punctuation marks are called. `symbols` are the phonemes.
    """

    def __init__(
        self, root, exclude_punctuations=True, *, download=False, url=_BASE,
        url_symbols=f"{_BASE}.symbols",
    ):  # fmt: skip
        root = os.path.expanduser(os.fspath(root))
        self.exclude_punctuations = exclude_punctuations
        files = [File(address, _DIGESTS.get(address)) for address in (url, url_symbols)]
        if download:
            get_missing(root, files)
        require("CMUDict", root, files)
        paths = [os.path.join(root, file.makes) for file in files]
        lines = (line for line in read_lines(paths[0], "latin-1") if line[:3] not in ("", ";;;"))
        self.entries = [entry for entry in parsed(paths[0], lines, self._entry) if entry]
        self._symbols = [line.strip() for line in read_lines(paths[1])]

    def _entry(self, line):
        """A word without the number of its pronunciation; None for a mark that is left out."""
        word, phonemes = line.strip().split("  ")
        mark = re.match(r"\.\.\.|--|[^\w']|'(?=[A-Z-]*QUOTE$)", word)  # "!EXCLAMATION-POINT"
        if mark:
            if self.exclude_punctuations:
                return None
            word = mark[0]
        return re.sub(r"\([0-9]+\)$", "", word) or word, phonemes.split(" ")

    @property
    def symbols(self):
        """All phonemes."""
        return list(self._symbols)

    def __getitem__(self, n):
        return self.entries[n]

    def __len__(self):
        return len(self.entries)
