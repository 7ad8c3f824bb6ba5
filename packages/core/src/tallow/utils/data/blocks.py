"""Blocks of memory that two processes share, through which workers pass arrays.

A block is an unnamed file in memory (or among the temporary files), which both sides map. It takes
no room in /dev/shm, and the system takes it back when the last process that maps it ends, however
that may be. The worker owns its blocks; the main process tells it which are free again.
"""

import mmap
import os
import pickle
import tempfile
import weakref
from collections import deque
from multiprocessing import reduction

import numpy as np

ALIGNMENT = 64
SMALLEST = 1 << 16  # bytes: less than that goes through the pipe
MOST = 64  # blocks of a worker: if the main process holds on to as many, the rest goes by pipe


class Sender:
    """A worker's side: objects go through the pipe, the memory of their arrays in blocks."""

    def __init__(self, connection, parent):
        self.connection = connection
        self.parent = parent  # the process that descriptors are sent to
        self.blocks = []
        self.free = []  # numbers of blocks

    def send(self, header, value):
        """Send an object, and a header of plain values before it."""
        buffers = []
        data = pickle.dumps(value, 5, buffer_callback=buffers.append)
        views = [buffer.raw() for buffer in buffers]
        ends = np.cumsum([-(-view.nbytes // ALIGNMENT) * ALIGNMENT for view in views]).tolist()
        starts = [0, *ends[:-1]]
        block, descriptor = self._block(ends[-1] if ends else 0)
        if block is not None:
            for start, view in zip(starts, views, strict=True):
                self.blocks[block][start : start + view.nbytes] = view
        lengths = [view.nbytes for view in views]
        new = len(self.blocks[block]) if descriptor is not None else None
        parts = (header, data, block, new, starts, lengths)
        self.connection.send_bytes(pickle.dumps(parts, 5))
        if descriptor is not None:
            reduction.send_handle(self.connection, descriptor, self.parent)
            os.close(descriptor)
        if block is None:
            for view in views:
                self.connection.send_bytes(view)

    def _block(self, size):
        """The number of a free block, and its descriptor if it is new; None without a block."""
        fitting = [number for number in self.free if len(self.blocks[number]) >= size]
        if size < SMALLEST or (not fitting and len(self.blocks) == MOST):
            return None, None
        if fitting:
            number = min(fitting, key=lambda n: len(self.blocks[n]))
            self.free.remove(number)
            return number, None
        size = 1 << (size - 1).bit_length()
        try:
            descriptor = _unnamed_file(size)
            self.blocks.append(mmap.mmap(descriptor, size))
        except OSError:
            return None, None
        return len(self.blocks) - 1, descriptor


class Receiver:
    """The main process's side: arrays show the blocks, which are free once no array does."""

    def __init__(self, connection):
        self.connection = connection
        self.blocks = {}
        self.freed = deque()

    def receive(self):
        """The header and the object that were sent; EOFError if the worker is no more."""
        parts = pickle.loads(self.connection.recv_bytes())
        header, data, block, new, starts, lengths = parts
        if new is not None:
            descriptor = reduction.recv_handle(self.connection)
            self.blocks[block] = mmap.mmap(descriptor, new)
            os.close(descriptor)
        if block is None:
            buffers = [self._from_pipe(length) for length in lengths]
        else:
            whole = np.frombuffer(self.blocks[block], np.uint8)
            weakref.finalize(whole, self.freed.append, block).atexit = False
            buffers = [
                whole[start : start + length] for start, length in zip(starts, lengths, strict=True)
            ]
        return header, pickle.loads(data, buffers=buffers)

    def _from_pipe(self, length):
        array = np.empty(length, np.uint8)
        self.connection.recv_bytes_into(memoryview(array))
        return array

    def take_freed(self):
        """The numbers of the blocks that have become free since the last call."""
        return [self.freed.popleft() for _ in range(len(self.freed))]


def _unnamed_file(size):
    """The descriptor of a file without a name, with room for `size` bytes; OSError if none."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tallow batches")
        os.ftruncate(descriptor, size)
        return descriptor
    if not reduction.HAVE_SEND_HANDLE or os.name == "nt":
        raise OSError("descriptors cannot be passed to other processes")
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        return os.dup(file.fileno())
