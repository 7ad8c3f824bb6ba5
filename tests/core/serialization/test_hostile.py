"""Files that are damaged, foreign or hostile: an error that says so, and nothing is run."""

import copy
import io
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import time
import zipfile

import numpy as np
import pytest

import tallow
from tallow.errors import CheckpointError
from tallow.serialization import Placeholder
from tallow.serialization.legacy import MAGIC


def packed(program, storages=None, compression=zipfile.ZIP_STORED):
    """A checkpoint with a pickle program of our own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", program)
        for name, content in (storages or {}).items():
            archive.writestr(f"archive/data/{name}", content)
    file.seek(0)
    return file


def load(program, **options):
    return tallow.load(packed(b"\x80\x02" + program + b".", **options))


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"J" + struct.pack("<i", value)


def storage(count=4, key="0", kind="torch\nFloatStorage"):
    parts = text("storage") + f"c{kind}\n".encode() + text(key) + text("cpu") + number(count)
    return b"(" + parts + b"tQ"


def tensor(size, stride, offset=0, **options):
    lengths, steps = (b"(" + b"".join(map(number, x)) + b"t" for x in (size, stride))
    arguments = storage(**options) + number(offset) + lengths + steps + b"\x89)"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


FOUR = {"0": np.arange(4, dtype=np.float32).tobytes()}


def test_the_tools_of_these_tests_make_sound_files():
    assert load(tensor([2, 2], [2, 1]), storages=FOUR).tolist() == [[0, 1], [2, 3]]
    assert load(b"]" + number(3) + b"a") == [3]


NESTED = {
    "lists": b"]" * 2000 + b"a" * 1999,
    "tuples": b")" + b"\x85" * 5000,
    "dicts": b"}" + (text("a") + b"}") * 2000 + b"s" * 2000,
    "calls": b"cx\ny\n)R" * 2000 + b"b" * 1999,
}
LAUGHS = b")q\x00" + b"".join(
    b"0h%c" % i + b"h%c" % i + b"\x86q%c" % (i + 1) for i in range(60)
)  # a tuple that holds itself 2 ** 60 times

HOSTILE = {
    "system": (b"cos\nsystem\n(" + text("echo") + b"tR", "os.system, which runs code"),
    "posix": (b"cposix\nsystem\n(" + text("echo") + b"tR", "posix.system"),
    "eval": (b"cbuiltins\neval\n(" + text("1") + b"tR", "builtins.eval"),
    "exec": (b"c__builtin__\nexec\n(" + text("1") + b"tR", "builtins.exec"),
    "subprocess": (b"csubprocess\nPopen\n(" + text("ls") + b"tR", "subprocess.Popen"),
    "stack_global": (text("os") + text("system") + b"\x93", "os.system"),
    "inst": (b"(ios\nsystem\n", "expected an opcode .* got 0x69"),
    "extension": (b"\x82\x01", "got 0x82"),
    "text_opcode": (b"I1\n", "got 0x49"),
    "reduce_of_text": (text("os.system") + b")R", "expected a class and its arguments"),
    "reduce_without_tuple": (b"cx\ny\n]R", "expected a class and its arguments"),
    "build_of_list": (b"]}b", "got list"),
    "build_of_class": (b"ctorch\nSize\n}b", "got Global"),
    "build_with_text": (b"ccollections\nOrderedDict\n)R" + text("a") + b"b", "got str"),
    "append_to_dict": (b"}" + number(1) + b"a", "got dict"),
    "item_of_list": (b"]" + number(1) + number(1) + b"s", "got list"),
    "odd_items": (b"}(" + number(1) + b"u", "byte"),
    "unhashable_key": (b"}]" + number(1) + b"s", "unhashable"),
    "no_such_memo": (b"h\x07", "stored before, got 7"),
    "empty_stack": (b"0", "got the end"),
    "no_mark": (b"t", "got the end"),
    "tuple_of_nothing": (number(1) + b"\x87", "got the end"),
    "nothing": (b"", "got the end"),
    "cycle": (b"]q\x00h\x00a", "contains itself"),
    "cycle_through_tuple": (b"]q\x00h\x00\x85a", "contains itself"),
    "cycle_in_state": (b"cx\ny\n)Rq\x00}" + text("a") + b"h\x00sb", "contains itself"),
    "long_text": (b"X\xff\xff\xff\xff", "expected 4294967295 bytes more"),
    "longer_text": (b"\x8d" + b"\xff" * 8, "bytes more"),
    "negative_text": (b"T" + struct.pack("<i", -5), "expected -5 bytes"),
    "bad_text": (b"X\x01\x00\x00\x00\xff", "utf-8"),
    "long_int": (b"\x8b" + struct.pack("<i", 10**6) + bytes(10**6), "an int of at most"),
    "long_name": (b"c" + b"x" * 10**5 + b"\ny\n", "a name of fewer"),
    "bytearray_bomb": (b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R", "expected .*str"),
    "set_of_laughs": (LAUGHS + b"cbuiltins\nset\n](h<e\x85R", "expected a key"),
    "key_of_laughs": (b"}" + LAUGHS + number(1) + b"s", "expected a key"),
    "size_of_laughs": (LAUGHS + b"ctorch\nSize\nh<\x85R", "expected"),
    "work": (
        b"](" + number(1) * 50000 + b"eq\x010" + b"cbuiltins\nset\nh\x01\x85R0" * 3000 + b"N",
        "work in proportion",
    ),
    "storage_as_text": (text("0") + b"Q", "identity of a storage"),
    "storage_missing": (storage(key="1"), "storage '1' of 4"),
    "storage_too_long": (storage(count=5), "got 16 bytes"),
    "storage_too_short": (storage(count=3), "got 16 bytes"),
    "storage_negative": (storage(count=-4), "got 16 bytes"),
    "storage_outside": (storage(key="../data.pkl"), "got None bytes"),
    "shape_too_large": (tensor([5], [1]), "needs 5 elements, its storage has 4"),
    "shape_overflows": (tensor([2**31 - 1] * 4, [2**31 - 1] * 4), "elements, its storage has 4"),
    "offset_outside": (tensor([1], [1], offset=4), "needs 5 elements"),
    "negative_offset": (tensor([1], [1], offset=-1), "a tensor can have"),
    "negative_size": (tensor([-1], [1]), "a tensor can have"),
    "negative_stride": (tensor([2], [-1]), "a tensor can have"),
    "strides_missing": (tensor([2], []), "a tensor can have"),
    "too_many_dims": (tensor([1] * 100, [1] * 100), "byte"),
    "huge_expansion": (tensor([2**31 - 1] * 5, [0] * 5), "byte"),
    "dtype_of_objects": (b"cnumpy\ndtype\n(" + text("O8") + b"tR", "dtype of numbers"),
    "dtype_of_fields": (b"cnumpy\ndtype\n(" + text("i4,O") + b"tR", "dtype of numbers"),
    "array_too_large": (
        b"cnumpy.core.multiarray\n_reconstruct\n(NNNtR(" + number(1) + b"J\xff\xff\xff\x7f\x85"
        b"cnumpy\ndtype\n(" + text("f8") + b"tR\x89c_codecs\nencode\n(" + text("a") + b"tRtb",
        "byte",
    ),
    "device": (b"ctorch\ndevice\n" + text("!") + b"\x85R", "expected"),
    "device_of_laughs": (LAUGHS + b"ctorch\ndevice\nh<\x85R", "expected"),
    "encoding": (b"c_codecs\nencode\n(" + text("a") + text("zlib") + b"tR", "the encoding"),
} | {f"nested_{name}": (program, "deep") for name, program in NESTED.items()}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_programs(name):
    program, message = HOSTILE[name]
    with pytest.raises(CheckpointError, match=message) as error:
        load(program, storages=FOUR)
    assert "in a BytesIO" in str(error.value) and len(str(error.value)) < 500


def test_placeholders_do_nothing_and_print():
    made = load(
        b"cargparse\nNamespace\n)R}" + text("lr") + number(3) + b"sb"  # an object with a state
    )
    assert isinstance(made, Placeholder) and made.path == "argparse.Namespace"
    assert made.state == {"lr": 3}
    assert made.lr == 3
    with pytest.raises(AttributeError, match="argparse.Namespace has no attribute 'batch'"):
        print(made.batch)
    assert repr(made) == "<not loaded: argparse.Namespace(state={'lr': 3})>"
    assert copy.deepcopy(made).state == {"lr": 3}
    made = load(b"ccollections\ndeque\n)R(" + number(1) + number(2) + b"e")
    assert made.items == [1, 2] and made.args == ()
    made = load(b"cpathlib\nPosixPath\n(" + text("a") + b"tR")
    assert made.args == ("a",)


def test_a_placeholder_of_many_parts_prints_shortly():
    made = load(LAUGHS + b"cx\ny\nh<\x85R")
    assert len(repr(made)) < 10_000


def test_many_small_objects_take_linear_time():
    start = time.process_time()
    assert len(load(b"](" + b")" * 10**6 + b"e")) == 10**6
    assert time.process_time() - start < 20


def test_two_records_of_one_name():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", b"\x80\x02N.")
        archive.writestr("archive/data.pkl", b"\x80\x02N.")
    file.seek(0)
    with pytest.raises(CheckpointError, match="one record 'data.pkl', got two"):
        tallow.load(file)


def test_compressed_records():
    bomb = packed(b"\x80\x02N.", {"0": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        tallow.load(bomb)


def sound():
    file = io.BytesIO()
    tallow.save({"a": tallow.arange(100), "b": tallow.ones(3, 4)}, file)
    return bytearray(file.getvalue())


def central(data, name):
    """Where the central directory's entry for a record starts."""
    place = data.rindex(b"archive/" + name)
    return data.rindex(b"PK\x01\x02", 0, place)


def test_overlapping_records():
    data = sound()
    first, second = central(data, b"data/0"), central(data, b"data/1")
    data[second + 42 : second + 46] = data[first + 42 : first + 46]  # the offset of the header
    with pytest.raises(CheckpointError, match="lie apart"):
        tallow.load(io.BytesIO(data))


def test_record_outside_the_file():
    data = sound()
    entry = central(data, b"data/0")
    data[entry + 20 : entry + 28] = struct.pack("<II", 10**9, 10**9)  # both lengths
    with pytest.raises(CheckpointError, match="lie apart"):
        tallow.load(io.BytesIO(data))


def test_record_before_the_file():
    data = sound()
    data[data.rindex(b"PK\x05\x06") + 16] ^= 0xFF  # where the directory starts
    with pytest.raises(CheckpointError, match="load: expected"):
        tallow.load(io.BytesIO(data))


def test_damaged_description():
    data = sound()
    place = data.index(b"_rebuild_tensor_v2")
    data[place] ^= 1
    with pytest.raises(CheckpointError, match="'data.pkl' as it was written"):
        tallow.load(io.BytesIO(data))


def test_truncated_everywhere(tmp_path):
    data, path = sound(), tmp_path / "short.pt"
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        with pytest.raises(CheckpointError, match="short.pt"):
            tallow.load(path)


FOREIGN = {
    "nothing": b"",
    "text": b"hello",
    "html": b"<!DOCTYPE html>",
    "pickle": pickle.dumps([1, 2]),
    "pickle_of_zero": pickle.dumps(0, 0),
    "zip": packed(b"").getvalue()[:0] or b"PK\x03\x04",
    "legacy_head": pickle.dumps(MAGIC, 2),
    "legacy_version": pickle.dumps(MAGIC, 2) + pickle.dumps(7, 2),
    "legacy_endian": b"".join(
        pickle.dumps(part, 2) for part in (MAGIC, 1001, {"little_endian": False})
    ),
    "safetensors": struct.pack("<Q", 2**60) + b"{}",
    "safetensors_header": struct.pack("<Q", 2) + b"{}extra",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files(name, tmp_path):
    path = tmp_path / "foreign"
    path.write_bytes(FOREIGN[name])
    for options in ({}, {"mmap": True}):
        with pytest.raises(CheckpointError, match="load: expected .*foreign"):
            tallow.load(path, **options)
    with pytest.raises(CheckpointError, match="load: expected .*BytesIO"):
        tallow.load(io.BytesIO(FOREIGN[name]))


def test_torchscript_is_named():
    file = packed(b"\x80\x02N.")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("archive/constants.pkl", b"")
    with pytest.raises(CheckpointError, match="TorchScript"):
        tallow.load(io.BytesIO(file.getvalue()))


def npz(header, content=b"", name="x.npy"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        size = struct.pack("<H", len(header))
        archive.writestr(name, b"\x93NUMPY\x01\x00" + size + header.encode() + content)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    "header, content",
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}\n", b""),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}\n", bytes(8)),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", bytes(8)),
        ("{'descr': '<U1', 'fortran_order': False, 'shape': (2,)}\n", bytes(8)),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}\n", bytes(8)),
        ("__import__('os')\n", b""),
        ("{", b""),
    ],
)
def test_hostile_npz(header, content):
    with pytest.raises(CheckpointError, match="an archive of arrays"):
        tallow.load(npz(header, content))


def test_npz_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"")
    data = bytearray(file.getvalue())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 2**31)
    with pytest.raises(CheckpointError, match="2147483648 bytes unpacked"):
        tallow.load(io.BytesIO(data))


def test_loading_touches_nothing_else(tmp_path):
    """Python's audit events while loading: the file is opened and nothing imported, run or sent."""
    path = tmp_path / "checkpoint.pt"
    tallow.save({"model": {"weight": tallow.ones(3)}, "step": 1}, path)
    hostile = tmp_path / "hostile.pt"
    hostile.write_bytes(packed(b"\x80\x02cos\nsystem\n(" + text("echo") + b"tR.").getvalue())
    unknown = tmp_path / "unknown.pt"
    unknown.write_bytes(packed(b"\x80\x02cantigravity\nfly\n)R.").getvalue())
    script = f"""
        import sys
        import tallow
        for mmap in (False, True):
            tallow.load({str(path)!r}, mmap=mmap)  # what is imported lazily is there from here on
        seen = []
        sys.addaudithook(lambda event, args: seen.append((event, str(args[0]) if args else "")))
        tallow.load({str(path)!r}), tallow.load({str(path)!r}, mmap=True)
        tallow.load({str(unknown)!r})
        try:
            tallow.load({str(hostile)!r})
        except tallow.errors.CheckpointError:
            pass
        events = {{event for event, _ in seen}} - {{"object.__getattr__", "builtins.id"}}
        opened = {{argument for event, argument in seen if event == "open"}}
        print(sorted(events), sorted(opened))
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    files = [str(p) for p in sorted([path, hostile, unknown])]
    assert result.stdout.strip() == f"['mmap.__new__', 'open'] {files}"
