"""Python's multiprocessing, and `spawn`, which runs a function in several processes."""

import mmap
import multiprocessing
import multiprocessing.connection
import os
import tempfile
import weakref
from multiprocessing import *  # noqa: F403
from multiprocessing.reduction import ForkingPickler

import numpy as np

from tallow.errors import NotSupportedError, TallowError
from tallow.nn.parameter import Parameter
from tallow.tensor import Tensor, wrap


class ProcessError(TallowError, RuntimeError):
    """A process that `spawn` started has not ended well."""


class ProcessContext:
    """The processes that `spawn` has started."""

    def __init__(self, processes):
        self.processes = processes

    def pids(self):
        """The processes' numbers."""
        return [process.pid for process in self.processes]

    def join(self, timeout=None):
        """Wait up to `timeout` seconds for processes to end: True once all have.

        If one ends with an error, the others are ended and ProcessError says which it was.
        """
        left = [process.sentinel for process in self.processes if process.is_alive()]
        if left:  # waiting for none would never end
            multiprocessing.connection.wait(left, timeout)
        for rank, process in enumerate(self.processes):
            if process.exitcode:
                for other in self.processes:
                    other.terminate()
                    other.join()
                raise ProcessError(
                    f"spawn: expected process {rank} to end well, but it ended with exit code "
                    f"{process.exitcode}; its traceback is in the output"
                )
        return all(process.exitcode == 0 for process in self.processes)


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Run `fn(rank, *args)` in `nprocs` processes and wait for them; else return a ProcessContext.

    The function is one that can be imported, and the program's own work is below
    `if __name__ == "__main__":`, as each process imports it.
    """
    context = multiprocessing.get_context(start_method)
    processes = [
        context.Process(target=fn, args=(rank, *args), daemon=daemon) for rank in range(nprocs)
    ]
    for process in processes:
        process.start()
    made = ProcessContext(processes)
    while join and not made.join():
        pass
    return None if join else made


def get_all_sharing_strategies():
    """How tensors go to other processes: by files in memory or on disk, which are one here."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy():
    """The way that tensors go to other processes."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy):
    """Makes no difference: batches of a DataLoader go through files without a name in memory."""


# Memory that processes share

_files = {}  # id of an array -> the file that it is in


def share(tensor):
    """Move a tensor's elements to memory that other processes see: `Tensor.share_memory_()`."""
    if tensor.device.type != "cpu":
        raise NotSupportedError(f"share_memory_: expected a CPU tensor, got one on {tensor.device}")
    if not is_shared(tensor) and tensor.array.size:
        folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
        descriptor, path = tempfile.mkstemp(".tensor", dir=folder)
        os.truncate(descriptor, tensor.array.nbytes)
        os.close(descriptor)
        array = _array_in(path, tensor.array.shape, tensor.array.dtype)
        array[...] = tensor.array
        _files[id(array)] = path
        weakref.finalize(array, _forget, id(array), path, os.getpid())
        tensor.array = array
        for kind in (Tensor, Parameter):
            ForkingPickler.register(kind, _by_file)
    return tensor


def is_shared(tensor):
    """True if other processes may see the elements: those of `share_memory_()`, or of a file."""
    array = tensor.array
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def _array_in(path, shape, dtype):
    return np.memmap(path, np.uint8, "r+").view(np.ndarray).view(dtype).reshape(shape)


def _forget(key, path, owner):
    del _files[key]
    if os.getpid() == owner:
        os.unlink(path)


def _by_file(tensor):
    """How a tensor goes to another process: by the name of its file, or by a copy."""
    path = _files.get(id(tensor.array))
    if path is None:
        return tensor.__reduce_ex__(4)
    array, flag = tensor.array, tensor._requires_grad
    return _from_file, (type(tensor), path, array.shape, array.dtype, flag)


def _from_file(kind, path, shape, dtype, requires_grad):
    return wrap(_array_in(path, shape, dtype), requires_grad, kind)
