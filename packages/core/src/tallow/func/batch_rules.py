"""How an operation runs on a whole batch.

Rules go by the names of operations and of their parameters: `axis`, `axes` and `shape` mean the
same in all of them. Of an array that differs among examples `data` has theirs along axis 0.
"""

import numpy as np

from tallow.autograd.builtin import expand, sum_to
from tallow.func.batched import BatchedArray, aligned, is_batched, whole
from tallow.ops.activation import add_relu, relu, relu_grad
from tallow.ops.elementwise import convert, rsqrt
from tallow.ops.linalg import matmul
from tallow.ops.norm import before_relu, normalize, normalize_by, normalize_grad
from tallow.ops.reduce import sum
from tallow.ops.shape import reshape, swap

ELEMENTWISE = {
    f"tallow.ops.{name}" for name in "activation bessel elementwise gamma logic special".split()
}
SINGLE = set("""
    angle beta_slope binary_cross_entropy cast conj gamma_slope imag join kl_divergence
    logistic_loss masked masked_sum over real smooth_l1 squared_error tril triu view_as_complex
    view_as_real
""".split())  # elementwise too, or by the last axes of one operand  # fmt: skip
OF_ALL = set("""
    all amax amin any count_nonzero deviation logsumexp mean prod sum ties variance vector_norm
""".split())  # reductions, which take axes or None for all  # fmt: skip
FOLDED = {
    "conv": 1, "conv_grad_input": 1, "max_pool": 1, "max_pool_grad": 3, "max_pool_pick": 3,
    "max_pool_indices": 1, "pool_sum": 1, "pool_spread": 1, "unfold": 1, "fold": 1, "read_at": 2,
    "add_back": 2, "max_unpool": 2, "grid_sample": 2,
}  # how many first operands have an axis of images, which takes the examples'  # fmt: skip


def by_rule(made, arrays, params, level, size):
    """The result of an operation on whole batches, or NotImplemented."""
    if any(not hasattr(x, "ndim") for x in arrays if x is not None):  # Python's numbers
        return NotImplemented
    if made.name in RULES:
        return RULES[made.name](made, arrays, params, level, size)
    if made.name in SINGLE or made.body.__module__ in ELEMENTWISE:
        return made.call(*aligned(arrays, level), **params)
    if made.name in SHAPES and len(arrays) == 1:
        (x,) = arrays
        return made.call(x.data, **SHAPES[made.name](size, x.ndim, **params))
    if made.name in FOLDED:
        return _folded(made, arrays, params, level, size)
    if set(params) & {"axis", "axes"} and not any(hasattr(x, "dtype") for x in params.values()):
        return _along(made, arrays, params, level, size)
    return NotImplemented


def _next(axis):
    """An axis of an example among those of the batch."""
    return axis + 1 if axis >= 0 else axis


def _along(made, arrays, params, level, size):
    axis = params.get("axis", params.get("axes"))
    if (
        len({getattr(x, "ndim", None) for x in arrays}) > 1
        or axis is None
        and made.name not in OF_ALL
    ):
        return NotImplemented
    if axis is None:
        moved = tuple(range(1, arrays[0].ndim + 1))
    else:
        moved = tuple(map(_next, axis)) if isinstance(axis, tuple | list) else _next(axis)
    name = "axis" if "axis" in params else "axes"
    return made.call(*[whole(x, level, size) for x in arrays], **{**params, name: moved})


def _folded(made, arrays, params, level, size):
    n = FOLDED[made.name]
    if any(is_batched(x, level) for x in arrays[n:]):
        return NotImplemented
    images = [whole(x, level, size) for x in arrays[:n]]
    images = [reshape(x, shape=(-1, *x.shape[2:])) for x in images]
    found = made.call(*images, *arrays[n:], **params)
    return reshape(found, shape=(size, -1, *found.shape[1:]))


def _matmul(made, arrays, params, level, size):
    x, y = arrays
    if not is_batched(y, level) and y.ndim == 2:  # one product, not one for each example
        return reshape(
            matmul(reshape(x.data, shape=(-1, x.shape[-1])), y),
            shape=(size, *x.shape[:-1], y.shape[-1]),
        )
    left = reshape(x, shape=(1, *x.shape)) if x.ndim == 1 else x
    right = reshape(y, shape=(*y.shape, 1)) if y.ndim == 1 else y
    out = matmul(*aligned([left, right], level))
    shape = out.shape[:-2] + (out.shape[-2:-1] if x.ndim > 1 else ())
    return reshape(out, shape=shape + (out.shape[-1:] if y.ndim > 1 else ()))


def _linear(made, arrays, params, level, size):
    x, weight, bias = arrays
    if not is_batched(weight, level) and not is_batched(bias, level):
        return made.call(x.data, weight, bias)
    out = matmul(x, swap(weight, axis1=0, axis2=1))
    return (out if bias is None else out + bias).data


def _sum_to(made, arrays, params, level, size):
    (x,), shape = arrays, params["shape"]
    kept = (size, *(1,) * (x.ndim - len(shape)), *shape)
    return reshape(made.call(x.data, shape=kept), shape=(size, *shape))


def _expand(made, arrays, params, level, size):
    (x,), shape = arrays, params["shape"]
    ones = (1,) * (len(shape) - x.ndim)
    return made.call(reshape(x.data, shape=(size, *ones, *x.shape)), shape=(size, *shape))


def _embedding(made, arrays, params, level, size):
    weight, index = arrays
    if is_batched(weight, level) or params["by_frequency"]:
        return NotImplemented
    return made.call(weight, index.data, **params)


def _counted(label, params, level, size):
    """(size, rows) labels, and how many of each example's count: 1 unless the mean is taken."""
    labels = reshape(whole(label, level, size), shape=(size, -1))
    if params["reduction"] != "mean":
        return labels, 1
    counted = convert(labels != params["ignore_index"], dtype=np.dtype(np.int64))
    return labels, sum(counted, axis=(1,), keepdims=True)


def _cross_entropy(made, arrays, params, level, size):
    x, label, weight = arrays
    if weight is not None or x.ndim > 2:
        return NotImplemented
    labels, counts = _counted(label, params, level, size)
    scores = reshape(whole(x, level, size), shape=(-1, x.shape[-1]))
    losses = made.call(
        scores, reshape(labels, shape=(-1,)), None,
        ignore_index=params["ignore_index"], reduction="none",
    )  # fmt: skip
    losses = reshape(losses, shape=labels.shape)
    if params["reduction"] == "none":
        return reshape(losses, shape=(size, *label.shape))
    return convert(sum(losses / counts, axis=(1,), keepdims=False), dtype=x.dtype)


def _cross_entropy_grad(made, arrays, params, level, size):
    g, x, label, weight = arrays
    if weight is not None or x.ndim > 2:
        return NotImplemented
    labels, counts = _counted(label, params, level, size)
    shares = expand(reshape(whole(g, level, size), shape=(size, -1)) / counts, shape=labels.shape)
    found = made.call(
        convert(reshape(shares, shape=(-1,)), dtype=g.dtype),
        reshape(whole(x, level, size), shape=(-1, x.shape[-1])),
        reshape(labels, shape=(-1,)), None,
        ignore_index=params["ignore_index"], reduction="none",
    )  # fmt: skip
    return reshape(found, shape=(size, *x.shape))


def _normalize(made, arrays, params, level, size):
    x, weight, bias = arrays
    axes, factor = tuple(map(_next, params["axes"])), params["factor"] or ()
    out, *statistics = made.call(
        whole(x, level, size), None, None, **params | {"factor": (1, *factor), "axes": axes}
    )
    out = BatchedArray(out, level)
    out = out if weight is None else out * reshape(weight, shape=factor)
    out = out if bias is None else out + reshape(bias, shape=factor)
    return out.data, *statistics


def _normalize_grad(made, arrays, params, level, size):
    g, x, weight, average, variance = arrays
    axes = tuple(map(_next, params["axes"]))
    weighted = [g if weight is None else g * weight, x, None, average, variance]
    by_x = made.call(
        *[None if x is None else whole(x, level, size) for x in weighted], **params | {"axes": axes}
    )[0]
    standard = (x - average if params["centre"] else x) * rsqrt(variance + params["eps"])
    shape = (1,) * x.ndim if weight is None else weight.shape
    return by_x, *[whole(sum_to(part, shape=shape), level, size) for part in (g * standard, g)]


def _normalize_by(made, arrays, params, level, size):
    x, *others = arrays
    if any(is_batched(y, level) for y in others):
        return NotImplemented
    return made.call(x.data, *others, **params | {"factor": (1, *params["factor"])})


def _normalize_relu(made, arrays, params, level, size):
    out, *statistics = _normalize(normalize.op, arrays, params | {"centre": True}, level, size)
    return relu(out), *statistics


def _normalize_relu_grad(made, arrays, params, level, size):
    g, x, weight, bias, *statistics = arrays
    g = relu_grad(g, before_relu(x, weight, bias, *statistics, params["eps"]))
    arrays = [g, x, weight, *statistics]
    return _normalize_grad(normalize_grad.op, arrays, params | {"centre": True}, level, size)


def _normalize_relu_by(made, arrays, params, level, size):
    out = _normalize_by(normalize_by.op, arrays, params, level, size)
    return out if out is NotImplemented else relu(out)


def _normalize_add_relu(made, arrays, params, level, size):
    x, y, *others = arrays
    arrays, params = [x, *others], params | {"centre": True}
    out, *statistics = _normalize(normalize.op, arrays, params, level, size)
    return add_relu(out, whole(y, level, size)), *statistics


def _normalize_add_relu_by(made, arrays, params, level, size):
    x, y, *others = arrays
    if not is_batched(x, level):
        return NotImplemented
    out = _normalize_by(normalize_by.op, [x, *others], params, level, size)
    return out if out is NotImplemented else add_relu(out, whole(y, level, size))


def _fill(made, arrays, params, level, size):
    x, value = arrays
    return made.call(*aligned([BatchedArray(whole(x, level, size), level), value], level))


def _attend(made, arrays, params, level, size):
    batch = [x if x is None else BatchedArray(whole(x, level, size), level) for x in arrays]
    return made.call(*aligned(batch, level), **params)


RULES = {
    "normalize": _normalize, "normalize_grad": _normalize_grad, "normalize_by": _normalize_by,
    "normalize_relu": _normalize_relu, "normalize_relu_grad": _normalize_relu_grad,
    "normalize_relu_by": _normalize_relu_by, "normalize_add_relu": _normalize_add_relu,
    "normalize_add_relu_by": _normalize_add_relu_by,
    "fill": _fill, "attention": _attend, "attend": _attend, "attend_grad": _attend,
    "matmul": _matmul, "linear": _linear, "sum_to": _sum_to, "expand": _expand,
    "embedding": _embedding, "cross_entropy": _cross_entropy,
    "cross_entropy_grad": _cross_entropy_grad,
}  # fmt: skip


def _key(key):
    return (slice(None), *(key if type(key) is tuple else (key,)))


SHAPES = {
    "reshape": lambda size, rank, shape: {"shape": (size, *shape)},
    "permute": lambda size, rank, axes: {"axes": (0, *(a % rank + 1 for a in axes))},
    "swap": lambda size, rank, axis1, axis2: {"axis1": _next(axis1), "axis2": _next(axis2)},
    "pad": lambda size, rank, widths, value: {"widths": ((0, 0), *widths), "value": value},
    "crop": lambda size, rank, widths: {"widths": ((0, 0), *widths)},
    "repeat": lambda size, rank, repeats: {"repeats": (1, *repeats)},
    "sum_tiles": lambda size, rank, repeats, shape: {
        "repeats": (1, *repeats),
        "shape": (size, *shape),
    },
    "diagonal": lambda size, rank, offset, axis1, axis2: {
        "offset": offset,
        "axis1": _next(axis1),
        "axis2": _next(axis2),
    },
    "getitem": lambda size, rank, key: {"key": _key(key)},
    "put": lambda size, rank, key, shape: {"key": _key(key), "shape": (size, *shape)},
}
