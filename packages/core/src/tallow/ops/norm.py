"""Normalisation: batch, layer, group and instance norm are one operation over different axes.

y = weight * (x - mean) / sqrt(variance + eps) + bias, with mean and variance over `axes`. The
weight and the bias have one shape that broadcasts against x; either may be None. Without `centre`
the mean is not subtracted: RMS norm.
"""

from math import prod

from tallow.autograd.builtin import sum_to
from tallow.autograd.op import op
from tallow.ops.elementwise import rsqrt
from tallow.ops.reduce import mean, widened


@op
def normalize(xp, x, weight, bias, *, axes, eps, centre):
    """The normalised x, and its mean and (biased) variance, which keep their axes."""
    wide = widened(xp, x)
    average = xp.mean(wide, axis=axes, keepdims=True)
    out = wide - average if centre else wide
    variance = xp.mean(out * out, axis=axes, keepdims=True)
    scale = 1 / xp.sqrt(variance + eps)
    out = out * scale if weight is None else out * (scale * weight)
    if bias is not None:
        out += bias
    return out.astype(x.dtype, copy=False), average, variance


@op
def normalize_grad(xp, g, x, weight, average, variance, *, axes, eps, centre):
    """The gradients of `normalize` by x, the weight and the bias."""
    scale = 1 / xp.sqrt(variance + eps)
    standard = (x - average) * scale if centre else x * scale
    wide = widened(xp, g)
    by_weight = wide * standard
    shape = (1,) * x.ndim if weight is None else weight.shape
    weight_grad, bias_grad = sum_to(by_weight, shape=shape), sum_to(wide, shape=shape)
    if shape == variance.shape:  # constant over the axes, as in batch norm: the means are at hand
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
def _(g, x, weight, out, needs, axes, eps, centre):
    _, average, variance = out
    how = {"axes": axes, "eps": eps, "centre": centre}
    by_x, by_weight, by_bias = normalize_grad(g[0], x, weight, average, variance, **how)
    return by_x, by_weight if needs[1] else None, by_bias if needs[2] else None


@normalize_grad.joint_vjp
def _(v, g, x, weight, needs, axes, eps, centre):
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


@op
def normalize_by(xp, x, average, variance, weight, bias, *, eps):
    """x normalised with a given mean and variance, which broadcast: batch norm in evaluation."""
    scale = 1 / xp.sqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    shift = -average * scale if bias is None else bias - average * scale
    out = x * scale
    out += shift
    return out.astype(x.dtype, copy=False)


@normalize_by.joint_vjp
def _(g, x, average, variance, weight, needs, eps):
    scale = rsqrt(variance + eps)
    by_x = g * (scale if weight is None else scale * weight) if needs[0] else None
    by_weight = g * ((x - average) * scale) if needs[3] else None
    return by_x, None, None, by_weight, g if needs[4] else None
