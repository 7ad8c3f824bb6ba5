"""Constructors from PyTorch's early days, `FloatTensor([1, 2])` or `Tensor(2, 3)`, and names."""

import warnings
from typing import Union

from tallow import creation, dtypes, names
from tallow.errors import ArgumentError
from tallow.promotion import shape_of
from tallow.size import Size
from tallow.tensor import Tensor, wrap

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "typename",
]  # fmt: skip


def construct(cls, args, dtype=None, device=None):
    """`cls(2, 3)`: uninitialised, of that size; `cls([1, 2])`: in the default dtype unless told."""
    if len(args) == 1 and not isinstance(args[0], int | Size):
        made = creation.tensor(args[0], dtype=dtype or dtypes.get_default_dtype(), device=device)
    else:
        made = creation.empty(shape_of("Tensor", args or (0,)), dtype=dtype, device=device)
    return made if cls is Tensor else wrap(made.array, False, cls)


def range(start=0, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """The numbers from `start` to `end`, which is one of them if a step meets it; deprecated.

    It is floating unless a dtype is given. PyTorch advises `arange`.
    """
    start, end = (0, start) if end is None else (start, end)
    warnings.warn("range: includes its end, and is deprecated; use arange", stacklevel=2)
    if step == 0 or (end - start) * step < 0:
        raise ArgumentError(
            f"range: expected an end that step goes to, got start {start}, end {end}, step {step}"
        )
    count = int((end - start) / step) + 1
    numbers = creation.arange(count, dtype=dtypes.float64, device=device) * step + start
    return numbers.to(dtype or dtypes.get_default_dtype()).requires_grad_(requires_grad)


class TensorType:
    """A constructor for one dtype: takes sizes or data, and `isinstance` knows its tensors.

    >>> tallow.LongTensor([1, 2])
    tensor([1, 2])
    >>> isinstance(tallow.ones(2), tallow.FloatTensor)
    True
    """

    def __init__(self, name, dtype, device="cpu"):
        self.name = name
        self.dtype = dtype
        self.device = device

    def __call__(self, *args, device=None):
        return construct(Tensor, args, self.dtype, device or self.device)

    def __instancecheck__(self, x):
        return isinstance(x, Tensor) and x.dtype is self.dtype and x.device.type == self.device

    def __or__(self, other):
        return Union[self, other]  # noqa: UP007 (it is what | calls)

    __ror__ = __or__

    def __repr__(self):
        return f"<class '{names.package}.{self.name}'>"


BFloat16Tensor = TensorType("BFloat16Tensor", dtypes.bfloat16)
BoolTensor = TensorType("BoolTensor", dtypes.bool_)
ByteTensor = TensorType("ByteTensor", dtypes.uint8)
CharTensor = TensorType("CharTensor", dtypes.int8)
DoubleTensor = TensorType("DoubleTensor", dtypes.float64)
FloatTensor = TensorType("FloatTensor", dtypes.float32)
HalfTensor = TensorType("HalfTensor", dtypes.float16)
IntTensor = TensorType("IntTensor", dtypes.int32)
LongTensor = TensorType("LongTensor", dtypes.int64)
ShortTensor = TensorType("ShortTensor", dtypes.int16)

TYPES = [x for x in list(globals().values()) if isinstance(x, TensorType)]
NAMES = {x.dtype: x.name for x in TYPES} | {
    dtypes.complex64: "ComplexFloatTensor", dtypes.complex128: "ComplexDoubleTensor",
}  # fmt: skip


def type_name(dtype):
    """PyTorch's name of the type of tensors of a dtype, as `Tensor.type()` gives it."""
    return f"torch.{NAMES.get(dtype) or dtype.name.capitalize() + 'Tensor'}"


def dtype_named(type):
    """The dtype that a dtype, a `TensorType` or its name ("torch.LongTensor") stands for."""
    if isinstance(type, TensorType):
        return type.dtype
    if not isinstance(type, str):
        return dtypes.given("type", type)
    name = type.rpartition(".")[2]
    for dtype, known in NAMES.items():
        if known == name:
            return dtype
    raise ArgumentError(f"type: expected a name such as 'torch.LongTensor', got {type!r}")


def typename(obj):
    """The name of a tensor's type, or of the class of another object.

    >>> tallow.typename(tallow.ones(1))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return type_name(obj.dtype)
    cls = type(obj)
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )
