"""A writer of pickles that PyTorch reads.

Of data, they name what PyTorch's `load(weights_only=True)` knows; objects of other classes are
written as Python's pickle would (`objects`). Protocol 2. Containers, strings, tensors and names
that occur again are written once, so that what was one object is one after loading, too.
"""

import struct
from collections import OrderedDict

import numpy as np

from tallow import dtypes
from tallow.device import device
from tallow.errors import TypeMismatchError
from tallow.layout import strided
from tallow.nn.parameter import Buffer, Parameter
from tallow.serialization.objects import write_object
from tallow.size import Size
from tallow.tensor import Tensor


class Pickler:
    """Writes one object; `identify(tensor)` gives what `_rebuild_tensor_v2` takes.

    That is: the dtype's storage class, the storage's key, location and element count, and the
    tensor's offset, size and stride.
    """

    def __init__(self, identify):
        self.identify = identify
        self.out = bytearray()
        self.memo = {}  # id -> number
        self.kept = []  # what is in the memo stays alive, so that ids stay unique
        self.path = []  # the keys that lead to what is being written, for messages

    def dump(self, value):
        """The whole pickle of a value."""
        self.out += b"\x80\x02"
        self.write(value)
        self.out += b"."
        return bytes(self.out)

    def write(self, value):
        number = self.memo.get(id(value))
        if number is not None:
            self.out += b"h%c" % number if number < 256 else b"j" + struct.pack("<I", number)
            return
        writer = WRITERS.get(type(value))
        if writer is None:
            kinds = (writer for kind, writer in OPEN_WRITERS.items() if isinstance(value, kind))
            writer = next(kinds, write_object)
        writer(self, value)

    def place(self):
        """Where in the object that is being saved its part lies that is written now."""
        return "".join(f"[{key!r}]" for key in self.path) or "the top"

    def remember(self, value):
        """Give what was just written a number to refer to it by."""
        number = len(self.kept)
        self.memo[id(value)] = number
        self.kept.append(value)
        self.out += b"q%c" % number if number < 256 else b"r" + struct.pack("<I", number)

    def below(self, key, value):
        """Write a value that is found under a key."""
        self.path.append(key)
        self.write(value)
        self.path.pop()

    def name(self, module, name):
        """Write the name of a class or function."""
        self.out += f"c{module}\n{name}\n".encode()

    def call(self, module, name, *args):
        """Write a call: what the name stands for, of arguments."""
        self.name(module, name)
        self.arguments(*args)
        self.out += b"R"

    def arguments(self, *args):
        self.out += b"("
        for argument in args:
            self.write(argument)
        self.out += b"t"


# What there is a rule for


def _bool(p, value):
    p.out += b"\x88" if value else b"\x89"


def _int(p, value):
    value = int(value)
    if 0 <= value < 2**8:
        p.out += b"K%c" % value
    elif -(2**31) <= value < 2**31:
        p.out += b"J" + struct.pack("<i", value)
    else:
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        p.out += b"\x8a%c" % len(data) + data


def _float(p, value):
    p.out += b"G" + struct.pack(">d", value)


def _str(p, value):
    data = value.encode("utf-8", "surrogatepass")
    p.out += b"X" + struct.pack("<I", len(data)) + data
    p.remember(value)


def _bytes(p, value):
    if isinstance(value, bytearray):
        p.call("__builtin__", "bytearray", value.decode("latin1"), "latin-1")
    else:
        p.call("_codecs", "encode", value.decode("latin1"), "latin1")
    p.remember(value)


def _tuple(p, value):
    p.out += b"("
    for i, item in enumerate(value):
        p.below(i, item)
    p.out += b"t"
    p.remember(value)


def _list(p, value):
    p.out += b"]"
    p.remember(value)
    p.out += b"("
    for i, item in enumerate(value):
        p.below(i, item)
    p.out += b"e"


def _dict(p, value):
    if isinstance(value, OrderedDict):
        p.call("collections", "OrderedDict")
    else:
        p.out += b"}"
    p.remember(value)
    p.out += b"("
    for key, item in value.items():
        p.write(key)
        p.below(key, item)
    p.out += b"u"
    if isinstance(value, OrderedDict) and value.__dict__:  # a state_dict's _metadata
        p.write(dict(value.__dict__))
        p.out += b"b"


def _set(p, value):
    p.call("__builtin__", type(value).__name__, list(value))
    p.remember(value)


def _tensor(p, value):
    if value.layout is not strided:
        return _sparse(p, value)
    attributes = {k: v for k, v in value.__dict__.items() if not isinstance(value, Buffer)}
    if isinstance(value, Parameter):
        state = (attributes,) if attributes else ()
        p.name("torch._utils", "_rebuild_parameter" + ("_with_state" if attributes else ""))
        p.out += b"("
        _rebuild(p, value, False)
        for argument in (value.requires_grad, OrderedDict(), *state):
            p.write(argument)
        p.out += b"tR"
    elif attributes or type(value) not in (Tensor, Buffer):
        p.name("torch._tensor", "_rebuild_from_type_v2")
        p.out += b"("
        identity = p.identify(value)
        p.name("torch._utils", _rebuilder(identity))
        p.write(type(value))
        _rebuild_arguments(p, value, value.requires_grad, identity)
        p.write(attributes)
        p.out += b"tR"
    else:
        _rebuild(p, value, value.requires_grad)
    p.remember(value)


def _sparse(p, value):
    p.name("torch._utils", "_rebuild_sparse_tensor")
    p.out += b"("
    p.call("torch.serialization", "_get_layout", f"torch.{value.layout.name}")
    p.write(value.parts())
    p.out += b"tR"
    p.remember(value)


def _rebuild(p, tensor, requires_grad):
    identity = p.identify(tensor)
    p.name("torch._utils", _rebuilder(identity))
    _rebuild_arguments(p, tensor, requires_grad, identity)
    p.out += b"R"


def _rebuilder(identity):
    """The function for a tensor: types without storages of their own are an argument of it."""
    return "_rebuild_tensor_v3" if identity[0] == "UntypedStorage" else "_rebuild_tensor_v2"


def _rebuild_arguments(p, tensor, requires_grad, identity):
    storage, key, location, count, offset, size, stride = identity
    p.out += b"(("
    p.write("storage")
    p.name("torch.storage" if storage == "UntypedStorage" else "torch", storage)
    for part in (key, location, count):
        p.write(part)
    p.out += b"tQ"
    for part in (offset, tuple(size), tuple(stride), requires_grad, OrderedDict()):
        p.write(part)
    if storage == "UntypedStorage":
        p.write(tensor.dtype)
    p.out += b"t"


def _array(p, value):
    if value.dtype.hasobject:
        raise TypeMismatchError(f"save: expected an array of numbers, got objects at {p.place()}")
    dtype = value.dtype
    p.call("numpy._core.multiarray", "_reconstruct", _Name("numpy", "ndarray"), (0,), b"b")
    p.remember(value)
    p.out += b"("
    p.write(1)
    p.write(value.shape)
    p.call("numpy", "dtype", dtype.str.lstrip("<>|="), False, True)
    p.write((3, dtype.str[0], None, None, None, *dtype.__reduce__()[2][5:]))
    p.out += b"b"
    p.write(False)
    p.write(value.tobytes())
    p.out += b"tb"


class _Name:
    """A name as an argument."""

    def __init__(self, module, name):
        self.path = module, name


# By the very type, as an object of a class derived from it is more than its value.
WRITERS = {
    type(None): lambda p, value: p.out.extend(b"N"),
    bool: _bool,
    int: _int,
    float: _float,
    complex: lambda p, value: p.call("__builtin__", "complex", value.real, value.imag),
    str: _str,
    bytes: _bytes,
    bytearray: _bytes,
    Size: lambda p, value: p.call("torch", "Size", tuple(value)),
    device: lambda p, value: p.call("torch", "device", str(value)),
    tuple: _tuple,
    list: _list,
    dict: _dict,
    OrderedDict: _dict,
    set: _set,
    frozenset: _set,
    np.ndarray: _array,
    _Name: lambda p, value: p.name(*value.path),
}
OPEN_WRITERS = {
    Tensor: _tensor,
    np.bool_: _bool,
    np.integer: _int,
    np.floating: _float,
    dtypes.dtype: lambda p, value: p.name("torch", value.name),
}
