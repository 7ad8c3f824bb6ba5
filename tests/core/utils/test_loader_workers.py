"""Workers: the same batches however many, errors that say where, no hang, nothing left over."""

import gc
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.utils import data
from tallow.utils.data import blocks

KINDS = ("thread", "process")
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


class Noisy(data.Dataset):
    """Samples with an augmentation: what they are depends on the generator that is set."""

    def __init__(self, length=37, size=(3, 20, 20)):
        self.length = length
        self.size = size

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        shift = tallow.randint(0, 3, (1,)).item()
        image = tallow.full(self.size, float(index)).roll(shift, -1)
        return image + tallow.randn(self.size), index


def noisy_collate(batch):
    images, labels = data.default_collate(batch)
    return images * tallow.rand(1), labels


def digest(loader, epochs=3, seed=5):
    """A hash of every bit of some epochs, and of the generator's state after them."""
    tallow.manual_seed(seed)
    result = hashlib.sha256()
    for _ in range(epochs):
        for images, labels in loader:
            result.update(images.array.tobytes())
            result.update(labels.array.tobytes())
    result.update(tallow.rand(1).array.tobytes())
    return result.hexdigest()


@pytest.fixture(autouse=True)
def nothing_left():
    """No thread and no process outlives a test by more than two seconds."""
    before = set(threading.enumerate())
    yield
    gc.collect()  # errors that pytest holds refer to the epochs in which they were raised
    deadline = time.monotonic() + 2
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before
    assert children() == []


def children():
    """The processes that this one has started, but for Python's own helpers."""
    numbers = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    lines = [Path(f"/proc/{number}/cmdline").read_text() for number in numbers]
    return [line for line in lines if "resource_tracker" not in line and "forkserver" not in line]


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_same_batches(workers, kind, persistent):
    options = dict(batch_size=4, shuffle=True, collate_fn=noisy_collate)
    expected = digest(data.DataLoader(Noisy(), **options))
    loader = data.DataLoader(
        Noisy(), num_workers=workers, worker_type=kind, persistent_workers=persistent, **options
    )
    assert digest(loader) == expected


@pytest.mark.parametrize("size", [(1,), (3, 64, 64)])
def test_same_batches_of_any_size(size):
    """Small arrays go through the pipe, large ones through blocks."""
    dataset = Noisy(size=size)
    loaders = [
        data.DataLoader(dataset, batch_size=8, num_workers=n, worker_type="process" if n else None)
        for n in (0, 2)
    ]
    assert digest(loaders[0]) == digest(loaders[1])


def test_without_blocks(monkeypatch):
    """Where no block can be made, arrays go through the pipe."""

    def fail(size):
        raise OSError("no room")

    expected = digest(data.DataLoader(Noisy(size=(3, 64, 64)), batch_size=8))
    monkeypatch.setattr(blocks, "_unnamed_file", fail)
    loader = data.DataLoader(
        Noisy(size=(3, 64, 64)), batch_size=8, num_workers=2, multiprocessing_context="fork"
    )
    assert digest(loader) == expected


def test_all_batches_can_be_kept(monkeypatch):
    """More batches are alive than a worker has blocks; each can be written to."""
    monkeypatch.setattr(blocks, "MOST", 2)
    loader = data.DataLoader(
        Noisy(64, (64, 64)), batch_size=4, num_workers=2, multiprocessing_context="fork"
    )
    kept = list(loader)
    for number, (images, _) in enumerate(kept):
        images.fill_(number)
    assert [images.mean().item() for images, _ in kept] == list(range(16))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_start_methods(method):
    expected = digest(data.DataLoader(Noisy(9), batch_size=4), epochs=1)
    loader = data.DataLoader(Noisy(9), batch_size=4, num_workers=1, multiprocessing_context=method)
    assert digest(loader, epochs=1) == expected


class Globals(data.Dataset):
    """Samples drawn from NumPy's and Python's generators."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return np.random.rand() + random.random()


def test_global_generators_in_processes():
    def values(workers):
        tallow.manual_seed(2)
        loader = data.DataLoader(
            Globals(), batch_size=3, num_workers=workers, worker_type="process"
        )
        return [batch.tolist() for _ in range(2) for batch in loader]

    one = values(1)
    assert one == values(3)
    flat = [value for batch in one for value in batch]
    assert len(set(flat)) == len(flat) == 20


def test_own_generator_of_the_main_thread_goes_on():
    tallow.manual_seed(0)
    loader = data.DataLoader(Noisy(8), batch_size=2)
    epoch = iter(loader)
    first = tallow.rand(1)
    next(epoch)
    second = tallow.rand(1)
    tallow.manual_seed(0)
    iter(loader)
    assert (first, second) == (tallow.rand(1), tallow.rand(1))


# Iterable datasets


class Counting(data.IterableDataset):
    """Numbers, each worker giving every n-th."""

    def __init__(self, stop):
        self.stop = stop

    def __iter__(self):
        info = data.get_worker_info()
        start, step = (0, 1) if info is None else (info.id, info.num_workers)
        yield from range(start, self.stop, step)

    def __len__(self):
        return self.stop


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_iterable(workers, kind):
    loader = data.DataLoader(
        Counting(20), batch_size=3, num_workers=workers, worker_type=kind, persistent_workers=True
    )
    for _ in range(2):
        batches = [batch.tolist() for batch in loader]
        assert sorted(sum(batches, [])) == list(range(20))
        if workers == 2:
            assert batches[:3] == [[0, 2, 4], [1, 3, 5], [6, 8, 10]]


@pytest.mark.parametrize("workers, kind", [(0, None), (2, "thread"), (3, "process")])
def test_any_iterable(workers, kind):
    """It knows nothing of workers, which share its samples all the same."""
    squares = {n: n * n for n in range(20)}.values()
    epoch = data.DataLoader(Iterable(squares), 4, num_workers=workers, worker_type=kind)
    for _ in range(2):
        assert sorted(sum([batch.tolist() for batch in epoch], [])) == list(squares)


class Iterable:
    """Of a library that is not ours."""

    def __init__(self, values):
        self.values = list(values)

    def __iter__(self):
        return iter(self.values)


@pytest.mark.parametrize("workers", [0, 2])
def test_iterable_without_batches(workers):
    loader = data.DataLoader(Counting(5), batch_size=None, num_workers=workers)
    assert sorted(loader) == list(range(5))


@pytest.mark.parametrize("workers", [0, 2])
def test_iterable_drop_last(workers):
    loader = data.DataLoader(Counting(10), batch_size=3, num_workers=workers, drop_last=True)
    assert len(loader) == 3
    assert len(list(loader)) == (3 if workers == 0 else 2)


def test_iterables_that_end_at_different_times():
    class Uneven(data.IterableDataset):
        def __iter__(self):
            number = data.get_worker_info().id
            return iter([number] * (10 if number == 1 else 1))

    loader = data.DataLoader(Uneven(), batch_size=2, num_workers=3)
    assert [batch.tolist() for batch in loader] == [[0], [1, 1], [2]] + [[1, 1]] * 4


# Options


def remember_info(number):
    info = data.get_worker_info()
    assert info.id == number and info.num_workers == 2
    info.dataset.length = (number, info.seed, tallow.initial_seed(), tallow.rand(1).item())


class Info(data.Dataset):
    length = None

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.length


@pytest.mark.parametrize("kind", KINDS)
def test_worker_init_fn(kind):
    assert data.get_worker_info() is None
    dataset = Info()
    loader = data.DataLoader(
        dataset, batch_size=None, num_workers=2, worker_type=kind, worker_init_fn=remember_info,
        generator=tallow.Generator().manual_seed(1),
    )  # fmt: skip
    base = data.sampler.draw_seed(tallow.Generator().manual_seed(1))
    found = {tuple(sample) for sample in loader}
    assert found <= {
        (
            n,
            base + n,
            base + n,
            tallow.rand(1, generator=tallow.Generator().manual_seed(base + n)).item(),
        )
        for n in (0, 1)
    }
    assert dataset.length is None


@pytest.mark.parametrize("kind", KINDS)
def test_error_in_worker_init_fn(kind):
    def fail(number):
        raise LookupError("not here")

    loader = data.DataLoader(Noisy(), num_workers=2, worker_type=kind, worker_init_fn=fail)
    with pytest.raises(LookupError, match="not here"):
        next(iter(loader))


class Together(data.Dataset):
    def __len__(self):
        return 10

    def __getitems__(self, indices):
        return [(index, len(indices)) for index in indices]


@pytest.mark.parametrize("workers", [0, 2])
def test_getitems(workers):
    loader = data.DataLoader(Together(), batch_size=4, num_workers=workers)
    assert [b[1].tolist() for b in loader] == [[4] * 4, [4] * 4, [2] * 2]


def test_plain_objects_are_datasets():
    loader = data.DataLoader({0: "a", 1: "b"}, batch_size=2, num_workers=1)
    assert list(loader) == [["a", "b"]]


def noisy_columns(columns):
    """A transform of Hugging Face's datasets: it gets a dictionary of lists."""
    images = [tallow.tensor(values) + tallow.randn(3) for values in columns["values"]]
    return {"images": images, "labels": columns["labels"]}


@pytest.mark.parametrize("workers, kind", [(0, None), (2, "thread"), (2, "process")])
def test_hugging_face(workers, kind, monkeypatch):
    """Their datasets as they are: columns as arrays, a transform, streams."""
    hugging_face = pytest.importorskip("datasets", reason="needs Hugging Face's datasets")
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # it is a thread
    columns = {"values": [[n, 2.0 * n, 0.5] for n in range(20)], "labels": list(range(20))}
    dataset = hugging_face.Dataset.from_dict(columns)
    options = dict(batch_size=8, num_workers=workers, worker_type=kind)

    batches = list(data.DataLoader(dataset.with_format("numpy"), **options))
    assert [batch["values"].shape for batch in batches] == [(8, 3), (8, 3), (4, 3)]
    assert batches[1]["values"][0].tolist() == [8, 16, 0.5]
    assert sum([batch["labels"].tolist() for batch in batches], []) == columns["labels"]

    def drawn(**options):
        tallow.manual_seed(3)
        dataset.set_transform(noisy_columns)
        loader = data.DataLoader(dataset, shuffle=True, **options)
        return [(b["images"].sum().item(), b["labels"].tolist()) for _ in range(2) for b in loader]

    assert drawn(**options) == drawn(batch_size=8)
    dataset.reset_format()
    stream = dataset.to_iterable_dataset(num_shards=3).with_format("numpy")
    batches = list(data.DataLoader(stream, **options))
    assert sorted(sum([batch["labels"].tolist() for batch in batches], [])) == columns["labels"]


@pytest.mark.parametrize("kind", KINDS)
def test_out_of_order(kind):
    class Slow(data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            time.sleep(0.5 if index == 0 else 0)
            return index

    loader = data.DataLoader(
        Slow(), batch_size=None, num_workers=2, worker_type=kind, in_order=False
    )
    found = list(loader)
    assert sorted(found) == [0, 1, 2, 3] and found[0] != 0


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(num_workers=-1), ValueError, "num_workers of 0 or more, got -1"),
        (dict(timeout=-1), ValueError, "timeout of 0 or more"),
        (dict(prefetch_factor=2), ValueError, "num_workers of 1 or more for prefetch_factor"),
        (dict(num_workers=1, prefetch_factor=-1), ValueError, "prefetch_factor of 0 or more"),
        (dict(persistent_workers=True), ValueError, "num_workers of 1 or more"),
        (dict(multiprocessing_context="fork"), ValueError, "num_workers of 1 or more"),
        (dict(num_workers=1, multiprocessing_context="x"), ValueError, "out of .*, got 'x'"),
        (dict(num_workers=1, multiprocessing_context=3), TypeError, "a context or its name"),
        (dict(num_workers=1, worker_type="x"), ValueError, "'thread' or 'process', got 'x'"),
        (dict(sampler=[1], shuffle=True), ValueError, "shuffle or sampler, got both"),
        (dict(batch_sampler=[[1]], batch_size=2), ValueError, "batch_sampler alone"),
        (dict(batch_sampler=[[1]], shuffle=True), ValueError, "batch_sampler alone"),
        (dict(batch_size=None, drop_last=True), ValueError, "no drop_last"),
        (dict(batch_size=0), ValueError, "batch_size to be a positive int, got 0"),
        (dict(batch_size=2.5), ValueError, "batch_size to be a positive int"),
    ],
)
def test_arguments(options, error, message):
    with pytest.raises(error, match=message):
        data.DataLoader(Noisy(), **options)


@pytest.mark.parametrize("name", ["shuffle", "sampler", "batch_sampler"])
def test_an_iterable_dataset_orders_its_samples(name):
    value = True if name == "shuffle" else [[1]]
    with pytest.raises(ValueError, match=f"no {name} for an IterableDataset"):
        data.DataLoader(Counting(3), **{name: value})


def test_annotations():
    assert data.DataLoader[int] and data.Dataset[int] and data.Sampler[int]


def test_what_is_fixed():
    loader = data.DataLoader(Noisy())
    with pytest.raises(ValueError, match="batch_size to stay as it was made"):
        loader.batch_size = 3
    loader.collate_fn = list
    assert loader.collate_fn is list


# Errors


class Failing(data.Dataset):
    def __init__(self, error, *args, path=None):
        self.error = error
        self.args = args
        self.path = path

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 5:
            self.read(self.path)
        return index

    def read(self, path):
        raise self.error(*self.args)


class Awkward(Exception):
    """Its arguments are not those that it is made from: it cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize("workers, kind", [(0, None), (2, "thread"), (2, "process")])
def test_errors_say_where(workers, kind, tmp_path):
    path = tmp_path / "picture.jpg"
    path.touch()
    dataset = Failing(KeyError, "missing", path=path)
    loader = data.DataLoader(dataset, batch_size=2, num_workers=workers, worker_type=kind)
    epoch = iter(loader)
    assert [next(epoch).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError, match="missing") as caught:
        next(epoch)
    notes = "".join(caught.value.__notes__)
    assert f"while reading index 5 of {path}" in notes
    if workers:
        assert re.search("in worker [01] of 2, which made batch 2", notes)
    trace = notes if kind == "process" else "".join(map(str, caught.traceback))
    assert "self.read(self.path)" in trace
    if workers:
        assert next(epoch).tolist() == [6, 7]  # the epoch goes on


@pytest.mark.parametrize("kind", KINDS)
def test_errors_keep_no_workers(kind):
    """Workers end once an error is dealt with, without the garbage collector."""
    dataset = Failing(KeyError, "missing")
    loader = data.DataLoader(dataset, batch_size=2, num_workers=2, worker_type=kind)
    before = threading.active_count()
    gc.disable()
    try:
        try:
            list(loader)
        except KeyError:
            pass
        deadline = time.monotonic() + 2
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before and children() == []
    finally:
        gc.enable()


def test_errors_that_cannot_be_sent():
    loader = data.DataLoader(
        Failing(Awkward, 1, 2), batch_size=8, num_workers=1, worker_type="process"
    )
    with pytest.raises(RuntimeError, match="Awkward: 1 and 2") as caught:
        next(iter(loader))
    assert "raise self.error(" in "".join(caught.value.__notes__)


def test_batches_that_cannot_be_sent():
    loader = data.DataLoader(
        range(3), num_workers=1, worker_type="process", collate_fn=lambda batch: lambda: batch
    )
    with pytest.raises((AttributeError, TypeError, RuntimeError), match="pickle") as caught:
        next(iter(loader))
    assert "a batch cannot be sent" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("workers, kind", [(0, None), (1, "thread"), (1, "process")])
@pytest.mark.parametrize("error", [StopIteration, SystemExit])
def test_errors_that_end_other_things(workers, kind, error):
    loader = data.DataLoader(Failing(error), batch_size=8, num_workers=workers, worker_type=kind)
    expected = RuntimeError if error is StopIteration else SystemExit
    with pytest.raises(expected):
        list(loader)


@pytest.mark.parametrize("kind", KINDS)
def test_timeout(kind):
    class Stuck(data.Dataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            time.sleep(1.5)

    loader = data.DataLoader(Stuck(), num_workers=1, worker_type=kind, timeout=0.2)
    with pytest.raises(RuntimeError, match="a batch within 0.2 seconds, got none"):
        next(iter(loader))


class Deadly(data.Dataset):
    def __init__(self, deed):
        self.deed = deed

    def __len__(self):
        return 100

    def __getitem__(self, index):
        if index == 9:
            self.deed()
        return index


DEEDS = {
    "killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed by SIGKILL"),
    "terminated": (lambda: os.kill(os.getpid(), signal.SIGTERM), "was killed by SIGTERM"),
    "left": (lambda: os._exit(7), "ended with exit code 7"),
}


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("name", DEEDS)
def test_death_of_a_worker(name, persistent):
    deed, message = DEEDS[name]
    loader = data.DataLoader(
        Deadly(deed), batch_size=2, num_workers=2, multiprocessing_context="fork",
        persistent_workers=persistent,
    )  # fmt: skip
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=rf"worker 0 to go on, but it, process \d+, {message}"):
        list(loader)
    assert time.monotonic() - start < 5
    assert next(iter(loader)).tolist() == [0, 1]  # new workers


# Ends


@pytest.mark.parametrize("kind", KINDS)
def test_breaking_off(kind):
    loader = data.DataLoader(Noisy(200), batch_size=2, num_workers=3, worker_type=kind)
    for _ in range(3):
        for number, _batch in enumerate(loader):
            if number == 2:
                break


@pytest.mark.parametrize("kind", KINDS)
def test_persistent_workers_after_breaking_off(kind):
    loader = data.DataLoader(
        range(40), batch_size=2, num_workers=3, worker_type=kind, persistent_workers=True
    )
    old = iter(loader)
    next(old)
    assert [batch.tolist() for batch in loader] == [[i, i + 1] for i in range(0, 40, 2)]
    with pytest.raises(RuntimeError, match="one iteration at a time"):
        list(old)


def test_persistent_workers_are_kept():
    loader = data.DataLoader(Pids(), num_workers=2, worker_type="process", persistent_workers=True)
    first, second = ({batch.item() for batch in loader} for _ in range(2))
    assert first == second and len(first) == 2


class Pids(data.Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return os.getpid()


SCRIPT = """
    import os, sys, threading, time
    from tallow.utils import data

    class Slow(data.Dataset):
        def __len__(self):
            return 1000
        def __getitem__(self, index):
            time.sleep(0.05)
            return index

    loader = data.DataLoader(Slow(), batch_size=2, num_workers=2, worker_type="{kind}")
    try:
        for number, batch in enumerate(loader):
            if number == 2:
                print("running", flush=True)
    finally:
        pid = os.getpid()
        print(open(f"/proc/{{pid}}/task/{{pid}}/children").read().split(), flush=True)
"""


def started(script):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # not that of our shell
    )  # fmt: skip
    assert process.stdout.readline() == "running\n", process.stderr.read()
    return process


@pytest.mark.parametrize("kind", KINDS)
def test_interrupt(kind):
    """Ctrl-C, which the terminal sends to all of the group, ends the program at once."""
    process = started(SCRIPT.format(kind=kind))
    os.killpg(process.pid, signal.SIGINT)
    try:
        output, errors = process.communicate(timeout=20)  # the loader would go on for longer
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert "KeyboardInterrupt" in errors and output == "[]\n"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


ORPHANS = """
    import os, time
    from tallow.utils import data

    class Slow(data.Dataset):
        def __len__(self):
            return 8
        def __getitem__(self, index):
            time.sleep(60 * (index > 1))
            return os.getpid()

    if __name__ == "__main__":
        loader = data.DataLoader(Slow(), num_workers=2, multiprocessing_context="{method}")
        epoch = iter(loader)
        workers = [next(epoch).item() for _ in range(2)]
        if os.fork() == 0:  # it has all that the main process has open
            time.sleep(60)
        print(*workers, flush=True)
        next(epoch)
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_end_with_the_main_process(method, tmp_path):
    """Even if it is killed while each is busy with a sample, and others have its pipes open."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(ORPHANS.format(method=method)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment,
        start_new_session=True,
    )  # fmt: skip
    workers = [Path(f"/proc/{number}") for number in process.stdout.readline().split()]
    process.kill()
    process.wait()
    try:
        assert len(workers) == 2
        deadline = time.monotonic() + 5
        while any(map(runs, workers)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(runs, workers))
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the one that was forked
        process.stdout.close()


def runs(process):
    """True for a process that is there and not just waited for."""
    try:
        return "Z" not in (process / "stat").read_text().rpartition(")")[2]
    except OSError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow(kind):
    script = f"""
        import os, tallow
        from tallow.utils import data

        class Images(data.Dataset):
            def __len__(self):
                return 200
            def __getitem__(self, index):
                return tallow.zeros(3, 64, 64)

        def resident():
            return int(open("/proc/self/statm").read().split()[1])

        loader = data.DataLoader(Images(), batch_size=20, num_workers=2, worker_type="{kind}",
                                 persistent_workers=True)
        print("running")
        sizes = []
        for epoch in range(45):
            for batch in loader:
                pass
            sizes.append(resident())
        print(min(sizes[5:25]), min(sizes[25:]))  # it varies with how many batches are made ahead
    """
    output, errors = started(script).communicate(timeout=60)
    early, late = map(int, output.split())
    assert late < early * 1.05, errors


# Resuming


LOADERS = {
    "serial": {},
    "threads": dict(num_workers=2),
    "processes": dict(num_workers=2, worker_type="process"),
    "own_generator": dict(num_workers=2, generator=7),
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("stop", [1, 4, 10])
def test_resuming(name, stop, tmp_path):
    def make():
        options = dict(LOADERS[name])
        if "generator" in options:
            options["generator"] = tallow.Generator().manual_seed(options["generator"])
        return data.DataLoader(Noisy(), batch_size=4, shuffle=True, **options)

    def rest(epoch, loader):
        """The batches of the epoch that has begun and of the next, with draws between them."""
        for batches in (epoch, loader):
            for images, labels in batches:
                yield images.sum().item(), labels.tolist(), tallow.rand(1).item()

    tallow.manual_seed(1)
    list(loader := make())
    epoch = iter(loader)
    for _ in range(stop):
        next(epoch)
        tallow.rand(1)
    state = {"loader": loader.state_dict(), "rng": tallow.get_rng_state()}
    if loader.generator is not None:
        state["generator"] = loader.generator.get_state()
    tallow.save(state, tmp_path / "state.pt")
    expected = list(rest(epoch, loader))

    tallow.manual_seed(99)
    loader, state = make(), tallow.load(tmp_path / "state.pt")
    loader.load_state_dict(state["loader"])
    tallow.set_rng_state(state["rng"])
    assert loader.state_dict()["batches"] == stop
    assert list(rest(iter(loader), loader)) == expected


def test_resuming_twice():
    loader = data.DataLoader(Noisy(), batch_size=4, shuffle=True)
    tallow.manual_seed(1)
    expected = [labels.tolist() for _, labels in loader]
    tallow.manual_seed(1)
    epoch = iter(loader)
    found = [next(epoch)[1].tolist() for _ in range(3)]
    for count in (2, 5):
        state = loader.state_dict()
        loader = data.DataLoader(Noisy(), batch_size=4, shuffle=True)
        loader.load_state_dict(state)
        epoch = iter(loader)
        found += [next(epoch)[1].tolist() for _ in range(count)]
    assert found == expected
    assert list(epoch) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_an_iterable(workers):
    loader = data.DataLoader(Counting(20), batch_size=3, num_workers=workers)
    expected = [batch.tolist() for batch in loader]
    epoch = iter(loader)
    found = [next(epoch).tolist() for _ in range(3)]
    state = loader.state_dict()
    loader.load_state_dict(state)
    assert found + [batch.tolist() for batch in loader] == expected


def test_states_between_epochs():
    loader = data.DataLoader(Noisy(), batch_size=4)
    assert loader.state_dict() == {"batches": 0, "states": []}
    list(loader)
    assert loader.state_dict() == {"batches": 0, "states": []}
    loader.load_state_dict(loader.state_dict())
    assert len(list(loader)) == 10


def test_states_of_another_loader():
    loader = data.DataLoader(Noisy(), generator=tallow.Generator())
    epoch = iter(loader)
    next(epoch)
    with pytest.raises(ValueError, match="the states of 1 generators, got 2"):
        data.DataLoader(Noisy()).load_state_dict(loader.state_dict())
