"""Dictionaries of tensors as .safetensors, a format that holds numbers and nothing else.

It is read and written by the safetensors library. A tensor that is there under several names is
stored once, and the header's metadata says under which names else it is to be found.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save_file as write_arrays

from tallow import dtypes
from tallow.backend import for_array
from tallow.creation import place
from tallow.errors import CheckpointError, TypeMismatchError
from tallow.serialization.atomic import replacing
from tallow.serialization.source import Source
from tallow.tensor import Tensor

INDEX_SUFFIX = ".safetensors.index.json"
LARGEST_INDEX = 1 << 28  # bytes
TYPES = {
    "BOOL": dtypes.bool_, "U8": dtypes.uint8, "I8": dtypes.int8, "I16": dtypes.int16,
    "I32": dtypes.int32, "I64": dtypes.int64, "U16": dtypes.uint16, "U32": dtypes.uint32,
    "U64": dtypes.uint64, "F16": dtypes.float16, "BF16": dtypes.bfloat16, "F32": dtypes.float32,
    "F64": dtypes.float64, "C64": dtypes.complex64, "F8_E4M3": dtypes.float8_e4m3fn,
    "F8_E5M2": dtypes.float8_e5m2, "F8_E4M3FNUZ": dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": dtypes.float8_e5m2fnuz,
}  # fmt: skip
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def save_file(tensors, filename, metadata=None):
    """Write a dictionary of tensors, and `metadata`, a dictionary of strings, to a file.

    >>> import os, tallow, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> save_file({"weight": tallow.ones(2)}, path, metadata={"by": "an example"})
    >>> load_file(path)
    {'weight': tensor([1., 1.])}
    """
    arrays, aliases = _distinct_arrays(tensors)
    with replacing(filename) as temporary:
        try:
            write_arrays(arrays, temporary, {"format": "pt"} | aliases | (metadata or {}))
        except SafetensorError as error:
            raise TypeMismatchError(
                f"save_file: expected types that fit the format; {error}"
            ) from None


def load_file(filename, device="cpu"):
    """The dictionary of tensors in a file; CheckpointError if it is damaged or something else."""
    with closing(Source.open(filename)) as source:
        return load_source(source, device)


def load_source(source, device):
    """`load_file` for a source."""
    header, start = _header(source)
    notes = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in TYPES:
            raise source.failure(f"expected a known type of {name!r}, got {entry['dtype']}")
        begin, end = entry["data_offsets"]
        memory = source.memory(start + begin, end - begin)
        array = memory.view(TYPES[entry["dtype"]].numpy).reshape(entry["shape"])
        tensors[name] = place(array, device)
    aliases = {alias: name for alias, name in notes.items() if alias not in tensors}
    return tensors | {a: tensors[name] for a, name in aliases.items() if name in tensors}


def load_metadata(filename):
    """The dictionary of strings in the header of a file."""
    with closing(Source.open(filename)) as source:
        return _header(source)[0].get("__metadata__", {})


def _header(source):
    """The header of a file that the library finds sound, and where the tensors start."""
    try:
        if source.owned:
            with safe_open(source.name, "np") as file:
                file.metadata()
        else:
            deserialize(source.read(0, source.size))
    except SafetensorError as error:
        raise source.failure(f"expected a safetensors file; {error}") from None
    start = 8 + int.from_bytes(source.read(0, 8), "little")
    return json.loads(source.read(8, start - 8)), start


def _distinct_arrays(tensors):
    """Host arrays by name, each once, and the names that stand for one of them."""
    if not isinstance(tensors, Mapping):
        raise TypeMismatchError(
            f"save_file: expected a dictionary of tensors, got {type(tensors).__name__}"
        )
    arrays, aliases, seen = {}, {}, {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) or not isinstance(name, str):
            raise TypeMismatchError(
                f"save_file: expected tensors by name, got {type(tensor).__name__} at {name!r}"
            )
        array = tensor.array
        host = for_array(array).to_host(array)
        known = (id(array),)
        if host is array and array.size:
            known = (array.ctypes.data, array.shape, array.strides, array.dtype)
        first = seen.setdefault(known, name)
        if first == name:
            arrays[name] = np.ascontiguousarray(host).reshape(host.shape)
        else:
            aliases[name] = first
    return arrays, aliases


# Several files and an index


def save_sharded(tensors, directory, max_shard_size="5GB", name="model", metadata=None):
    """Write a dictionary of tensors to several files and an index; returns the path of the index.

    `max_shard_size` is in bytes or like "200MB"; a tensor that is larger gets a file of its own.
    The index is written last: where there is one, all files are.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    shards = _shards(tensors, _bytes_of(max_shard_size))
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        filename = f"{name}-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, directory / filename, metadata)
        weight_map |= dict.fromkeys(shard, filename)
    total = sum(array.nbytes for array in _distinct_arrays(tensors)[0].values())
    index = {"metadata": {"total_size": total} | (metadata or {}), "weight_map": weight_map}
    path = directory / f"{name}{INDEX_SUFFIX}"
    with replacing(path) as temporary:
        Path(temporary).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    return path


def load_sharded(index, device="cpu"):
    """The dictionary of tensors of an index, or of the directory with one, and its files."""
    path = Path(index)
    if path.is_dir():
        found = sorted(path.glob(f"*{INDEX_SUFFIX}"))
        if len(found) != 1:
            raise CheckpointError(f"load: expected one index, got {len(found)}; in {path}")
        path = found[0]
    weight_map = _weight_map(path)
    tensors = {}
    for filename in dict.fromkeys(weight_map.values()):
        tensors |= load_file(path.parent / filename, device)
    missing = weight_map.keys() - tensors.keys()
    if missing:
        raise CheckpointError(
            f"load: expected the tensor {min(missing)!r} in {weight_map[min(missing)]}, "
            f"got none; in {path}"
        )
    return {name: tensors[name] for name in weight_map}


def _weight_map(path):
    """The file of each tensor by name, from an index."""
    if path.stat().st_size > LARGEST_INDEX:
        raise CheckpointError(
            f"load: expected an index, got {path.stat().st_size} bytes; in {path}"
        )
    try:
        weight_map = json.loads(path.read_bytes())["weight_map"]
        names = [Path(name) for name in weight_map.values()]
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CheckpointError(f"load: expected an index of tensors ({error}); in {path}") from None
    for name in names:
        if name.name != str(name) or name.suffix != ".safetensors":
            raise CheckpointError(
                f"load: expected names of files beside the index, got {str(name)[:80]!r}; in {path}"
            )
    return weight_map


def _shards(tensors, limit):
    """The dictionary cut into several of `limit` bytes; tensors that are one stay together."""
    shards, sizes, home = [{}], [0], {}
    for name, tensor in tensors.items():
        size, known = tensor.array.nbytes, (id(tensor.array), tensor.data_ptr(), tensor.shape)
        if known in home:
            shards[home[known]][name] = tensor
            continue
        if shards[-1] and sizes[-1] + size > limit:
            shards.append({})
            sizes.append(0)
        home[known] = len(shards) - 1
        shards[-1][name] = tensor
        sizes[-1] += size
    return shards


def _bytes_of(size):
    if isinstance(size, str):
        return int(float(size[:-2]) * UNITS[size[-2:].upper()])
    return size
