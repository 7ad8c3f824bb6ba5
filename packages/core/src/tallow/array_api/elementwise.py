"""Functions of each element. Operands are promoted by their dtypes, 0-d ones as well."""

import tallow
from tallow.array_api.arrays import result_type
from tallow.elementwise import named

_UNARY = """
    abs acos acosh asin asinh atan atanh bitwise_not ceil conj cos cosh exp expm1 floor imag
    isfinite isinf isnan log log10 log1p log2 logical_not negative positive real reciprocal signbit
    sin sinh sqrt square tan tanh trunc
"""
_BINARY = """
    add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign
    divide eq floor_divide greater greater_equal hypot less less_equal logaddexp logical_and
    logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder subtract
"""
_RENAMED = {"bitwise_not": "bitwise_invert", "eq": "equal"}


def promoted(*operands):
    """Tensors and numbers, of which one at least is a tensor, as tensors of one dtype."""
    dtype = result_type(*operands)
    device = next(x.device for x in operands if isinstance(x, tallow.Tensor))
    return [
        (x if isinstance(x, tallow.Tensor) else tallow.tensor(x, device=device)).to(dtype)
        for x in operands
    ]


def _unary(name):
    function = getattr(tallow, name)

    def wrapped(x, /):
        return function(x)

    return wrapped


def _binary(name):
    function = getattr(tallow, name)

    def wrapped(x1, x2, /):
        return function(*promoted(x1, x2))

    return wrapped


__all__ = ["clip", "round", "sign", "where"]
for _names, _make in ((_UNARY, _unary), (_BINARY, _binary)):
    for _name in _names.split():
        _public = _RENAMED.get(_name, _name)
        globals()[_public] = named(_make(_name), _public, f"`tallow.{_name}`.")
        __all__.append(_public)


def sign(x, /):
    """-1, 0 or 1, of complex numbers the direction; NaN of NaN."""
    return tallow.where(x == x, tallow.sgn(x), x)


def clip(x, /, min=None, max=None):
    """x within limits, which may be tensors; the dtype stays."""
    limits = [n.to(x.dtype) if isinstance(n, tallow.Tensor) else n for n in (min, max)]
    limits = [tallow.tensor(n, dtype=x.dtype) if isinstance(n, int | float) else n for n in limits]
    return x + 0 if limits == [None, None] else tallow.clamp(x, *limits)


def round(x, /):
    """To the nearest integer, halves to the even one."""
    if x.dtype.is_complex:
        return tallow.complex(x.real.round(), x.imag.round())
    return x.round()


def where(condition, x1, x2, /):
    """x1 where the condition is True, else x2."""
    return tallow.where(condition, *promoted(x1, x2))
