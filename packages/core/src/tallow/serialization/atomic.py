"""Files that are either the old one or the whole new one, whenever the process ends."""

import contextlib
import os
import tempfile


@contextlib.contextmanager
def replacing(path):
    """A context with the path of a new, empty file, which takes the place of `path` when it ends.

    The file lies in the same directory until it is complete and on disk. An error leaves `path` as
    it was and nothing beside it.
    """
    path = os.path.realpath(path)
    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(".tmp", f"{name}.", directory)
    os.close(descriptor)
    try:
        yield temporary
        _sync(temporary)
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(OSError):  # not every system lets a directory be opened
        _sync(directory)


def _mode(path):
    """The permissions of the file that is there, or those that a new file gets."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync(path):
    """Have a file, or the names in a directory, written to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
