"""What the families share: one number or several, in-place forms, reductions, and checks."""

from tallow import dtypes
from tallow.activations import check_floating as floats  # noqa: F401 - for the families
from tallow.activations import in_place  # noqa: F401
from tallow.errors import ArgumentError, DtypeError, describe
from tallow.promotion import to_dtype
from tallow.reductions import mean, sum


def whole(name, role, x):
    """Raise unless x is an integer tensor."""
    if x.dtype.category != dtypes.INTEGER:
        raise DtypeError(
            f"{name}: expected {role} of int64, got {describe(x)}; convert with .long()"
        )


def same_dtype(name, x, *parameters):
    """Raise unless the parameters that are there have the dtype of x."""
    for parameter in parameters:
        if parameter is not None and parameter.array.dtype != x.array.dtype:
            raise DtypeError(
                f"{name}: expected input and parameters of one dtype, got {describe(x)} and "
                f"{describe(parameter)}; convert with .to(dtype)"
            )


def numbers(name, value, n):
    """An int, or `n` of them, as a tuple of n ints."""
    if isinstance(value, int):
        return (value,) * n
    if type(value) is tuple and len(value) == n:
        return value
    value = tuple(value)
    if len(value) == 1:
        return value * n
    if len(value) != n:
        raise ArgumentError(f"{name}: expected an int or {n} of them, got {value}")
    return value


def batched(name, x, n):
    """x (N, C, *size), n spatial dims, and whether N was added: (C, *size) is a batch of one."""
    if x.array.ndim == n + 2:
        return x, False
    if x.array.ndim == n + 1:
        return x.unsqueeze(0), True
    sizes = ", ".join(("D", "H", "W")[-n:] if n > 1 else "L")
    hint = "; add the channel dim with .unsqueeze(0)" if x.array.ndim == n else ""
    raise ArgumentError(
        f"{name}: expected input (N, C, {sizes}) or (C, {sizes}), got {describe(x)}{hint}"
    )


def reduced(name, losses, reduction):
    """The losses as they are ("none"), their mean or their sum."""
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    check_reduction(name, reduction)
    return losses


def check_reduction(name, reduction):
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(
            f"{name}: expected reduction 'none', 'mean' or 'sum', got {reduction!r}"
        )


def resolved_reduction(name, size_average, reduce, reduction):
    """The reduction that PyTorch's older arguments mean, where they are used."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"
    check_reduction(name, reduction)
    return reduction


def converted(x, dtype):
    """x, in another dtype if one is given."""
    return x if dtype is None else to_dtype(x, dtype)
