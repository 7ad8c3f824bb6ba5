"""Where the bytes of a checkpoint come from: a file, or a file mapped into memory."""

import io
import mmap
import os

import numpy as np

from tallow.errors import ArgumentError, CheckpointError, TypeMismatchError


class Source:
    """Random access to the bytes of a file.

    `file` is a binary file object, `start` where in it the checkpoint begins. With `mapped`, what
    `memory` returns is the file itself, of which pages are read when they are touched and copied
    when they are written to.
    """

    def __init__(self, file, name, owned, mapped=False):
        self.file = file
        self.name = name
        self.owned = owned
        self.start = 0 if owned else file.tell()
        self.size = file.seek(0, os.SEEK_END) - self.start
        self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if mapped else None

    @classmethod
    def open(cls, f, mapped=False):
        """The source for a path or a binary file object; only a path can be mapped."""
        if isinstance(f, str | os.PathLike):
            empty = os.path.getsize(f) == 0
            return cls(open(f, "rb"), os.fspath(f), True, mapped and not empty)
        if mapped:
            raise ArgumentError("load: expected a path for mmap=True, got a file object")
        if not hasattr(f, "read"):
            raise TypeMismatchError(
                f"load: expected a path or a file object, got {type(f).__name__}"
            )
        name = getattr(f, "name", None) or f"a {type(f).__name__}"
        if not (hasattr(f, "seek") and hasattr(f, "readinto")):
            f = io.BytesIO(f.read())
        return cls(f, name, False)

    def close(self):
        """Close the file if it was opened here; what is mapped stays."""
        if self.owned:
            self.file.close()

    def failure(self, problem):
        """The error that something is wrong with this file."""
        return CheckpointError(f"load: {problem}; in {self.name}")

    def read(self, offset, count):
        """`count` bytes from `offset`, or those that there are."""
        if offset < 0:
            return b""
        self.file.seek(self.start + offset)
        return self.file.read(max(0, min(count, self.size - offset)))

    def whole(self):
        """All of it, as something like bytes: mapped into memory if it is a file."""
        try:
            mapped = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return self.read(0, self.size)
        return memoryview(mapped)[self.start :]

    def window(self):
        """A file object that shows this source alone."""
        return _Window(self)

    def memory(self, offset, count):
        """`count` bytes from `offset`, as a vector of uint8 that may be written to."""
        if not 0 <= offset <= offset + count <= self.size:
            raise self.failure(
                f"expected {count} bytes at {offset}, got a file of {self.size}; is it truncated?"
            )
        if not count:
            return np.empty(0, np.uint8)
        if self.map is not None:
            return np.frombuffer(self.map, np.uint8, count, offset)
        array = np.empty(count, np.uint8)
        self.file.seek(self.start + offset)
        view, done = memoryview(array), 0
        while done < count:
            got = self.file.readinto(view[done:])
            if not got:
                raise self.failure(f"expected {count} bytes at {offset}, got {done}")
            done += got
        return array


class _Window:
    """A source as the file object that `zipfile` reads."""

    def __init__(self, source):
        self.source = source
        self.position = 0

    def seekable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=os.SEEK_SET):
        self.position = offset + (0, self.position, self.source.size)[whence]
        if self.position < 0:
            raise ValueError("an offset before the start")
        return self.position

    def read(self, count=-1):
        left = self.source.size - self.position
        data = self.source.read(self.position, left if count < 0 else count)
        self.position += len(data)
        return data
