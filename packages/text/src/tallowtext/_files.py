"""Reading text files line by line, with errors that say where."""

from pathlib import Path

from tallow.errors import TallowError
from tallow.hub import get_dir
from tallow.utils.datasets import fetch


class TextFileError(TallowError, ValueError):
    """A text file whose content is not what it should be."""


def numbered_lines(path):
    """The (number, line) pairs of a UTF-8 file, from 1, without the ends of lines.

    A byte order mark is skipped. TextFileError names the file and the line that is no UTF-8.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise TextFileError(
                    f"{path}, line {number}: expected UTF-8, got byte 0x{line[error.start]:02x} at "
                    f"position {error.start}; convert the file, or open it with its own encoding"
                ) from None
            yield number, text.rstrip("\r\n")


def asset(path, folder="text"):
    """A path as it is, or the file at an address, downloaded once into the cache."""
    if not str(path).startswith(("http://", "https://")):
        return path
    return fetch(path, Path(get_dir(), folder, str(path).rpartition("/")[2]))
