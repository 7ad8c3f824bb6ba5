"""Python's multiprocessing, and `spawn`, which runs a function in several processes."""

import multiprocessing
import multiprocessing.connection
from multiprocessing import *  # noqa: F403

from tallow.errors import TallowError


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
