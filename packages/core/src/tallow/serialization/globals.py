"""The closed list of what a checkpoint can name, and how each is built.

A name that is not here stands for a `Global` that makes placeholders. Nothing is imported and
nothing that a file names is called: what runs is what is in this module.
"""

import re
from collections import Counter, OrderedDict, defaultdict
from importlib import import_module

import numpy as np

from tallow import dtypes
from tallow.conversion import as_subclass
from tallow.device import device
from tallow.errors import TallowError
from tallow.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from tallow.nn.parameter import Parameter
from tallow.serialization.placeholder import Global, Placeholder
from tallow.serialization.storage import STORAGE_NAMES, Storage, StorageType
from tallow.size import Size
from tallow.tensor import Tensor

# Modules whose names are in a checkpoint for one purpose only.
HOSTILE = re.compile(
    r"(os|posix|nt|sys|subprocess|socket|shutil|importlib|runpy|pty|ctypes|code|pickle|_pickle"
    r"|multiprocessing|asyncio|webbrowser|signal|threading)(\..*|$)"
    r"|builtins\.(exec|eval|compile|open|__import__|input|breakpoint|globals|locals|vars)$"
)


def find(module, name):
    """What a file means by `module.name`; ValueError if that could only do harm."""
    path = f"{module}.{name}".replace("__builtin__.", "builtins.", 1)
    if path in CONSTANTS:
        return CONSTANTS[path]
    if path in BUILDERS:
        return BUILDERS[path]
    if HOSTILE.match(path):
        raise ValueError(f"expected the names of data, got {path}, which runs code")
    return Global(path)


# Tensors


def _tensor(storage, offset, size, stride, requires_grad=False, hooks=None, *rest):
    """A view of a storage; `rest` is the dtype, for a storage without one, and metadata."""
    dtype = next((value for value in rest if isinstance(value, dtypes.dtype | Global)), None)
    metadata = next((value for value in rest if isinstance(value, dict)), None)
    if not isinstance(storage, Storage) or isinstance(dtype, Global):
        return Placeholder("torch.Tensor", (storage, size, dtype))
    tensor = storage.view(offset, tuple(size), tuple(stride), dtype)
    if metadata:
        tensor = _with_bits(tensor, metadata)
    return _requiring(tensor, requires_grad)


def _with_bits(tensor, metadata):
    """PyTorch's lazy conjugation and negation, carried out."""
    array = tensor.array
    array = array.conj() if metadata.get("conj") else array
    tensor.array = -array if metadata.get("neg") else array
    return tensor


def _requiring(tensor, flag):
    tensor.requires_grad = bool(flag)
    return tensor


def _parameter(data, requires_grad=True, hooks=None, state=None):
    if not isinstance(data, Tensor):
        return data
    return set_attributes(Parameter(data, requires_grad=bool(requires_grad)), state)


def _from_type(function, cls, args, state):
    """A tensor with Python attributes; of a class of its own it is a plain one."""
    tensor = _expect(function, Global)(*args)
    if isinstance(cls, type) and issubclass(cls, Tensor):  # the program knows it (`trusted`)
        tensor = as_subclass(tensor, cls)
    return set_attributes(tensor, state) if isinstance(tensor, Tensor) else tensor


def set_attributes(target, state):
    """Give an object attributes from a dict, or from two: those of its `__dict__` and of slots."""
    for attributes in state if isinstance(state, tuple) else (state,):
        for name, value in _expect(attributes or {}, dict).items():
            target.__dict__[_expect(name, str)] = value
    return target


def _layout(name):
    return LAYOUTS[name]


def _sparse(layout, parts):
    """A sparse tensor, its indices checked."""
    tensors = [x for x in _expect(parts, tuple) if isinstance(x, Tensor)]
    if len(tensors) != (2 if layout is LAYOUTS["torch.sparse_coo"] else 3):
        return Placeholder("torch.Tensor", parts)
    try:
        return import_module("tallow.sparse").rebuild(layout, parts)
    except TallowError as error:
        raise ValueError(str(error)) from None


# NumPy's arrays and numbers


def _array_dtype(spec, *_):
    if not re.fullmatch(r"[<>|=]?([biufc]\d{1,2}|[SU]\d{1,6})", _expect(spec, str)):
        raise ValueError(f"expected a dtype of numbers or texts, got {spec[:20]!r}")
    return np.dtype(spec, copy=True)


def _new_array(cls, shape, kind):
    return np.empty(0, np.int8)


def _array_from_buffer(buffer, dtype, shape, order):
    return np.frombuffer(buffer, dtype).reshape(shape, order=order).copy()


def _number(dtype, content=b""):
    return np.frombuffer(content, dtype, 1)[0]


# Python's own


def _bytes(text="", encoding="latin1"):
    if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise ValueError("expected the encoding latin1, utf-8 or ascii, got another")
    return _expect(text, str).encode(encoding)


def _bytearray(text="", encoding="latin1"):
    return bytearray(text if isinstance(text, bytes) else _bytes(text, encoding))


def _complex(real, imag=0.0):
    return complex(_expect(real, float), _expect(imag, float))


def _container(cls):
    """A builder of a container that hashes its items."""

    def build(items=()):
        keys = _expect(items, (list, tuple, dict))
        if cls is OrderedDict and not isinstance(items, dict):
            keys = [key for key, _ in items]
        for key in keys:
            hashable(key)
        return cls(items)

    return build


def hashable(key):
    """`key`, if it can be hashed in little time: tuples in tuples could take exponentially much."""
    if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
        raise TypeError("expected a key that is a number, a string or a tuple of them")
    hash(key)
    return key


def _size(lengths=()):
    return Size(_expect(length, int) for length in lengths)


def _default_dict(factory=None):
    return defaultdict(FACTORIES.get(getattr(factory, "path", None)))


def _expect(value, kind):
    """`value`, if it is of a kind: a number in place of a list would ask for memory at no cost."""
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind}, got {type(value).__name__}")
    return value


FACTORIES = {f"builtins.{cls.__name__}": cls for cls in (dict, float, int, list, set, str, tuple)}

# The table

LAYOUTS = {
    f"torch.{x.name}": x
    for x in (strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc)
}
CONSTANTS = LAYOUTS | {f"torch.{name}": dtype for name, dtype in dtypes.BY_NAME.items()}

_FUNCTIONS = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.serialization._get_layout": _layout,
    "torch.Size": _size,
    "torch.device": device,
    "collections.OrderedDict": _container(OrderedDict),
    "collections.Counter": _container(Counter),
    "collections.defaultdict": _default_dict,
    "_codecs.encode": _bytes,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    "builtins.frozenset": _container(frozenset),
    "builtins.set": _container(set),
    "builtins.slice": slice,
    "numpy.dtype": _array_dtype,
}
for _core in ("core", "_core"):
    _FUNCTIONS |= {
        f"numpy.{_core}.multiarray._reconstruct": _new_array,
        f"numpy.{_core}.multiarray.scalar": _number,
        f"numpy.{_core}.numeric._frombuffer": _array_from_buffer,
    }

BUILDERS = {path: Global(path, function) for path, function in _FUNCTIONS.items()} | {
    f"{module}.{name}": StorageType(f"{module}.{name}", dtype)
    for name, dtype in STORAGE_NAMES.items()
    for module in ("torch", "torch.storage", "torch.cuda")
}
