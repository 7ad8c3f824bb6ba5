"""One pass over a DataLoader's batches."""

from collections import deque
from itertools import chain, islice
from queue import Empty

from tallow.generator import default_generator
from tallow.utils.data.collate import pinned
from tallow.utils.data.dataset import is_iterable
from tallow.utils.data.fetch import End, fetcher
from tallow.utils.data.sampler import draw_seed
from tallow.utils.data.workers import DIED, END, ERROR, Task


class Progress:
    """How far an epoch has come: its batches so far, and the generators' states at its start."""

    def __init__(self, generators, states=None, batches=0):
        self.states = states or [generator.state_bytes() for generator in generators]
        self.batches = batches


class Epoch:
    """An iterator over the batches of one epoch. Its seed is drawn before the sampler's.

    `resumed` is the progress of the epoch that is to be continued, None for a new one.
    """

    def __init__(self, loader, resumed=None):
        self.loader = loader
        self.iterable = is_iterable(loader.dataset)
        self.pins = loader.pins and loader.settings.pins is None  # as processes cannot
        generators = loader.generators()
        self.progress = resumed or Progress(generators)
        if resumed is None:
            self._start()
            return
        now = default_generator.state_bytes()
        for generator, state in zip(generators, resumed.states, strict=True):
            generator.load_state_bytes(state)
        self._start()
        skipped = 0 if self.iterable else resumed.batches
        first = list(islice(self.tasks, skipped, skipped + 1))  # here the sampler draws its seed
        self.tasks = chain(first, self.tasks)
        default_generator.load_state_bytes(now)

    def _start(self):
        self.seed = draw_seed(self.loader.generator)
        self.tasks = enumerate(self.loader.index_sampler)  # (number, indices) of each batch

    def skip(self):
        """Leave out the batches of an iterable dataset that were made before the resumption."""
        if self.iterable:
            for _ in range(self.progress.batches):
                self.advance()

    def __iter__(self):
        return self

    def __len__(self):
        return len(self.loader)

    def __next__(self):
        try:
            batch = self.advance()
        except StopIteration:
            self.loader.finished(self.progress)
            raise
        self.progress.batches += 1
        return pinned(batch) if self.pins else batch


class SerialEpoch(Epoch):
    """Makes each batch when it is asked for."""

    def __init__(self, loader, resumed=None):
        super().__init__(loader, resumed)
        self.fetch = fetcher(loader.dataset, loader.settings, self.seed)
        self.skip()

    def advance(self):
        """The next batch, made now."""
        number, indices = next(self.tasks)
        try:
            return self.fetch(number, indices)
        except End:
            self.tasks = iter(())
            raise StopIteration from None


class WorkerEpoch(Epoch):
    """Has workers make `prefetch_factor` batches each ahead of the one that is asked for.

    Batches are handed out in turn to the workers (of an iterable dataset, to those that have more),
    and given in the order of the sampler, or with `in_order=False` as they come.
    """

    pool = None

    def __init__(self, loader, resumed=None):
        super().__init__(loader, resumed)
        self.pool = loader.pool(self.seed)
        self.iteration = self.pool.begin()
        self.workers = deque(range(loader.num_workers))  # the next in turn first
        self.owners = {}  # number of a batch that is being made -> worker
        self.early = {}  # number of a batch that was made before its turn -> outcome
        for _ in range(max(1, loader.prefetch_factor) * loader.num_workers):
            self._submit()
        self.skip()

    def _submit(self):
        """Have the next worker make the next batch, if there are any."""
        task = next(self.tasks, None) if self.workers else None
        if task is not None:
            worker = self.workers[0]
            self.workers.rotate(-1)
            self.owners[task[0]] = worker
            self.pool.submit(worker, Task(self.iteration, self.seed, *task))

    def advance(self):
        """The next batch, once it is made."""
        while self.owners:
            kind, value = self._result()
            if kind == ERROR:
                raise_once(value)
            if kind != END:
                return value
        self._close()
        raise StopIteration

    def _result(self):
        """The kind and value of the next outcome; another batch is begun in its place."""
        outcome = self._outcome()
        worker = self.owners.pop(outcome.number)
        if outcome.kind == END and worker in self.workers:
            self.workers.remove(worker)
        self._submit()
        return outcome.kind, [outcome.value] if outcome.kind == ERROR else outcome.value

    def _outcome(self):
        """What became of the batch whose turn it is, or of any if order does not matter."""
        wanted = next(iter(self.owners))
        while wanted not in self.early:
            outcome = self._received()
            if not self.loader.in_order:
                return outcome
            self.early[outcome.number] = outcome
        return self.early.pop(wanted)

    def _received(self):
        """The next outcome that comes from a worker for this iteration."""
        while self.iteration == self.pool.iteration:
            outcome = self._waited_for()
            if outcome.iteration == self.iteration:
                return outcome
            if outcome.kind == DIED:
                self.loader.drop(self.pool)
                errors, outcome = [outcome.value], None
                raise_once(errors)
        raise RuntimeError(
            "DataLoader: expected one iteration at a time with persistent workers, got another "
            "that began in the meantime"
        )

    def _waited_for(self):
        """The next outcome of any kind. Where waiting for it ends, the workers end."""
        timeout = self.loader.timeout or None
        try:
            return self.pool.results.get(timeout=timeout)
        except Empty:
            self.loader.drop(self.pool)
            raise RuntimeError(
                f"DataLoader: expected a batch within {timeout} seconds, got none"
            ) from None
        except BaseException:
            self.loader.drop(self.pool)
            raise

    def _close(self):
        if self.pool is not None and not self.loader.persistent_workers:
            self.pool.close()

    def __del__(self):
        self._close()


def raise_once(errors):
    """Raise the error in a list, which is emptied.

    An error refers to the frames that it has passed. If one of them referred to it, too, they (and
    the epoch, and its workers) would be there until the garbage collector comes.
    """
    raise errors.pop()
