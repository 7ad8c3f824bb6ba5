"""Mutations of good files: they load, or raise our own error, in bounded time and memory."""

import functools
import io
import os
import random
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

import tallow
from tallow.errors import CheckpointError

ROUNDS = int(os.environ.get("TALLOW_FUZZ_ROUNDS", 400))  # of each format
SECONDS = 5  # for one file; the good ones take milliseconds
MEMORY = 1 << 26


def contents():
    base = tallow.arange(12.0).reshape(3, 4)
    return {
        "model": {"weight": base, "row": base[1], "half": tallow.ones(3).to(tallow.bfloat16)},
        "list": [1, -2, 3.5, "text", None, True, b"bytes", {"set"}, (1, (2,))],
        "array": np.arange(3),
        "size": base.shape,
    }


@functools.cache
def saved_zip():
    file = io.BytesIO()
    tallow.save(contents(), file)
    return file.getvalue()


def saved_program():
    with zipfile.ZipFile(io.BytesIO(saved_zip())) as archive:
        return archive.read("archive/data.pkl")


def repacked(program):
    """A sound archive around a pickle program: its checksum is no obstacle."""
    source, file = io.BytesIO(saved_zip()), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, program if "data.pkl" in entry.filename else content)
    return file.getvalue()


def saved_npz(tmp_path):
    tallow.save({"a": tallow.arange(12.0), "b": tallow.ones(2, 2)}, tmp_path / "a.npz")
    return (tmp_path / "a.npz").read_bytes()


def saved_safetensors(tmp_path):
    tallow.save({"a": tallow.arange(12.0), "b": tallow.ones(2, 2)}, tmp_path / "a.safetensors")
    return (tmp_path / "a.safetensors").read_bytes()


def saved_legacy():
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    weight = torch.arange(12.0).view(3, 4)
    theirs = {"weight": weight, "row": weight[1], "list": [1, "text", None]}
    torch.save(theirs, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


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


FORMATS = {
    "zip": lambda path: (saved_zip(), lambda data: data),
    "program": lambda path: (saved_program(), repacked),
    "legacy": lambda path: (saved_legacy(), lambda data: data),
    "npz": lambda path: (saved_npz(path), lambda data: data),
    "safetensors": lambda path: (saved_safetensors(path), lambda data: data),
}


@pytest.mark.parametrize("name", FORMATS)
def test_mutations(name, tmp_path):
    good, wrapped = FORMATS[name](tmp_path)
    draw = random.Random(zlib.crc32(name.encode()))
    tallow.load(io.BytesIO(wrapped(good)))
    refused = 0
    tracemalloc.start()
    try:
        for number in range(ROUNDS):
            data = wrapped(mutated(good, draw))
            start = time.process_time()
            try:
                tallow.load(io.BytesIO(data))
            except CheckpointError:
                refused += 1
            except Exception as error:
                (tmp_path / "found").write_bytes(data)
                raise AssertionError(f"mutation {number}: {error!r}") from error
            assert time.process_time() - start < SECONDS
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert refused > ROUNDS // 20  # else they change nothing
