"""Normalisation: batch, layer, group and instance norm are one operation over different axes.

y = weight * (x - mean) / sqrt(variance + eps) + bias, with mean and variance over `axes`. The
weight and the bias, either of which may be None, broadcast against x in the shape `factor`. Without
`centre` the mean is not subtracted: RMS norm. Batch norm and ReLU after it are one operation too:
what lies between need not go to memory.
"""

from math import prod

from tallow.autograd.builtin import in_rows, sum_to
from tallow.autograd.op import op
from tallow.ops.activation import add_relu, relu, relu_grad
from tallow.ops.elementwise import rsqrt
from tallow.ops.reduce import mean, widened
from tallow.ops.shape import reshape


@op(materialize=False, differentiable=1)
def normalize(xp, x, weight, bias, *, factor, axes, eps, centre):
    """The normalised x, and its mean and (biased) variance, which keep their axes."""
    wide = in_rows(widened(xp, x))
    average = xp.mean(wide, axis=axes, keepdims=True)
    out = wide - average if centre else wide
    variance = xp.mean(out * out, axis=axes, keepdims=True)
    scale = 1 / xp.sqrt(variance + eps)
    out = out * scale if weight is None else out * (scale * weight.reshape(factor))
    if bias is not None:
        out += bias.reshape(factor)
    return out.astype(x.dtype, copy=False), average, variance


@op
def normalize_grad(xp, g, x, weight, average, variance, *, axes, eps, centre):
    """The gradients of `normalize` by x, the weight and the bias, these in the weight's shape."""
    scale = 1 / xp.sqrt(variance + eps)
    standard = (x - average) * scale if centre else x * scale
    wide = widened(xp, g)
    by_weight = wide * standard
    shape = (1,) * x.ndim if weight is None else weight.shape
    weight_grad, bias_grad = sum_to(by_weight, shape=shape), sum_to(wide, shape=shape)
    if weight is not None and shape == variance.shape:  # as in batch norm: the means are at hand
        n = prod(x.shape[axis] for axis in axes)
        along, level = weight_grad / n, bias_grad / n
        scale = scale * weight
    else:
        if weight is not None:
            wide, by_weight = wide * weight, by_weight * weight
        along = xp.mean(by_weight, axis=axes, keepdims=True)
        level = xp.mean(wide, axis=axes, keepdims=True)
    standard *= along
    out = wide - standard
    if centre:
        out -= level
    out *= scale
    return out.astype(x.dtype, copy=False), weight_grad, bias_grad


@normalize.joint_vjp
def _(g, x, weight, out, shapes, needs, factor, axes, eps, centre):
    average, variance = out
    weight = weight if weight is None else reshape(weight, shape=factor)
    how = {"axes": axes, "eps": eps, "centre": centre}
    by_x, *by_factors = normalize_grad(g[0], x, weight, average, variance, **how)
    return by_x, *[
        reshape(part, shape=shape) if wanted else None
        for part, shape, wanted in zip(by_factors, shapes[1:], needs[1:], strict=True)
    ]


@normalize_grad.joint_vjp
def second_order(v, g, x, weight, needs, axes, eps, centre):
    """With h the standardised x, r = 1 / sqrt(variance + eps), M the mean over the axes and D(u) =
    r (u - M(u) - h M(u h)), which is symmetric: normalize_grad is D(g weight), the sum of g h, the
    sum of g.
    """

    def M(u):
        return mean(u, axis=axes, keepdims=True)

    def D(u):
        return r * (u - M(u) - h * M(u * h)) if centre else r * (u - h * M(u * h))

    centred = x - M(x) if centre else x
    r = rsqrt(M(centred * centred) + eps)
    h = centred * r
    by_x, by_weight, by_bias = v
    Dv = D(by_x)
    if weight is None:
        u, by_g = g, Dv
    else:
        u, by_g = g * weight, Dv * weight + by_weight * h + by_bias
    Du = D(u)
    second = r * (h * M(by_x * Du) + M(by_x * h) * Du + M(u * h) * Dv)
    by_x = D(by_weight * g) - second if weight is not None else second * -1
    return by_g, by_x, g * Dv if needs[2] else None, None, None


@op(materialize=False, differentiable=1)
def normalize_relu(x, weight, bias, *, factor, axes, eps):
    """max(normalize(x), 0), and the mean and variance of x."""
    out, average, variance = normalize(
        x, weight, bias, factor=factor, axes=axes, eps=eps, centre=True
    )
    return relu(out), average, variance


def before_relu(x, weight, bias, average, variance, eps):
    """What batch norm gave, of which ReLU passed what is above 0."""
    out = (x - average) * rsqrt(variance + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


@op
def normalize_relu_grad(g, x, weight, bias, average, variance, *, axes, eps):
    """The gradients of `normalize_relu` by x, the weight and the bias."""
    g = relu_grad(g, before_relu(x, weight, bias, average, variance, eps))
    return normalize_grad(g, x, weight, average, variance, axes=axes, eps=eps, centre=True)


@normalize_relu.joint_vjp
def _(g, x, weight, bias, out, shapes, needs, factor, axes, eps):
    weight, bias = (p if p is None else reshape(p, shape=factor) for p in (weight, bias))
    by_x, *by_factors = normalize_relu_grad(g[0], x, weight, bias, *out, axes=axes, eps=eps)
    return by_x, *[
        reshape(part, shape=shape) if wanted else None
        for part, shape, wanted in zip(by_factors, shapes[1:], needs[1:], strict=True)
    ]


@normalize_relu_grad.joint_vjp
def _(v, g, x, weight, bias, average, variance, needs, axes, eps):
    y = before_relu(x, weight, bias, average, variance, eps)
    needs = (*needs[:3], False, False)
    by_g, by_x, by_weight, *_ = second_order(
        v, relu_grad(g, y), x, weight, needs, axes, eps, centre=True
    )
    return relu_grad(by_g, y), by_x, by_weight, None, None, None


@op(materialize=False)
def normalize_add_relu(x, y, weight, bias, *, factor, axes, eps):
    """max(normalize(x) + y, 0) for x and y of one shape, and the mean and variance of x."""
    how = {"factor": factor, "axes": axes, "eps": eps, "centre": True}
    out, average, variance = normalize(x, weight, bias, **how)
    return add_relu(out, y), average, variance


@normalize_add_relu.joint_vjp
def _(g, x, weight, out, shapes, needs, factor, axes, eps):
    """The mean and the variance have no gradients."""
    through, *statistics = out
    by_y = relu_grad(g[0], through)
    weight = weight if weight is None else reshape(weight, shape=factor)
    how = {"axes": axes, "eps": eps, "centre": True}
    by_x, *by_factors = normalize_grad(by_y, x, weight, *statistics, **how)
    return (
        by_x,
        by_y,
        *[
            reshape(part, shape=shape) if wanted else None
            for part, shape, wanted in zip(by_factors, shapes[2:], needs[2:], strict=True)
        ],
    )


@op
def normalize_by(xp, x, average, variance, weight, bias, *, factor, eps):
    """x normalised with a given mean and variance: batch norm in evaluation.

    All four broadcast against x in the shape `factor`; their sizes are one.
    """
    scale = 1 / xp.sqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    shift = -average * scale if bias is None else bias - average * scale
    out = in_rows(x) * scale.reshape(factor)
    out += shift.reshape(factor)
    return out.astype(x.dtype, copy=False)


@normalize_by.joint_vjp
def by_statistics(g, x, average, variance, weight, shapes, needs, factor, eps):
    scale = rsqrt(variance + eps)
    by_x = by_weight = by_bias = None
    if needs[0]:
        by_x = g * reshape(scale if weight is None else scale * weight, shape=factor)
    if needs[3]:
        standard = (x - reshape(average, shape=factor)) * reshape(scale, shape=factor)
        by_weight = reshape(sum_to(g * standard, shape=factor), shape=shapes[3])
    if needs[4]:
        by_bias = reshape(sum_to(g, shape=factor), shape=shapes[4])
    return by_x, None, None, by_weight, by_bias


@op
def standardize(xp, x, average, deviation, *, scale):
    """(x * scale - average) / deviation, in the dtype of both, to which x may be of integers."""
    wide = x.astype(average.dtype, copy=False)
    wide = wide if scale == 1 else wide * average.dtype.type(scale)
    return (wide - average) / deviation


standardize.vjp(lambda g, deviation, scale: g * scale / deviation, None, None)


@op
def normalize_relu_by(x, average, variance, weight, bias, *, factor, eps):
    """max(normalize_by(x), 0)."""
    return relu(normalize_by(x, average, variance, weight, bias, factor=factor, eps=eps))


@normalize_relu_by.joint_vjp
def _(g, x, average, variance, weight, out, shapes, needs, factor, eps):
    return by_statistics(
        relu_grad(g, out), x, average, variance, weight, shapes, needs, factor, eps
    )


@op
def normalize_add_relu_by(x, y, average, variance, weight, bias, *, factor, eps):
    """max(normalize_by(x) + y, 0) for x and y of one shape."""
    return add_relu(normalize_by(x, average, variance, weight, bias, factor=factor, eps=eps), y)


@normalize_add_relu_by.joint_vjp
def _(g, x, average, variance, weight, out, shapes, needs, factor, eps):
    g = relu_grad(g, out)
    shapes, needs = (given[:1] + given[2:] for given in (shapes, needs))
    by_x, *others = by_statistics(g, x, average, variance, weight, shapes, needs, factor, eps)
    return by_x, g, *others
