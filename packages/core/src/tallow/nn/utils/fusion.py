"""Batch normalization, in evaluation, folded into the layer before it."""

import copy

from tallow.creation import ones_like, zeros_like
from tallow.math import rsqrt
from tallow.nn.parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights",
]  # fmt: skip


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A convolution that does what `bn(conv(x))` does; both must be in evaluation mode.

    `transpose` is for transposed convolutions, whose output channels come second.

    >>> from tallow import nn
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> fused = nn.utils.fuse_conv_bn_eval(conv, bn)
    >>> x = tallow.randn(1, 1, 5, 5)
    >>> bool(tallow.allclose(fused(x), bn(conv(x)), atol=1e-6))
    True
    """
    fused = _copied(conv, bn)
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, *statistics, transpose
    )
    return fused


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """The weight and bias of a convolution followed by a batch normalization."""
    bias_dtype = conv_w.dtype if conv_b is None else conv_b.dtype
    conv_b = zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = zeros_like(bn_rm) if bn_b is None else bn_b
    scale = bn_w * rsqrt(bn_rv + bn_eps)
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    weight = (conv_w * scale.reshape(shape)).to(conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale + bn_b).to(bias_dtype)
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, conv_b.requires_grad)


def fuse_linear_bn_eval(linear, bn):
    """A linear layer that does what `bn(linear(x))` does; both must be in evaluation mode."""
    fused = _copied(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            f"fuse_linear_bn_eval: expected a normalization of {linear.out_features} features (or "
            f"1), got {bn.num_features}"
        )
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *statistics)
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """The weight and bias of a linear layer followed by a batch normalization."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _copied(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("fuse: expected both modules in evaluation mode; call eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(
            "fuse: expected a normalization with running statistics, got one without"
        )
    return copy.deepcopy(layer)
