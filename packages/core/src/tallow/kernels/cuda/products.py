"""Matrix products by cuBLASLt, called by ctypes with a handle, workspace and stream of our own.

CuPy's own calls of cuBLAS are refused while a stream captures a graph, do not know bfloat16, and
take no word on precision. All floating dtypes are summed in float32 at least. Where the library is
not found, CuPy multiplies.
"""

import ctypes
from contextlib import nullcontext
from ctypes import byref, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

import numpy as np

from tallow import backend
from tallow.kernels.cuda.launch import REALS, STREAMS, address, empty, in_order, is_real, size
from tallow.ops import linalg

NAMES = (
    "libcublasLt.so.13", "libcublasLt.so.12", "cublasLt64_13.dll", "cublasLt64_12.dll",
)  # fmt: skip
WORKSPACE = 32 << 20  # bytes that a product may use besides

# Of cublasLt.h, cublas_api.h and library_types.h

TYPES = {"float": 0, "double": 1, "Half": 2, "BFloat": 14}  # by the names that kernels have
COMPUTE_32F, COMPUTE_64F = 68, 70
FASTER_32F = {"high": 77, "medium": 75}  # products of TensorFloat-32, of bfloat16
TRANSPOSED = {False: 0, True: 1}
MATMUL_TRANSPOSED, MATMUL_EPILOGUE, MATMUL_BIAS_POINTER, MATMUL_BIAS_TYPE = (3, 4), 7, 8, 26
EPILOGUE_BIAS = 4
LAYOUT_BATCHES, LAYOUT_BATCH_STRIDE = 5, 6
PREFER_WORKSPACE, PREFER_ALIGNMENT = 1, (5, 6, 7, 8)
LARGEST_ALIGNMENT = 256


class Found(ctypes.Structure):
    """cublasLtMatmulHeuristicResult_t."""

    _fields_ = [
        ("algo", c_uint64 * 8), ("workspace", c_size_t), ("state", c_int), ("waves", c_float),
        ("reserved", c_int * 4),
    ]  # fmt: skip


@cache
def library():
    """cuBLASLt, where CuPy finds it (`cuda.pathfinder`) or the system; None where it is not."""
    for name in (*_found(), *NAMES):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _found():
    """Where the package is that NVIDIA's libraries were installed by, which the system may not."""
    try:
        from cuda import pathfinder

        return [pathfinder.load_nvidia_dynamic_lib("cublasLt").abs_path]
    except (ImportError, RuntimeError):  # CuPy's package, and not the library
        return []


class Matrix(NamedTuple):
    """A matrix, or a batch of them, as cuBLASLt is told of it: in column-major order."""

    rows: int
    columns: int
    leading: int
    batch_stride: int


class Product(NamedTuple):
    """What a plan is made for: out = left @ right, all column-major, and how the memory lies."""

    real: str  # the type of left and right
    gives: str  # that of out
    left: Matrix
    right: Matrix
    out: Matrix
    transposed: tuple  # of left and right
    batches: int
    biased: bool
    precision: str
    device: int


class Plan(NamedTuple):
    """A product described to cuBLASLt, and the algorithm that it chose."""

    description: c_void_p
    layouts: tuple
    algorithm: object
    workspace: int
    one: object
    zero: object


def _check(status, doing):
    if status:
        raise RuntimeError(f"cuBLASLt: expected status 0 of {doing}, got {status}")


@cache
def _handle(device):
    handle = c_void_p()
    _check(library().cublasLtCreate(byref(handle)), "cublasLtCreate")
    return handle


def _set(setter, target, attribute, value):
    size = c_size_t(ctypes.sizeof(value))
    _check(setter(target, attribute, byref(value), size), setter.__name__)


def _layout(lt, kind, matrix, batches):
    layout = c_void_p()
    sizes = c_uint64(matrix.rows), c_uint64(matrix.columns), c_int64(matrix.leading)
    _check(lt.cublasLtMatrixLayoutCreate(byref(layout), kind, *sizes), "a layout")
    if batches > 1:
        setter = lt.cublasLtMatrixLayoutSetAttribute
        _set(setter, layout, LAYOUT_BATCHES, c_int32(batches))
        _set(setter, layout, LAYOUT_BATCH_STRIDE, c_int64(matrix.batch_stride))
    return layout


def _compute(real, precision):
    if real == "double":
        return COMPUTE_64F
    return FASTER_32F.get(precision, COMPUTE_32F) if real == "float" else COMPUTE_32F


def plan(product, alignments):
    """The plan of a product of arrays whose addresses are multiples of `alignments`; or None."""
    lt, kind = library(), TYPES[product.real]
    scale, number = (1, c_double) if product.real == "double" else (0, c_float)
    description, preference = c_void_p(), c_void_p()
    compute = _compute(product.real, product.precision)
    _check(lt.cublasLtMatmulDescCreate(byref(description), compute, scale), "a description")
    setter = lt.cublasLtMatmulDescSetAttribute
    for attribute, transposed in zip(MATMUL_TRANSPOSED, product.transposed, strict=True):
        _set(setter, description, attribute, c_int32(TRANSPOSED[transposed]))
    if product.biased:
        _set(setter, description, MATMUL_EPILOGUE, c_int32(EPILOGUE_BIAS))
        _set(setter, description, MATMUL_BIAS_TYPE, c_int32(kind))
    matrices = (product.left, product.right, product.out)
    kinds = (kind, kind, TYPES[product.gives])
    layouts = tuple(
        [_layout(lt, *pair, product.batches) for pair in zip(kinds, matrices, strict=True)]
    )
    _check(lt.cublasLtMatmulPreferenceCreate(byref(preference)), "a preference")
    setter = lt.cublasLtMatmulPreferenceSetAttribute
    _set(setter, preference, PREFER_WORKSPACE, c_uint64(WORKSPACE))
    alignments = (*alignments, alignments[-1])
    for attribute, alignment in zip(PREFER_ALIGNMENT, alignments, strict=True):
        _set(setter, preference, attribute, c_int32(alignment))
    found, count = Found(), c_int()
    status = lt.cublasLtMatmulAlgoGetHeuristic(
        _handle(product.device), description, *layouts, layouts[2], preference, 1, byref(found),
        byref(count),
    )  # fmt: skip
    lt.cublasLtMatmulPreferenceDestroy(preference)
    if status or not count.value:
        return None
    return Plan(description, layouts, found.algo, found.workspace, number(1), number(0))


# Arrays as column-major matrices. What is row-major is the transpose of what is column-major, so
# out = x @ y is computed as out.T = y.T @ x.T.


def _as_matrix(x):
    """(array, leading dimension, transposed): the last axes as they lie, copied if they must."""
    rows, columns = x.shape[-2:]
    down, across = (step // x.itemsize for step in x.strides[-2:])
    if (across == 1 or columns == 1) and (down >= columns or rows == 1):
        return x, max(down if rows > 1 else columns, 1), False
    if (down == 1 or rows == 1) and (across >= rows or columns == 1):
        return x, max(across if columns > 1 else rows, 1), True
    return in_order(x), max(columns, 1), False


def _batched(x, shape):
    """x with the batch axes `shape`, of a single step in memory; a matrix if all have the same."""
    if all(n == 1 for n in x.shape[:-2]):
        return x[(0,) * (x.ndim - 2)]
    if x.shape[:-2] != shape:
        x = backend.for_array(x).xp.broadcast_to(x, (*shape, *x.shape[-2:]))
    steps = _steps(x)
    single = all(outer == inner * n for (_, outer), (n, inner) in pairwise(steps))
    return x if single and steps[-1][1] > 0 else in_order(x)


def _steps(x):
    """(length, bytes to the next) of the batch axes with more than one matrix."""
    return [(n, step) for n, step in zip(x.shape[:-2], x.strides[:-2], strict=True) if n > 1]


class Known(NamedTuple):
    """A product of operands that need no copy: the shape of its result, and plans by alignment."""

    product: Product
    shape: tuple
    plans: dict


_known: dict = {}  # by all that the memory of the operands is like
_biased = Lock()  # of threads: the description of a product holds where its bias is
_KEPT = nullcontext()


def multiply(x, y, bias=None, dtype=None):
    """x (..., n, k) @ y (..., k, m), plus bias (m,); or NotImplemented.

    `dtype` of the result may be float32 for operands of 16 bits.
    """
    device, stream = STREAMS[backend.for_array(x).name]()
    key = (
        x.dtype, x.shape, x.strides, y.dtype, y.shape, y.strides, bias is None or bias.dtype, dtype,
        linalg.precision, device,
    )  # fmt: skip
    known = _known.get(key)
    if known is None:
        known, left, right = _described(x, y, bias, dtype, device)
        if known is None:
            return NotImplemented
        if left is x and right is y:
            _known[key] = known
        x, y = left, right
    out = empty(known.shape, x, dtype)
    return out if _run(known, (y, x, out), bias, stream) else NotImplemented


def _described(x, y, bias, dtype, device):
    """What is known of a product, and the operands, copied if they must be; or None thrice."""
    if library() is None or not is_real(x, y, bias) or x.ndim < 2 or y.ndim < 2:
        return None, None, None
    (n, k), m = x.shape[-2:], y.shape[-1]
    if y.shape[-2] != k or not (x.size and y.size):
        return None, None, None
    if y.ndim == 2 and x.ndim > 2 and x.flags.c_contiguous:  # a batch is rows
        known, rows, right = _described(x.reshape(-1, k), y, bias, dtype, device)
        return known._replace(shape=(*x.shape[:-1], m)), x if _same(rows, x) else rows, right
    batch = _broadcast(x.shape[:-2], y.shape[:-2])
    left, on_x, turned_x = _as_matrix(_batched(x, batch))
    right, on_y, turned_y = _as_matrix(_batched(y, batch))
    product = Product(
        real=REALS[x.dtype],
        gives=REALS[x.dtype if dtype is None else np.dtype(dtype)],
        left=Matrix(*((k, m) if turned_y else (m, k)), on_y, _stride(right)),
        right=Matrix(*((n, k) if turned_x else (k, n)), on_x, _stride(left)),
        out=Matrix(m, n, m, n * m),
        transposed=(turned_y, turned_x),
        batches=size(batch),
        biased=bias is not None,
        precision=linalg.precision,
        device=device,
    )
    known = Known(product, (*batch, n, m), {})
    return known, x if _same(left, x) else left, y if _same(right, y) else right


def _same(view, array):
    """True if a view begins where the array does: nothing was copied."""
    return address(view) == address(array)


def _run(known, arrays, bias, stream):
    """Launch a product of (left, right) into the third array; False if it is not to be had."""
    lt, product, addresses = library(), known.product, list(map(address, arrays))
    alignments = tuple([_alignment(place) for place in addresses])
    if alignments not in known.plans:
        known.plans[alignments] = plan(product, alignments)
    chosen = known.plans[alignments]
    if chosen is None:
        return False
    space = empty((chosen.workspace,), arrays[2], "uint8") if chosen.workspace else None
    left, right, out = map(c_void_p, addresses)
    on_left, on_right, on_out = chosen.layouts
    bias = bias if bias is None else in_order(bias)
    with _KEPT if bias is None else _biased:
        if bias is not None:
            setter, pointer = lt.cublasLtMatmulDescSetAttribute, c_void_p(address(bias))
            _set(setter, chosen.description, MATMUL_BIAS_POINTER, pointer)
        status = lt.cublasLtMatmul(
            _handle(product.device), chosen.description, byref(chosen.one), left, on_left, right,
            on_right, byref(chosen.zero), out, on_out, out, on_out, byref(chosen.algorithm),
            c_void_p(None if space is None else address(space)), c_size_t(chosen.workspace),
            c_void_p(stream),
        )  # fmt: skip
    _check(status, "cublasLtMatmul")
    return True


def _stride(x):
    """The elements from a matrix of a batch to the next."""
    steps = _steps(x)
    return steps[-1][1] // x.itemsize if steps else 0


def _alignment(place):
    """The largest power of two that divides an address, up to what is asked at most."""
    place |= LARGEST_ALIGNMENT
    return place & -place


def _broadcast(left, right):
    """The shape of both batches together."""
    longer = max(len(left), len(right))
    left, right = ((1,) * (longer - len(shape)) + tuple(shape) for shape in (left, right))
    return tuple(m if n == 1 else n for n, m in zip(left, right, strict=True))


@linalg.matmul.on("cuda")
def _(x, y):
    left, right = x.ndim == 1, y.ndim == 1
    if not (x.ndim and y.ndim):
        return NotImplemented
    out = multiply(x[None] if left else x, y[:, None] if right else y)
    if out is NotImplemented or not (left or right):
        return out
    shape = out.shape[: -2 if left else -1] + (() if right else out.shape[-1:])
    return out.reshape(shape)


@linalg.linear.on("cuda")
def _(x, weight, bias):
    if x.ndim < 2:
        return NotImplemented
    return multiply(x, weight.T, bias)
