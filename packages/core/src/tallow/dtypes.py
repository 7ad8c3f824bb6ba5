"""Data types and PyTorch's promotion table.

A `dtype` is a value object around one NumPy scalar type. Promotion follows torch: categories are
ordered bool < integer < floating < complex; Python numbers and 0-d tensors only count by their
category.
"""

import numpy as np

from tallow import names
from tallow.errors import DtypeError, TypeMismatchError

__all__ = [
    "bfloat16", "complex128", "complex32", "complex64", "dtype", "float16", "float32", "float64",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "get_default_dtype",
    "int16", "int32", "int64", "int8", "promote_types", "qint32", "qint8", "quint2x4", "quint4x2",
    "quint8", "set_default_dtype", "uint16", "uint32", "uint64", "uint8",
]  # fmt: skip

BOOL, INTEGER, FLOATING, COMPLEX = range(4)


class dtype:
    """The type of a tensor's elements, such as `tallow.float32`.

    Attributes: `name`, `itemsize` (bytes), `is_floating_point`, `is_complex`, `is_signed`, `numpy`.

    >>> tallow.float32.itemsize, tallow.int64.is_floating_point
    (4, False)
    """

    __slots__ = ("name", "numpy", "category", "itemsize", "is_signed")

    def __init__(self, name, numpy_type, category):
        self.name = name
        self.numpy = np.dtype(numpy_type)
        self.category = category
        self.itemsize = self.numpy.itemsize
        self.is_signed = not name.startswith(("bool", "uint"))

    @property
    def is_floating_point(self):
        return self.category == FLOATING

    @property
    def is_complex(self):
        return self.category == COMPLEX

    def to_real(self):
        """The real type of the same precision: complex64 gives float32; others are unchanged."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def to_complex(self):
        """The complex type of the same precision: float64 gives complex128, others complex64."""
        return self if self.is_complex else complex128 if self is float64 else complex64

    def __repr__(self):
        return f"{names.package}.{self.name}"

    def __reduce__(self):
        return by_name, (self.name,)  # pickled and copied as the one instance


class Lent(dtype):
    """A dtype that NumPy has from ml_dtypes, which is imported where an array is to have one.

    That is a tenth of what `import tallow` would take.
    """

    def __init__(self, name, itemsize):
        self.name, self.itemsize, self.category, self.is_signed = name, itemsize, FLOATING, True

    def __getattr__(self, name):
        if name != "numpy":
            raise AttributeError(f"'dtype' object has no attribute {name!r}")
        import ml_dtypes

        self.numpy = np.dtype(getattr(ml_dtypes, self.name))
        return self.numpy


class Unheld(dtype):
    """A dtype of PyTorch's that NumPy has not: it can be named and compared, no tensor has it."""

    def __init__(self, name, itemsize, category):
        self.name, self.itemsize, self.category, self.is_signed = name, itemsize, category, True

    @property
    def numpy(self):
        raise DtypeError(f"dtype: expected one that tensors have, got {self}, which NumPy has not")

    def __reduce__(self):
        return self.name  # pickled and copied as the one instance


_dtype = dtype  # a name that no parameter hides

bool_ = dtype("bool", np.bool_, BOOL)
uint8 = dtype("uint8", np.uint8, INTEGER)
int8 = dtype("int8", np.int8, INTEGER)
int16 = dtype("int16", np.int16, INTEGER)
int32 = dtype("int32", np.int32, INTEGER)
int64 = dtype("int64", np.int64, INTEGER)
uint16 = dtype("uint16", np.uint16, INTEGER)
uint32 = dtype("uint32", np.uint32, INTEGER)
uint64 = dtype("uint64", np.uint64, INTEGER)
float8_e4m3fn = Lent("float8_e4m3fn", 1)
float8_e5m2 = Lent("float8_e5m2", 1)
float8_e4m3fnuz = Lent("float8_e4m3fnuz", 1)
float8_e5m2fnuz = Lent("float8_e5m2fnuz", 1)
float16 = dtype("float16", np.float16, FLOATING)
bfloat16 = Lent("bfloat16", 2)
float32 = dtype("float32", np.float32, FLOATING)
float64 = dtype("float64", np.float64, FLOATING)
complex32 = Unheld("complex32", 4, COMPLEX)
complex64 = dtype("complex64", np.complex64, COMPLEX)
complex128 = dtype("complex128", np.complex128, COMPLEX)
qint8, quint8 = Unheld("qint8", 1, INTEGER), Unheld("quint8", 1, INTEGER)
qint32 = Unheld("qint32", 4, INTEGER)
quint4x2, quint2x4 = Unheld("quint4x2", 1, INTEGER), Unheld("quint2x4", 1, INTEGER)

ALL = (
    bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64, float8_e4m3fn, float8_e5m2,
    float8_e4m3fnuz, float8_e5m2fnuz, float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip
STORED = (uint16, uint32, uint64)  # these mix with floating types alone
STORED_FLOATS = (float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz)  # with none
SYNONYMS = {
    "half": float16, "float": float32, "double": float64, "cfloat": complex64,
    "cdouble": complex128, "short": int16, "int": int32, "long": int64,
}  # fmt: skip

PYTHON_TYPES = {bool: bool_, int: int64, float: float64, complex: complex128}


class _OfNumpy(dict):
    """The dtypes by NumPy's; those of ml_dtypes are added when one that is missing is asked for."""

    def __missing__(self, numpy_dtype):
        for t in ALL:
            self.setdefault(t.numpy, t)
        return dict(self)[numpy_dtype]


FROM_NUMPY = _OfNumpy({t.numpy: t for t in ALL if not isinstance(t, Lent)})
BY_NAME = {t.name: t for t in ALL} | SYNONYMS


def by_name(name):
    """The dtype called `name`, synonyms included: `by_name("float")` is float32."""
    return BY_NAME[name]


def from_numpy_dtype(numpy_dtype):
    """The tallow dtype of a NumPy dtype; byte order does not count. TypeError if there is none."""
    try:
        return FROM_NUMPY[np.dtype(numpy_dtype).newbyteorder("=")]
    except KeyError:
        names = ", ".join(t.name for t in ALL)
        raise TypeMismatchError(
            f"dtype: expected one of {names}, got NumPy's {numpy_dtype}"
        ) from None


def given(name, dtype, otherwise=None):
    """The dtype that the argument of `name` means: one of ours, or Python's; None: `otherwise`."""
    if dtype is None:
        return otherwise
    if isinstance(dtype, _dtype):
        return dtype
    if dtype not in PYTHON_TYPES:
        raise TypeMismatchError(f"{name}: expected a dtype such as tallow.float32, got {dtype!r}")
    return PYTHON_TYPES[dtype]


def promote_types(type1, type2):
    """The smallest type that holds both, by PyTorch's table.

    >>> tallow.promote_types(tallow.int32, tallow.float16)
    tallow.float16
    """
    found = PROMOTION.get((type1, type2))
    if found is None:
        if not isinstance(type1, _dtype) or not isinstance(type2, _dtype):
            raise TypeMismatchError(
                f"promote_types: expected two dtypes, got {type1!r} and {type2!r}"
            )
        found = _promote(type1, type2)
        if found is None:
            raise DtypeError(
                f"promotion: expected types that mix, got {type1} and {type2}; convert one with "
                ".to()"
            )
        PROMOTION[type1, type2] = found
    return found


PROMOTION: dict[tuple[dtype, dtype], dtype] = {}  # what has been asked for


def _promote(a, b):
    """The type that holds both; None if there is none."""
    if a not in ALL or b not in ALL:
        return None
    if a is b:
        return a
    if a in STORED_FLOATS or b in STORED_FLOATS:
        return None
    if a in STORED or b in STORED:
        return next((t for t in (a, b) if t.category == FLOATING), None)
    low, high = sorted((a, b), key=lambda t: (t.category, t.itemsize, t.is_signed))
    if high.category == COMPLEX:
        return complex128 if low is float64 or low is complex128 else high
    if {low, high} == {float16, bfloat16}:
        return float32
    if {low, high} == {uint8, int8}:
        return int16
    return high


class _Defaults:
    """The floating type that Python floats become; changed by `set_default_dtype`."""

    floating = float32


def get_default_dtype():
    """The floating-point type of tensors made from Python floats (float32 until changed)."""
    return _Defaults.floating


def set_default_dtype(d):
    """Make `d`, a floating-point dtype, the type of tensors made from Python floats."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeMismatchError(f"set_default_dtype: expected a floating-point dtype, got {d!r}")
    _Defaults.floating = d


def of_number(number):
    """The type of a Python number by default: bool, int64, the default float, or its complex."""
    if isinstance(number, bool):
        return bool_
    if isinstance(number, int):
        return int64
    if isinstance(number, float):
        return _Defaults.floating
    if isinstance(number, complex):
        return _Defaults.floating.to_complex()
    raise TypeError(f"expected a number, got {type(number).__name__}")


def combine(higher, lower):
    """The type of operands of two ranks: `lower` counts only if its category is above `higher`'s.

    Either may be None (no operand of that rank). The ranks are: tensors with dimensions, 0-d
    tensors, Python numbers.
    """
    if higher is None or lower is None:
        return higher or lower
    if lower.category <= higher.category:
        return higher
    if higher.category == FLOATING:
        return higher.to_complex()
    return promote_types(higher, lower)
