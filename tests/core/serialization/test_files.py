"""Saving and loading of files: where tensors go, mapped memory, the three formats, replacing."""

import io
import json
import os
import stat
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest

import tallow
from tallow import nn, serialization
from tallow.errors import CheckpointError
from tallow.serialization import (
    load_file,
    load_metadata,
    load_sharded,
    save_file,
    save_sharded,
    zip_writer,
)
from tallow.serialization.atomic import replacing


def saved(obj):
    file = io.BytesIO()
    tallow.save(obj, file)
    file.seek(0)
    return file


def elsewhere():
    """A checkpoint whose tensors were saved from a device that is not here."""
    data = saved([tallow.arange(4)]).getvalue()
    return io.BytesIO(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x03\x00\x00\x00xpu"))


def without_checksum(file):
    """The description's checksum made right again, after it was edited."""
    data = bytearray(file.getvalue())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.infolist()[0]
    start = entry.header_offset + 30 + int.from_bytes(data[26:28], "little")
    start += int.from_bytes(data[28:30], "little")
    checksum = struct.pack("<I", zlib.crc32(data[start : start + entry.file_size]))
    data[14:18] = checksum
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(b"archive/data.pkl"))
    data[central + 16 : central + 20] = checksum
    return io.BytesIO(data)


MAPS = {
    "string": "cpu",
    "device": tallow.device("cpu"),
    "dict": {"xpu": "cpu"},
    "keep": lambda storage, location: storage,
    "to_cpu": lambda storage, location: storage.cpu(),
    "by_location": lambda storage, location: storage if location == "xpu" else None,
}


@pytest.mark.parametrize("name", MAPS)
def test_map_location(name):
    loaded = tallow.load(without_checksum(elsewhere()), map_location=MAPS[name])
    assert loaded[0].tolist() == [0, 1, 2, 3] and loaded[0].device.type == "cpu"


@pytest.mark.parametrize("map_location", [None, {"cpu": "cpu"}, lambda storage, location: None])
def test_a_device_that_is_not_here(map_location):
    with pytest.raises(CheckpointError, match="'xpu'; pass map_location='cpu'"):
        tallow.load(without_checksum(elsewhere()), map_location=map_location)


def test_mapped_memory_is_private(tmp_path):
    path = tmp_path / "a.pt"
    tallow.save({"x": tallow.zeros(1000)}, path)
    before = path.read_bytes()
    for _ in range(2):
        x = tallow.load(path, mmap=True)["x"]
        assert x.sum().item() == 0
        x.fill_(1)
        assert x.sum().item() == 1000
    assert path.read_bytes() == before


def test_mapped_memory_is_read_when_touched(tmp_path):
    path = tmp_path / "large.pt"
    size = 64 << 20
    tallow.save({"x": tallow.zeros(size // 4)}, path)

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    before = resident()
    x = tallow.load(path, mmap=True)["x"]
    assert resident() - before < size / 8
    assert x.sum().item() == 0
    assert resident() - before > size / 2


def test_loaded_tensors_can_be_written_to():
    x = tallow.load(saved(tallow.zeros(3)))
    x += 1
    assert x.tolist() == [1, 1, 1]


@pytest.mark.parametrize("limit", [0xFFFFFFFF, 0, 200])
def test_archives_are_zip_files(monkeypatch, limit):
    """With a low limit, sizes and offsets are written as those of large files are."""
    monkeypatch.setattr(zip_writer, "LIMIT", limit)
    memory = np.arange(1000, dtype=np.uint8)
    records = {"a/empty": b"", "a/text": b"text", "a/memory": memory, "a/last": b"x" * 300}
    file = io.BytesIO()
    zip_writer.write_archive(file, records)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        for name, content in records.items():
            entry = archive.getinfo(name)
            assert archive.read(name) == bytes(content)
            header = file.getvalue()[entry.header_offset :][26:30]
            lengths = struct.unpack("<2H", header)
            assert (entry.header_offset + 30 + sum(lengths)) % zip_writer.ALIGNMENT == 0
    theirs = saved({"x": tallow.arange(5)})
    assert tallow.load(theirs)["x"].tolist() == [0, 1, 2, 3, 4]
    torch = pytest.importorskip("torch")
    theirs.seek(0)
    assert torch.load(theirs)["x"].tolist() == [0, 1, 2, 3, 4]


def test_file_objects_from_where_they_are(tmp_path):
    file = io.BytesIO(b"head" + saved([1, tallow.ones(2)]).getvalue())
    file.seek(4)
    assert tallow.load(file)[0] == 1
    path = tmp_path / "a.pt"
    path.write_bytes(file.getvalue())
    with open(path, "rb") as opened:
        opened.seek(4)
        assert tallow.load(opened)[1].tolist() == [1, 1]
        assert not opened.closed


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: tallow.load(io.BytesIO(b""), mmap=True), ValueError, "a path for mmap=True"),
        (lambda: tallow.load(3), TypeError, "load: expected a path or a file object, got int"),
        (lambda: tallow.load("/no/such/file"), FileNotFoundError, "/no/such/file"),
        (lambda: tallow.load(io.BytesIO(), pickle_module=io), ValueError, "no pickle_module"),
        (lambda: tallow.save([], 3), TypeError, "save: expected a path or a file object"),
        (lambda: saved({"a": [1, (i for i in [])]}), TypeError, r"got generator at \['a'\]\[1\]"),
        (lambda: saved({"f": lambda: 1}), TypeError, r"by its name, got .*<lambda> at \['f'\]"),
        (lambda: saved(np.array([None])), TypeError, "got objects"),
        (lambda: save_file([1], "/tmp/x"), TypeError, "a dictionary of tensors, got list"),
        (lambda: save_file({"a": 1}, "/tmp/x"), TypeError, "tensors by name, got int at 'a'"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_array_with_negative_strides_is_copied():
    x = tallow.from_numpy(np.arange(4)[::-1])
    assert tallow.load(saved(x)).tolist() == [3, 2, 1, 0]


def test_views_of_two_types_are_two_storages():
    x = tallow.arange(4, dtype=tallow.int32)
    loaded = tallow.load(saved([x, x.view(tallow.float32)]))
    assert loaded[0].tolist() == [0, 1, 2, 3] and loaded[1].dtype is tallow.float32


# Replacing


def test_a_failed_save_changes_nothing(tmp_path):
    path = tmp_path / "a.pt"
    tallow.save([1], path)
    with pytest.raises(TypeError):
        tallow.save([1, (i for i in [])], path)
    assert tallow.load(path) == [1] and os.listdir(tmp_path) == ["a.pt"]


def test_permissions_are_those_of_any_file(tmp_path):
    (tmp_path / "plain").touch()
    tallow.save([1], tmp_path / "a.pt")
    assert (tmp_path / "a.pt").stat().st_mode == (tmp_path / "plain").stat().st_mode
    os.chmod(tmp_path / "a.pt", 0o600)
    tallow.save([1], tmp_path / "a.pt")
    assert stat.S_IMODE((tmp_path / "a.pt").stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    os.symlink(tmp_path / "there" / "a.pt", tmp_path / "a.pt")
    tallow.save([1], tmp_path / "a.pt")
    assert (tmp_path / "a.pt").is_symlink() and tallow.load(tmp_path / "there" / "a.pt") == [1]


def test_replacing_without_writing_is_an_empty_file(tmp_path):
    with replacing(tmp_path / "a"):
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b""


# Dictionaries of tensors


def tensors():
    return {
        "a": tallow.arange(6.0).reshape(2, 3).t(),
        "half": tallow.ones(2).to(tallow.bfloat16),
        "scalar": tallow.tensor(True),
        "empty": tallow.zeros(0, 2),
    }


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_dictionaries(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    tallow.save(tensors(), path)
    for source in (path, io.BytesIO(path.read_bytes())):
        loaded = tallow.load(source, map_location="cpu")
        assert loaded.keys() == tensors().keys()
        for name, tensor in tensors().items():
            assert loaded[name].dtype is tensor.dtype
            assert loaded[name].shape == tensor.shape and (loaded[name] == tensor).all()
            loaded[name].zero_()  # may be written to


def test_npz_is_numpys(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(3), y=np.ones((2, 2), ">f4", order="F"))
    loaded = tallow.load(tmp_path / "a.npz")
    assert loaded["x"].tolist() == [0, 1, 2] and loaded["y"].dtype is tallow.float32
    tallow.save(loaded, tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz") as arrays:
        np.testing.assert_array_equal(arrays["y"], np.ones((2, 2)))


def test_tied_weights_are_stored_once(tmp_path):
    weight = nn.Parameter(tallow.ones(1000))
    path = tmp_path / "a.safetensors"
    save_file({"encoder": weight, "decoder": weight, "view": weight.detach()}, path, {"by": "me"})
    assert path.stat().st_size < 6000
    assert load_metadata(path) == {
        "format": "pt", "decoder": "encoder", "view": "encoder", "by": "me",
    }  # fmt: skip
    loaded = load_file(path)
    assert loaded["decoder"] is loaded["encoder"] and set(loaded) == {"encoder", "decoder", "view"}


def test_shards(tmp_path):
    tied = tallow.ones(100)
    state = {f"w{i}": tallow.full((100,), float(i)) for i in range(7)} | {"a": tied, "b": tied}
    index = save_sharded(state, tmp_path, max_shard_size="1KB", metadata={"by": "me"})
    files = sorted(p.name for p in tmp_path.glob("*.safetensors"))
    assert files[0] == "model-00001-of-00004.safetensors" and len(files) == 4
    for loaded in (load_sharded(index), load_sharded(tmp_path), tallow.load(index)):
        assert loaded.keys() == state.keys()
        assert all((loaded[name] == state[name]).all() for name in state)
        assert loaded["a"] is loaded["b"]
    content = json.loads(index.read_text())
    assert content["metadata"] == {"total_size": 3200, "by": "me"}


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "an index of tensors"),
        ("[]", "an index of tensors"),
        ("[" * 100_000, "an index of tensors"),
        ('{"weight_map": 3}', "an index of tensors"),
        ('{"weight_map": {"a": "../a.safetensors"}}', "names of files beside the index"),
        ('{"weight_map": {"a": "/etc/a.safetensors"}}', "names of files beside the index"),
        ('{"weight_map": {"a": "a.pt"}}', "names of files beside the index"),
        ('{"weight_map": {"b": "a.safetensors"}}', "the tensor 'b' in a.safetensors, got none"),
    ],
)
def test_bad_indices(content, message, tmp_path):
    save_file({"a": tallow.ones(1)}, tmp_path / "a.safetensors")
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(content)
    with pytest.raises(CheckpointError, match=message):
        tallow.load(path)


def test_no_index_in_a_directory(tmp_path):
    with pytest.raises(CheckpointError, match="one index, got 0"):
        load_sharded(tmp_path)


def test_lists_of_safe_classes():
    serialization.clear_safe_globals()
    serialization.add_safe_globals([dict, list, dict])
    with serialization.safe_globals([set]):
        assert serialization.get_safe_globals() == [dict, list, set]
    assert serialization.get_safe_globals() == [dict, list]
    serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []


def test_nothing_warns(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tallow.save({"a": tallow.ones(2)}, tmp_path / "a.pt")
        tallow.load(tmp_path / "a.pt", weights_only=False)
