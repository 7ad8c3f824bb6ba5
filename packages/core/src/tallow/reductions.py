"""Reductions of torch's namespace: sums, means, variances, extremes, norms, truth."""

import tallow.ops.elementwise as elementwise
import tallow.ops.reduce as ops
from tallow import dtypes, return_types
from tallow.elementwise import named, one_tensor
from tallow.errors import (
    DtypeError,
    NotSupportedError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.ops.index import gather
from tallow.ops.logic import isnan, logical_not
from tallow.ops.shape import reshape
from tallow.promotion import (
    axes_of,
    axis_of,
    floating,
    give,
    numpy_names,
    pair,
    to_dtype,
)
from tallow.tensor import Tensor

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "dist",
    "frobenius_norm", "hash_tensor", "logsumexp", "max", "mean", "min", "nanmean", "nansum", "norm",
    "nuclear_norm", "prod", "renorm", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip


def drop_axes(result, input, axes, keepdim):
    """A reduction that kept its axes, without them unless `keepdim`."""
    if keepdim:
        return result
    shape = input.array.shape
    if axes is None:
        return reshape(result, shape=())
    rest = tuple(n for i, n in enumerate(shape) if i not in axes)
    return reshape(result, shape=rest)


def give_all(kind, results, out, name):
    """Results as a kind of `return_types`, each written into its tensor of `out`, if given."""
    if out is None:
        return kind(*results)
    return kind(*[give(x, y, name) for x, y in zip(results, out, strict=True)])


def summable(name, input, dtype):
    """The tensor in the dtype of its sums: `dtype`, or int64 for integers and bool."""
    one_tensor(name, input)
    if dtype is not None:
        return to_dtype(input, dtype)
    if input.array.dtype.kind == "f":
        return input
    return input if input.dtype.category >= dtypes.FLOATING else to_dtype(input, dtypes.int64)


def _inexact(name, input):
    kind = one_tensor(name, input).array.dtype.kind
    if kind != "f" and input.dtype.category < dtypes.FLOATING:
        raise DtypeError(
            f"{name}: expected a floating or complex tensor, got {describe(input)}; use .float()"
        )
    return input


# Sums


@numpy_names
def sum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The sum over all elements, or along `dim` (an int or several). Integers and bool give int64.

    >>> tallow.sum(tallow.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    x = summable("sum", input, dtype)
    axes = axes_of("sum", dim, x.array.ndim)
    result = ops.sum(x, axis=axes, keepdims=keepdim)
    return result if out is None else give(result, out, "sum")


@numpy_names
def nansum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """`sum`, NaN counting as 0."""
    if input.dtype.is_complex:
        raise DtypeError(f"nansum: expected a real tensor, got {describe(input)}")
    return give(sum(_without_nan(input), dim, keepdim, dtype=dtype), out, "nansum")


def _without_nan(input):
    if input.dtype.category < dtypes.FLOATING:
        return input
    return elementwise.where(isnan(input), 0, input)


@numpy_names
def mean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The mean over all elements, or along `dim`, of a floating or complex tensor."""
    x = _inexact("mean", input if dtype is None else to_dtype(input, dtype))
    axes = axes_of("mean", dim, x.array.ndim)
    result = ops.mean(x, axis=axes, keepdims=keepdim)
    return result if out is None else give(result, out, "mean")


@numpy_names
def nanmean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The mean of the elements that are not NaN; NaN where there are none."""
    x = _inexact("nanmean", input if dtype is None else to_dtype(input, dtype))
    count = sum(logical_not(isnan(x)), dim, keepdim)
    total = sum(_without_nan(x), dim, keepdim)
    return give(elementwise.div(total, to_dtype(count, x.dtype)), out, "nanmean")


@numpy_names
def prod(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The product over all elements, or along one dim."""
    if isinstance(dim, tuple | list):
        raise TypeMismatchError(f"prod: expected one dim, got {dim}")
    x = summable("prod", input, dtype)
    axes = axes_of("prod", dim, x.array.ndim)
    return give(ops.prod(x, axis=axes, keepdims=keepdim), out, "prod")


@numpy_names
def logsumexp(input, dim, keepdim=False, *, out=None):
    """log(sum(exp(input))) along `dim`, without overflow."""
    axes = axes_of("logsumexp", dim, input.array.ndim)
    result = ops.logsumexp(floating("logsumexp", input), axis=axes)
    return give(drop_axes(result, input, axes, keepdim), out, "logsumexp")


# Spread


def _spread(name, op, input, dim, unbiased, keepdim, correction):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 0 if unbiased is False else 1
    axes = axes_of(name, dim, _inexact(name, input).array.ndim)
    result = op(input, axis=axes, correction=correction)
    return drop_axes(result, input, axes, keepdim)


@numpy_names
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The variance, with n - correction in the denominator (correction 1 unless told)."""
    result = _spread("var", ops.variance, input, dim, unbiased, keepdim, correction)
    return give(result, out, "var")


@numpy_names
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The standard deviation: the square root of `var`."""
    result = _spread("std", ops.deviation, input, dim, unbiased, keepdim, correction)
    return give(result, out, "std")


@numpy_names
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(variance, mean)."""
    average = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return var(input, dim, unbiased, keepdim, correction=correction), average


@numpy_names
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(standard deviation, mean)."""
    average = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return std(input, dim, unbiased, keepdim, correction=correction), average


# Norms


@numpy_names
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The p-norm of all elements, or along `dim`; "fro" and 2 are the Euclidean norm.

    "nuc", the sum of the singular values, is of a matrix: of two dims.
    """
    if dtype is not None and dtypes.promote_types(input.dtype, dtype) is not dtype:
        raise DtypeError(f"norm: expected a dtype that holds {input.dtype}, got {dtype}")
    x = _inexact("norm", input if dtype is None else to_dtype(input, dtype))
    if p == "nuc":
        return nuclear_norm(x, dim, keepdim, out=out)
    p = 2 if p in ("fro", None) else p
    if not isinstance(p, int | float):
        raise ShapeError(f"norm: expected p to be a number, 'fro' or 'nuc', got {p!r}")
    axes = axes_of("norm", dim, x.array.ndim)
    if (p < 0 or p == float("inf")) and not ops.count(x.array.shape, axes):
        raise ShapeError(f"norm: expected elements to take the {p}-norm of, got {describe(x)}")
    return give(drop_axes(ops.vector_norm(x, p=p, axis=axes), x, axes, keepdim), out, "norm")


@numpy_names
def frobenius_norm(input, dim, keepdim=False, *, out=None):
    """The Euclidean norm along one dim or over two."""
    return norm(input, 2, dim, keepdim, out=out)


@numpy_names
def nuclear_norm(input, dim=None, keepdim=False, *, out=None):
    """The sum of the singular values of a matrix, or of the matrices over two dims."""
    from tallow.linalg import matrix_norm

    dim = tuple(range(input.array.ndim)) if dim is None else dim
    if not isinstance(dim, tuple | list) or len(dim) != 2:
        raise ShapeError(f"nuclear_norm: expected two dims, got {dim} of {describe(input)}")
    return give(matrix_norm(input, "nuc", tuple(dim), keepdim), out, "nuclear_norm")


def dist(input, other, p=2):
    """The p-norm of the difference."""
    return norm(elementwise.sub(*pair("dist", input, other)), p)


def renorm(input, p, dim, maxnorm, *, out=None):
    """The slices along `dim` whose p-norm is above `maxnorm`, scaled down to it."""
    if p <= 0 or maxnorm < 0:
        raise ShapeError(f"renorm: expected p > 0 and maxnorm >= 0, got {p} and {maxnorm}")
    if input.array.ndim < 2:
        raise ShapeError(f"renorm: expected at least two dims, got {describe(input)}")
    kept = axis_of("renorm", dim, input.array.ndim)
    axes = tuple(axis for axis in range(input.array.ndim) if axis != kept)
    size = ops.vector_norm(input, p=p, axis=axes)
    scale = elementwise.where(size > maxnorm, maxnorm / (size + 1e-7), 1)
    return give(elementwise.mul(input, scale), out, "renorm")


# Extremes


def _ordered(name, input, error=NotSupportedError):
    if one_tensor(name, input).array.dtype.kind == "c":
        raise error(f"{name}: expected a real tensor, complex numbers have no order")
    return input


def not_empty(name, input, axes):
    """Raise if there is nothing to reduce: IndexError along a dim, RuntimeError for all."""
    if not input.array.size and ops.count(input.array.shape, axes) == 0:
        error = ShapeError if axes is None else OutOfRangeError
        raise error(f"{name}: expected at least one element to reduce, got {describe(input)}")


def _extreme_along(name, op):
    def function(input, dim=(), keepdim=False, *, out=None):
        _ordered(name, input)
        axes = None if dim == () else axes_of(name, dim, input.array.ndim)
        not_empty(name, input, axes)
        result = drop_axes(op(input, axis=axes), input, axes, keepdim)
        return result if out is None else give(result, out, name)

    doc = f"The {name[1:]}imum of all elements, or along `dim`; ties share the gradient evenly."
    return numpy_names(named(function, name, doc))


amax = _extreme_along("amax", ops.amax)
amin = _extreme_along("amin", ops.amin)


@numpy_names
def aminmax(input, *, dim=None, keepdim=False, out=None):
    """(min, max) of all elements, or along one dim."""
    not_empty("aminmax", input, axes_of("aminmax", dim, input.array.ndim))
    dim = () if dim is None else dim
    parts = amin(input, dim, keepdim), amax(input, dim, keepdim)
    return give_all(return_types.aminmax, parts, out, "aminmax")


def _extreme(name, along, arg, pairwise):
    """`max` and `min`: of all elements, along a dim with positions, or of two tensors."""
    kind = getattr(return_types, name)

    def function(input, dim=None, keepdim=False, *, other=None, out=None):
        if isinstance(dim, Tensor) or other is not None:
            return give(pairwise(*pair(name, input, dim if other is None else other)), out, name)
        if dim is None:
            return give(along(input), out, name)
        axis = axis_of(name, dim, _ordered(name, input).array.ndim)
        if not input.array.ndim:
            parts = elementwise.copy(input), arg(input, axis=None, keepdims=False)
            return give_all(kind, parts, out, name)
        not_empty(name, input, (axis,))
        indices = arg(input, axis=axis, keepdims=True)
        values = gather(input, axis=axis, index=indices.array)
        parts = [drop_axes(x, input, (axis,), keepdim) for x in (values, indices)]
        return give_all(kind, parts, out, name)

    doc = (
        f"The {name}imum of all elements; with `dim`, (values, indices) along it; with a second "
        f"tensor, the elementwise {name}imum."
    )
    return numpy_names(named(function, name, doc))


max = _extreme("max", amax, ops.argmax, elementwise.maximum)
min = _extreme("min", amin, ops.argmin, elementwise.minimum)


def _position(name, op):
    def function(input, dim=None, keepdim=False, *, out=None):
        axes = axes_of(name, dim, _ordered(name, input, DtypeError).array.ndim)
        if not input.array.size and ops.count(input.array.shape, axes) == 0:
            raise OutOfRangeError(f"{name}: expected at least one element, got {describe(input)}")
        return give(op(input, axis=axes and axes[0], keepdims=keepdim), out, name)

    doc = f"The index (int64) of the {name[3:]}imum, of the flattened tensor or along `dim`."
    return numpy_names(named(function, name, doc))


argmax = _position("argmax", ops.argmax)
argmin = _position("argmin", ops.argmin)


# Truth


def _truth(name, op, doc):
    def function(input, dim=None, keepdim=False, *, out=None):
        if dim == () and input.array.ndim:
            return give(logical_not(logical_not(input)), out, name)
        axes = axes_of(name, dim, input.array.ndim)
        result = op(input, axis=axes, keepdims=keepdim)
        if input.dtype is dtypes.uint8:
            result = to_dtype(result, dtypes.uint8)
        return give(result, out, name)

    return numpy_names(named(function, name, doc))


any = _truth("any", ops.any, "True if any element is nonzero, overall or along `dim`.")
all = _truth("all", ops.all, "True if all elements are nonzero, overall or along `dim`.")


@numpy_names
def count_nonzero(input, dim=None):
    """How many elements are nonzero, overall or along `dim`."""
    return ops.count_nonzero(input, axis=axes_of("count_nonzero", dim, input.array.ndim))


def hash_tensor(input, dim=(), *, keepdim=False, mode=0, out=None):
    """The exclusive or of the bits of all elements, or along dims, as float64 or int64: uint64."""
    if mode != 0:
        raise NotSupportedError(f"hash_tensor: expected mode 0, got {mode}")
    if input.dtype.is_complex:
        raise DtypeError(f"hash_tensor: expected real numbers, got {describe(input)}")
    axes = axes_of("hash_tensor", dim, input.array.ndim) or tuple(range(input.array.ndim))
    return give(ops.xor_bits(input, axis=axes, keepdims=keepdim), out, "hash_tensor")
