"""Workers: what makes batches beside the main thread. Here those that are threads."""

import copy
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple

from tallow.generator import default_generator
from tallow.utils.data.dataset import IterableDataset, is_iterable
from tallow.utils.data.fetch import End, fetcher


class _Here(threading.local):
    info = None


here = _Here()


@dataclass
class WorkerInfo:
    """What a worker can know about itself: its number, of how many, its seed and its dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info():
    """The WorkerInfo of the worker that this is called in, None in the main thread."""
    return here.info


class Task(NamedTuple):
    """A batch to be made: the number of its iteration, that one's seed, its own number, indices."""

    iteration: int
    seed: int
    number: int
    indices: Any


class Outcome(NamedTuple):
    """What became of a task: a batch, an error, or nothing as the samples are at their end.

    Of a worker that has died (iteration 0), `number` is its own.
    """

    iteration: int
    number: int
    kind: str
    value: Any = None


BATCH, ERROR, END, DIED = "batch", "error", "end", "died"


class Worker:
    """What runs in a worker.

    A thread cannot be ended from outside: `stopped()` is true once nobody waits for its batches.
    """

    def __init__(self, info, plan, stopped=lambda: False, is_process=False):
        self.info = info
        self.plan = plan
        self.stopped = stopped
        self.is_process = is_process
        self.iteration = None
        self.fetch = None

    def start(self):
        """Tell the thread who it is, call the user's `worker_init_fn`; an outcome if it fails."""
        here.info = self.info
        if self.plan.worker_init_fn is None:
            return None
        default_generator.lend((self.info.id,))
        default_generator.manual_seed(self.info.seed)
        try:
            self.plan.worker_init_fn(self.info.id)
        except BaseException as error:
            error.add_note(f"DataLoader: in worker_init_fn({self.info.id})")
            return Outcome(0, self.info.id, DIED, error)
        finally:
            default_generator.take_back()
        return None

    def work(self, task):
        """The outcome of a task."""
        try:
            if task.iteration != self.iteration:
                self.fetch = fetcher(self.info.dataset, self.plan.settings, task.seed, self)
                self.iteration = task.iteration
            batch = self.fetch(task.number, task.indices)
        except End:
            return Outcome(task.iteration, task.number, END)
        except BaseException as error:
            error.add_note(
                f"DataLoader: in worker {self.info.id} of {self.info.num_workers}, which made "
                f"batch {task.number}"
            )
            return Outcome(task.iteration, task.number, ERROR, error)
        return Outcome(task.iteration, task.number, BATCH, batch)


@dataclass(frozen=True)
class Plan:
    """What workers are made from."""

    dataset: Any
    settings: Any
    num_workers: int
    worker_init_fn: Any
    seed: int

    def info(self, number, copied=copy.copy):
        """The WorkerInfo of a worker, with a dataset of its own so far as attributes go."""
        return WorkerInfo(number, self.num_workers, self.seed + number, copied(self.dataset))


class ThreadPool:
    """Workers that are threads of this process. `results` is the queue of outcomes."""

    def __init__(self, plan):
        self.results = SimpleQueue()
        self.newest = _Newest()
        shared = SimpleQueue()
        separate = is_iterable(plan.dataset)
        known = not separate or isinstance(plan.dataset, IterableDataset)
        copied = copy.copy if known else copy.deepcopy  # others keep their place who knows where
        self.inboxes = [SimpleQueue() if separate else shared for _ in range(plan.num_workers)]
        for number, inbox in enumerate(self.inboxes):
            arguments = (plan.info(number, copied), plan, inbox, self.results, self.newest)
            name = f"DataLoader worker {number}"
            threading.Thread(target=_run_thread, args=arguments, name=name, daemon=True).start()

    @property
    def iteration(self):
        """The iteration whose batches are waited for."""
        return self.newest.iteration

    def begin(self):
        """Start an iteration: the batches of others are no longer waited for."""
        self.newest.iteration += 1
        return self.newest.iteration

    def submit(self, worker, task):
        """Have a worker make a batch."""
        self.inboxes[worker].put(task)

    def close(self):
        """Have the workers end, after the sample that they are making."""
        self.begin()
        for inbox in self.inboxes:
            inbox.put(None)


class _Newest:
    """The number of the newest iteration, which the threads share."""

    iteration = 0


def _run_thread(info, plan, inbox, results, newest):
    worker = Worker(info, plan, lambda: worker.iteration != newest.iteration)
    failure = worker.start()
    if failure is not None:
        results.put(failure)
        return
    while (task := inbox.get()) is not None:
        if task.iteration == newest.iteration:
            results.put(worker.work(task))
