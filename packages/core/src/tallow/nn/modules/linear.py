"""Layers that multiply by a matrix."""

import math

from tallow.creation import empty
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.parameter import Parameter

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Gives back its input. Arguments are taken and ignored, so that it can stand for any layer.

    >>> tallow.nn.Identity(54, unused=True)(tallow.tensor(3)).item()
    3
    """

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input):
        return input


class Linear(Module):
    """An affine map of the last dimension: `y = x W^T + b`.

    Shapes: `(..., in_features)` to `(..., out_features)`; `weight` is `(out_features,
    in_features)`, `bias` `(out_features,)`. Both start uniform within ±1/sqrt(in_features).

    >>> layer = tallow.nn.Linear(20, 30)
    >>> tuple(layer(tallow.randn(128, 20)).shape)
    (128, 30)
    """

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        bias = Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", bias)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weight and the bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self):
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` by the name that it has within PyTorch's `MultiheadAttention`."""


class Bilinear(Module):
    """A form that is linear in each of two inputs: `y_k = x1^T A_k x2 + b_k`.

    Shapes: `(..., in1_features)` and `(..., in2_features)` to `(..., out_features)`; `weight` is
    `(out_features, in1_features, in2_features)`, `bias` `(out_features,)`. Both start uniform
    within ±1/sqrt(in1_features).

    >>> layer = tallow.nn.Bilinear(20, 30, 40)
    >>> tuple(layer(tallow.randn(8, 20), tallow.randn(8, 30)).shape)
    (8, 40)
    """

    def __init__(
        self, in1_features, in2_features, out_features, bias=True, device=None, dtype=None
    ):
        super().__init__()
        if in1_features <= 0:
            raise ArgumentError(f"Bilinear: expected in1_features > 0, got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        bias = Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", bias)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weight and the bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1, input2):
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self):
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
