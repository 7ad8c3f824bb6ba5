"""Activations: functions of each element, and the few that look along a dimension."""

from tallow.creation import full
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer
from tallow.nn.parameter import Parameter

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU",
    "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
]  # fmt: skip


class _Plain(Layer):
    def forward(self, input):
        return self.function(input)


class _Activation(Layer):
    """An activation whose repr shows `inplace` only where it is True."""

    def extra_repr(self):
        text = super().extra_repr()
        if not self.inplace:
            return text
        return f"{text}, inplace=True" if text else "inplace=True"


class _Inplace(_Activation):
    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input):
        return self.function(input, inplace=self.inplace)


class ReLU(_Inplace, function=F.relu):
    """`max(x, 0)`. `inplace` overwrites the input.

    >>> tallow.nn.ReLU()(tallow.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """


class ReLU6(_Inplace, function=F.relu6):
    """`min(max(x, 0), 6)`.

    >>> tallow.nn.ReLU6()(tallow.tensor([-1.0, 2.0, 8.0])).tolist()
    [0.0, 2.0, 6.0]
    """


class LeakyReLU(_Activation):
    """`x` where positive, else `negative_slope * x`.

    >>> tallow.nn.LeakyReLU(0.5)(tallow.tensor([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class RReLU(_Activation):
    """Leaky ReLU with slopes drawn from [`lower`, `upper`] in training, else their mean.

    Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015.

    >>> tallow.nn.RReLU(0.25, 0.75).eval()(tallow.tensor([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    shown = ("lower", "upper")

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Layer):
    """`x` where positive, else `weight * x`, with a slope that is learned (He et al., 2015).

    `weight` is `(num_parameters,)`: one slope for all, or one for each channel of `(N, C, ...)`.

    >>> tallow.nn.PReLU()(tallow.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    shown = ("num_parameters",)

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def reset_parameters(self):
        """Set all slopes to `init`."""
        self.weight.detach().fill_(self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)


class ELU(_Activation, function=F.elu):
    """`x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2015).

    >>> tallow.nn.ELU()(tallow.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    shown = ("alpha",)

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input):
        return self.function(input, self.alpha, self.inplace)


class CELU(ELU, function=F.celu):
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))` (Barron, 2017).

    >>> tallow.nn.CELU()(tallow.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """


class SELU(_Inplace, function=F.selu):
    """ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> round(tallow.nn.SELU()(tallow.tensor(1.0)).item(), 4)
    1.0507
    """


class GELU(Layer):
    """`x * P(N <= x)` for a standard normal N (Hendrycks and Gimpel, 2016).

    `approximate="tanh"` is `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`.

    >>> round(tallow.nn.GELU()(tallow.tensor(1.0)).item(), 4)
    0.8413
    """

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace, function=F.silu):
    """`x * sigmoid(x)`, also called swish.

    >>> round(tallow.nn.SiLU()(tallow.tensor(1.0)).item(), 4)
    0.7311
    """


class Mish(_Inplace, function=F.mish):
    """`x * tanh(softplus(x))` (Misra, 2019).

    >>> round(tallow.nn.Mish()(tallow.tensor(1.0)).item(), 4)
    0.8651
    """


class Hardswish(_Inplace, function=F.hardswish):
    """`x * min(max(x + 3, 0), 6) / 6`, an approximation of SiLU (Howard et al., 2019).

    >>> tallow.nn.Hardswish()(tallow.tensor([0.0, 3.0])).tolist()
    [0.0, 3.0]
    """


class Hardsigmoid(_Inplace, function=F.hardsigmoid):
    """`min(max(x + 3, 0), 6) / 6`, an approximation of the sigmoid.

    >>> tallow.nn.Hardsigmoid()(tallow.tensor([-3.0, 0.0, 3.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    extra_repr = Layer.extra_repr


class Hardtanh(_Activation):
    """`min(max(x, min_val), max_val)`.

    >>> tallow.nn.Hardtanh()(tallow.tensor([-2.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """

    shown = ("min_val", "max_val")

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None):
        super().__init__()
        min_val = min_val if min_value is None else min_value  # their names before PyTorch 0.2
        max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise ArgumentError(
                f"Hardtanh: expected min_val < max_val, got {min_val} and {max_val}"
            )
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Threshold(_Activation):
    """`x` where it is above `threshold`, else `value`.

    >>> tallow.nn.Threshold(0.1, 20.0)(tallow.tensor([0.0, 0.5])).tolist()
    [20.0, 0.5]
    """

    shown = ("threshold", "value")

    def __init__(self, threshold, value, inplace=False):
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Sigmoid(_Plain, function=F.sigmoid):
    """`1 / (1 + exp(-x))`.

    >>> tallow.nn.Sigmoid()(tallow.tensor(0.0)).item()
    0.5
    """


class LogSigmoid(_Plain, function=F.logsigmoid):
    """`-log(1 + exp(-x))`.

    >>> round(tallow.nn.LogSigmoid()(tallow.tensor(0.0)).item(), 4)
    -0.6931
    """


class Tanh(_Plain, function=F.tanh):
    """`tanh(x)`.

    >>> tallow.nn.Tanh()(tallow.tensor(0.0)).item()
    0.0
    """


class Tanhshrink(_Plain, function=F.tanhshrink):
    """`x - tanh(x)`.

    >>> round(tallow.nn.Tanhshrink()(tallow.tensor(1.0)).item(), 4)
    0.2384
    """


class Softplus(Layer):
    """`log(1 + exp(beta * x)) / beta`; the identity where `beta * x` is above `threshold`.

    >>> round(tallow.nn.Softplus()(tallow.tensor(0.0)).item(), 4)
    0.6931
    """

    shown = ("beta", "threshold")

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input):
        return F.softplus(input, self.beta, self.threshold)


class Softsign(_Plain, function=F.softsign):
    """`x / (1 + |x|)`.

    >>> tallow.nn.Softsign()(tallow.tensor(1.0)).item()
    0.5
    """


class Softshrink(Layer, function=F.softshrink):
    """`x` moved towards zero by `lambd`, and zero within ±lambd.

    >>> tallow.nn.Softshrink()(tallow.tensor([-2.0, 0.2])).tolist()
    [-1.5, 0.0]
    """

    sizes = ("lambd",)

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input):
        return self.function(input, self.lambd)


class Hardshrink(Softshrink, function=F.hardshrink):
    """`x`, and zero within ±lambd.

    >>> tallow.nn.Hardshrink()(tallow.tensor([-2.0, 0.2])).tolist()
    [-2.0, 0.0]
    """


class GLU(Layer):
    """The first half of a dimension times the sigmoid of the second (Dauphin et al., 2016).

    Shape: `(..., 2 K, ...)` to `(..., K, ...)`.

    >>> tallow.nn.GLU()(tallow.tensor([4.0, 0.0])).tolist()
    [2.0]
    """

    shown = ("dim",)

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return F.glu(input, self.dim)


class _Softmax(Layer):
    shown = ("dim",)

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return self.function(input, self.dim)


class Softmax(_Softmax, function=F.softmax):
    """`exp(x) / sum(exp(x))` along the dimension `dim`.

    >>> tallow.nn.Softmax(dim=0)(tallow.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """


class LogSoftmax(_Softmax, function=F.log_softmax):
    """The logarithm of the softmax along the dimension `dim`.

    >>> round(tallow.nn.LogSoftmax(dim=0)(tallow.zeros(4))[0].item(), 4)
    -1.3863
    """


class Softmin(_Softmax, function=F.softmin):
    """The softmax of `-x` along the dimension `dim`.

    >>> tallow.nn.Softmin(dim=0)(tallow.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """


class Softmax2d(Layer):
    """The softmax over the channels of `(N, C, H, W)` or `(C, H, W)`.

    >>> tallow.nn.Softmax2d()(tallow.zeros(4, 1, 1)).flatten().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    def forward(self, input):
        if input.ndim not in (3, 4):
            raise ArgumentError(
                f"Softmax2d: expected (N, C, H, W) or (C, H, W), got {tuple(input.shape)}"
            )
        return F.softmax(input, -3)
