"""Batches in memory that a GPU reads by itself, on a stand-in for it."""

import threading
from typing import NamedTuple

import numpy as np
import pytest

import tallow
from tallow import attributes, backend, cuda
from tallow.utils.data import DataLoader


class Pair(NamedTuple):
    x: object
    y: object


class Samples:
    """Containers of many kinds, with numbers and words in them."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return {"pair": Pair(tallow.full((2,), float(i)), i), "word": "a", "list": [np.ones(1)]}


class Own:
    """A batch that says itself how it is pinned."""

    def __init__(self, batch):
        self.batch, self.pinned = batch, False

    def pin_memory(self):
        self.pinned = True
        return self


class Devices(threading.local):
    """The number of the current device: 0 at first in each thread, as CUDA has it."""

    current = 0


DEVICES = Devices()


class On:
    """`tallow.cuda.device`."""

    def __init__(self, index):
        self.index = index

    def __enter__(self):
        self.before, DEVICES.current = DEVICES.current, self.index

    def __exit__(self, *exception):
        DEVICES.current = self.before


@pytest.fixture
def threads(monkeypatch):
    """Where arrays were pinned, (thread, device); a pinned one is marked by its type."""
    found = []

    class Pinned(np.ndarray):
        pass

    def pin(array):
        found.append((threading.current_thread(), DEVICES.current))
        return array.copy().view(Pinned)

    made = backend.for_device("cpu")._replace(
        name="cuda", pinned=pin, is_pinned=lambda array: isinstance(array, Pinned)
    )
    monkeypatch.setitem(backend._by_name, "cuda", made)
    monkeypatch.setitem(backend._by_type, Pinned, backend.for_device("cpu"))
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "current_device", lambda: DEVICES.current)
    monkeypatch.setattr(cuda, "device", On)
    return found


@pytest.mark.parametrize("how", [
    {}, {"num_workers": 2}, {"num_workers": 1, "worker_type": "process"},
])  # fmt: skip
def test_batches_are_pinned(how, threads):
    plain = [batch["pair"].x.tolist() for batch in DataLoader(Samples(), 2)]
    assert not threads
    with On(1):
        for batch, expected in zip(
            DataLoader(Samples(), 2, pin_memory=True, **how), plain, strict=True
        ):
            x, y = batch["pair"]
            assert all(map(attributes.is_pinned, (x, y, batch["list"][0])))
            assert x.tolist() == expected and batch["word"] == ["a", "a"]
    in_workers = bool(how) and "worker_type" not in how
    assert ((threading.main_thread(), 1) in threads) is not in_workers
    assert {device for _, device in threads} == {1}, "as where they are asked for"


def test_batches_may_say_how(threads):
    (batch,) = DataLoader([1.0, 2.0], 2, pin_memory=True, collate_fn=Own)
    assert batch.pinned and batch.batch == [1, 2]


def test_without_a_gpu_nothing_is_pinned():
    if not cuda.is_available():
        (batch,) = DataLoader([1.0, 2.0], 2, pin_memory=True)
        assert not batch.is_pinned()
