"""Mutations of good files: they load, or raise our own error, in bounded time and memory.

Of each format some hundred are tried, and in the slow group as many as go into SECONDS, by changes
of bytes and by Hypothesis's edits, which it makes shorter. `tools/fuzz.py` goes on from there with
atheris. A file that raises anything else belongs into the folder `found`, whose files are tried
ever after.
"""

import functools
import io
import os
import pickle
import random
import struct
import tempfile
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.errors import CheckpointError
from tallow.serialization.legacy import MAGIC, VERSION
from tallow.serialization.pickling import Pickler
from tallow.serialization.saving import Storages

ROUNDS = int(os.environ.get("TALLOW_FUZZ_ROUNDS", 400))  # of each format
SECONDS = float(os.environ.get("TALLOW_FUZZ_SECONDS", 60))  # for each format in the slow group
LONGEST = 5  # seconds for one file; the good ones take milliseconds
MEMORY = 1 << 26
FOUND = Path(__file__).with_name("found")


def contents():
    base = tallow.arange(12.0).reshape(3, 4)
    return {
        "model": {"weight": base, "row": base[1], "half": tallow.ones(3).to(tallow.bfloat16)},
        "list": [1, -2, 3.5, "text", None, True, b"bytes", {"set"}, (1, (2,))],
        "array": np.arange(3),
        "size": base.shape,
    }


@functools.cache
def saved(suffix=""):
    """A good file, as bytes; of .npz and .safetensors with a dictionary of tensors."""
    if not suffix:
        file = io.BytesIO()
        tallow.save(contents(), file)
        return file.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        tallow.save({"a": tallow.arange(12.0), "b": tallow.ones(2, 2)}, path)
        return path.read_bytes()


@functools.cache
def saved_legacy():
    """A good file of the legacy format: pickles one after the other, then the storages."""
    storages = Storages()
    parts = [pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"little_endian": True})]
    weight = tallow.arange(12.0).reshape(3, 4)
    content = {"weight": weight, "row": weight[1], "list": [1, "text", None]}
    parts.append(Pickler(storages.identify).dump(content))
    parts.append(pickle.dumps([str(key) for key in range(len(storages.memories))], 2))
    parts += [struct.pack("<q", m.size // 4) + m.tobytes() for m in storages.memories]
    return b"".join(parts)


def saved_program():
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        return archive.read("archive/data.pkl")


def repacked(program):
    """A sound archive around a pickle program: its checksum is no obstacle."""
    source, file = io.BytesIO(saved()), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, program if "data.pkl" in entry.filename else content)
    return file.getvalue()


# What to change, and how a file is made of it again
FORMATS = {
    "zip": (saved, bytes),
    "program": (saved_program, repacked),
    "legacy": (saved_legacy, bytes),
    "npz": (lambda: saved(".npz"), bytes),
    "safetensors": (lambda: saved(".safetensors"), bytes),
}


def refused(data):
    """True if a file raises CheckpointError, False if it loads; anything else is a bug."""
    start = time.process_time()
    try:
        tallow.load(io.BytesIO(data))
        return False
    except CheckpointError:
        return True
    finally:
        assert time.process_time() - start < LONGEST


def mutated(data, draw):
    """`data` with a few bytes changed, cut out, doubled or moved."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        start = draw.randrange(len(data))
        end = min(len(data), start + draw.choice((1, 1, 2, 4, 8, 32)))
        kind = draw.randrange(6)
        if kind == 0:
            data[start] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[start:end] = draw.randbytes(end - start)
        elif kind == 2:
            del data[start:end]
        elif kind == 3:
            data[start:start] = data[start:end] * draw.choice((1, 2, 50))
        elif kind == 4:
            data[start:end] = draw.choice((b"\x00", b"\xff")) * (end - start)
        else:
            data[start:start] = bytes([draw.choice(b"(]})\x85\x86\x87tRbaesuQq\x80h0c.\x93\x81")])
        data = data or bytearray(b"\x00")
    return bytes(data)


def mutate(name, draw, goes_on, folder):
    """Load mutations as long as `goes_on(number)`; the shares of those that are refused."""
    good, wrapped = FORMATS[name][0](), FORMATS[name][1]
    assert not refused(wrapped(good))
    number = count = 0
    while goes_on(number):
        data = wrapped(mutated(good, draw))
        try:
            count += refused(data)
        except Exception as error:
            (folder / "found").write_bytes(data)
            raise AssertionError(f"mutation {number}, kept in {folder}: {error!r}") from error
        number += 1
    return count / number


@pytest.mark.parametrize("name", FORMATS)
def test_mutations(name, tmp_path):
    draw = random.Random(zlib.crc32(name.encode()))
    tracemalloc.start()
    try:
        share = mutate(name, draw, lambda number: number < ROUNDS, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert share > 0.05  # else they change nothing


@pytest.mark.parametrize("path", sorted(FOUND.iterdir()), ids=lambda path: path.name)
def test_files_that_were_found(path):
    refused(path.read_bytes())


# For a minute each


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_mutations_for_long(name, tmp_path):
    end = time.monotonic() + SECONDS / 2
    mutate(name, random.Random(), lambda _: time.monotonic() < end, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_edits_for_long(name, tmp_path):
    hypothesis = pytest.importorskip("hypothesis")
    some = hypothesis.strategies
    good, wrapped = FORMATS[name][0](), FORMATS[name][1]
    edit = some.tuples(some.integers(0, len(good)), some.integers(0, 40), some.binary(max_size=40))
    end = time.monotonic() + SECONDS / 2

    @hypothesis.settings(
        max_examples=50, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(some.lists(edit, min_size=1, max_size=8))
    def try_edits(edits):
        data = bytearray(good)
        for place, length, content in edits:
            data[place : place + length] = content
        data = wrapped(bytes(data))
        (tmp_path / "found").write_bytes(data)  # the last one, so the shortest that fails
        refused(data)

    while time.monotonic() < end:
        try_edits()
