"""The errors of sound files."""

from tallow.errors import TallowError


class AudioFileError(TallowError, RuntimeError):
    """A sound file that is broken, or is none."""


class MissingPackageError(TallowError, ImportError):
    """A package that is not installed, and that only this needs."""


def name_of(file):
    """A file's path for messages, or what a file object says of itself."""
    if hasattr(file, "read") or hasattr(file, "write"):
        return getattr(file, "name", None) or f"<{type(file).__name__}>"
    return str(file)
