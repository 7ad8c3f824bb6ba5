"""Workers that are processes."""

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections import deque
from multiprocessing.connection import wait
from queue import SimpleQueue

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.utils.data.blocks import Receiver, Sender
from tallow.utils.data.workers import BATCH, DIED, ERROR, Outcome, Worker

PATIENCE = 1.0  # seconds that workers have to end by themselves


class ProcessPool:
    """Workers that are processes of their own; like `ThreadPool` from outside.

    A thread reads what they send at any time: no worker waits for the main thread to be read, and
    one that dies is noticed by its pipe's end.
    """

    def __init__(self, plan, context):
        self.results = SimpleQueue()
        self.iteration = 0
        self.receivers, self.processes = [], []
        forked = context.get_start_method() == "fork"
        for number in range(plan.num_workers):
            ours, theirs = context.Pipe()
            self.receivers.append(Receiver(ours))
            inherited = [receiver.connection for receiver in self.receivers] if forked else []
            process = context.Process(
                target=_run, args=(plan, number, theirs, inherited), daemon=True,
                name=f"DataLoader worker {number}",
            )  # fmt: skip
            process.start()
            theirs.close()
            self.processes.append(process)
        arguments = (self.receivers, self.processes, self.results)
        self.reader = threading.Thread(target=_read, args=arguments, name="DataLoader", daemon=True)
        self.reader.start()

    def begin(self):
        """Start an iteration: the batches of others are no longer waited for."""
        self.iteration += 1
        return self.iteration

    def submit(self, worker, task):
        """Have a worker make a batch, and tell it which blocks are free."""
        self._tell(worker, (task, self.receivers[worker].take_freed()))

    def _tell(self, worker, message):
        try:
            self.receivers[worker].connection.send_bytes(pickle.dumps(message, 5))
        except (BrokenPipeError, ConnectionError, OSError):
            return  # it has died, which is in the results, or about to be

    def close(self):
        """End all workers, by force if they take longer than PATIENCE."""
        self.iteration += 1
        for worker in range(len(self.processes)):
            self._tell(worker, None)
        deadline = time.monotonic() + PATIENCE
        for process in self.processes:
            process.join(max(0, deadline - time.monotonic()))
        for process in self.processes:
            if process.is_alive():
                process.kill()
        for process in self.processes:
            process.join()
        if self.reader is not threading.current_thread():  # the garbage collector runs anywhere
            self.reader.join(PATIENCE)


def _read(receivers, processes, results):
    """Put what workers send into the queue of results, until they have all ended."""
    numbers = {receiver.connection: i for i, receiver in enumerate(receivers)}
    while numbers:
        for connection in wait(list(numbers)):
            number = numbers[connection]
            try:
                # kept in no variable: an error would keep alive the epoch that will raise it
                results.put(_outcome(*receivers[number].receive()))
            except (EOFError, OSError):
                processes[number].join()
                results.put(Outcome(0, number, DIED, _death(number, processes[number])))
                del numbers[connection]
                connection.close()
            except Exception as error:  # the batch's own: it cannot be unpickled here
                error.add_note(f"DataLoader: while reading a batch from worker {number}")
                results.put(Outcome(0, number, DIED, error))


def _outcome(header, value):
    return Outcome(*header, value)


def _death(number, process):
    """The error that says how a process ended."""
    code = process.exitcode
    end = f"ended with exit code {code}"
    if code is not None and code < 0:
        end = f"was killed by {signal.Signals(-code).name}"
    hint = "; did the system run out of memory?" if code == -signal.SIGKILL else ""
    return RuntimeError(
        f"DataLoader: expected worker {number} to go on, but it, process {process.pid}, {end}{hint}"
    )


def context_of(given):
    """The multiprocessing context that an argument names; None is the platform's own."""
    if given is None or isinstance(given, str):
        try:
            return multiprocessing.get_context(given)
        except ValueError:
            methods = ", ".join(multiprocessing.get_all_start_methods())
            raise ArgumentError(
                f"DataLoader: expected a multiprocessing_context out of {methods}, got {given!r}"
            ) from None
    if not isinstance(given, multiprocessing.context.BaseContext):
        raise TypeMismatchError(
            "DataLoader: expected multiprocessing_context to be a context or its name, got "
            f"{type(given).__name__}"
        )
    return given


# In the worker


def _run(plan, number, connection, inherited):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends us
    threading.Thread(target=_end_with_main, daemon=True).start()
    for other in inherited:  # the main process's ends: pipes end with it if nobody else has them
        other.close()
    sender = Sender(connection, os.getppid())
    worker = Worker(plan.info(number), plan, is_process=True)
    failure = worker.start()
    try:
        if failure is not None:
            _send(sender, failure)
            return
        for task in _tasks(connection, sender):
            _send(sender, worker.work(task))
    except (EOFError, ConnectionError):
        return  # the main process has ended


def _end_with_main():
    """End this process once the main one has ended, whatever the worker is doing then.

    Its sentinel is a pipe, which a process that was forked meanwhile may hold open: hence the rest.
    """
    main, parent = multiprocessing.parent_process(), os.getppid()
    while not wait([main.sentinel], PATIENCE):
        if os.getppid() != parent or not _exists(main.pid):
            break
    os._exit(1)


def _exists(pid):
    if os.name == "nt":  # where the sentinel is the process itself, and a signal would end it
        return True
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _tasks(connection, sender):
    """The tasks that come through a pipe, but for those of iterations that are over."""
    waiting, newest = deque(), 0
    while True:
        while not waiting or connection.poll():
            message = pickle.loads(connection.recv_bytes())
            if message is None:
                return
            task, freed = message
            sender.free += freed
            newest = task.iteration
            waiting.append(task)
        task = waiting.popleft()
        if task.iteration == newest:
            yield task


def _send(sender, outcome):
    failed = isinstance(outcome.value, BaseException)
    value = _portable(outcome.value) if failed else outcome.value
    try:
        sender.send(outcome[:3], value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if outcome.kind != BATCH:
            raise
        error.add_note("DataLoader: a batch cannot be sent from a worker that is a process")
        _send(sender, outcome._replace(kind=ERROR, value=error))


def _portable(error):
    """An error that can be sent, with its traceback as a note."""
    text = "".join(traceback.format_exception(error))
    try:
        twin = pickle.loads(pickle.dumps(error))
    except Exception:
        twin = RuntimeError(f"{type(error).__name__}: {error}")
    twin.add_note(f"\n{text}")
    return twin
