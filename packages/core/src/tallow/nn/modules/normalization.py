"""Normalization over the features of a sample, over groups of channels, over neighbours."""

from tallow.creation import arange, empty
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.modules.layer import Layer
from tallow.nn.parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Norm(Layer):
    """What the normalizations share: an optional weight, starting at 1, and bias, starting at 0."""

    def _register_affine(self, shape, weight, bias, device, dtype):
        for name, wanted in (("weight", weight), ("bias", bias)):
            parameter = Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, parameter)

    def reset_parameters(self):
        """Set the weight to ones and the bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Norm):
    """Layer normalization (Ba et al., 2016) over the last dimensions, `normalized_shape`.

    `y = (x - mean) / sqrt(variance + eps) * weight + bias` with the biased variance; weight and
    bias have the shape `normalized_shape`.

    >>> layer = tallow.nn.LayerNorm(10)
    >>> tuple(layer(tallow.randn(20, 5, 10)).shape)
    (20, 5, 10)
    """

    sizes = ("normalized_shape",)
    shown = ("eps", "elementwise_affine")

    def __init__(
        self, normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None,
        dtype=None,
    ):  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self._register_affine(self.normalized_shape, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{super().extra_repr()}, bias={self.bias is not None}"


class RMSNorm(_Norm):
    """Normalization by the root mean square (Zhang and Sennrich, 2019) over the last dimensions.

    `y = x / sqrt(mean(x^2) + eps) * weight`; `eps=None` is the machine epsilon of the input's
    dtype.

    >>> layer = tallow.nn.RMSNorm(10)
    >>> tuple(layer(tallow.randn(20, 5, 10)).shape)
    (20, 5, 10)
    """

    bias = None
    sizes = ("normalized_shape",)
    shown = ("eps", "elementwise_affine")

    def __init__(
        self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = None
        if elementwise_affine:
            weight = Parameter(empty(self.normalized_shape, device=device, dtype=dtype))
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def forward(self, x):
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class GroupNorm(_Norm):
    """Group normalization (Wu and He, 2018): each sample over each group of channels.

    Shape: `(N, num_channels, ...)`; weight and bias, one for each channel, are `(num_channels,)`.

    >>> layer = tallow.nn.GroupNorm(3, 6)
    >>> tuple(layer(tallow.randn(20, 6, 10, 10)).shape)
    (20, 6, 10, 10)
    """

    sizes = ("num_groups", "num_channels")
    shown = ("eps", "affine")

    def __init__(
        self, num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, *,
        bias=True,
    ):  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: expected num_channels divisible by num_groups={num_groups}, "
                f"got {num_channels}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._register_affine(num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{super().extra_repr()}, bias={self.bias is not None}"


class LocalResponseNorm(Layer):
    """`x / (k + alpha * mean(x^2))^beta`, the mean over `size` neighbouring channels.

    Shape: `(N, C, ...)` (Krizhevsky et al., 2012).

    >>> layer = tallow.nn.LocalResponseNorm(2)
    >>> tuple(layer(tallow.randn(32, 5, 24, 24)).shape)
    (32, 5, 24, 24)
    """

    sizes = ("size",)
    shown = ("alpha", "beta", "k")

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` as Torch 7 had it: (N, C, H, W).

    The sum over channels next to c also has channel 0 in it, wherever c is `(size + 1) // 2` or
    more: so networks were trained with it.

    >>> tuple(tallow.nn.CrossMapLRN2d(3)(tallow.ones(2, 5, 4, 4)).shape)
    (2, 5, 4, 4)
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1):
        super().__init__(size, alpha, beta, k)

    def forward(self, input):
        reach, channels = (self.size - 1) // 2, input.array.shape[1]
        squares = F.pad(input * input, (0, 0, 0, 0, reach, reach))
        total = sum(squares[:, i : i + channels] for i in range(2 * reach + 1))
        first = F.pad(squares[:, reach : reach + 1], (0, 0, 0, 0, 0, channels - 1))
        later = arange(channels, device=input.device) > reach
        total = total + (first.sum(1, keepdim=True) * later[:, None, None])
        return input * (self.k + self.alpha / self.size * total) ** -self.beta


def _shape(normalized_shape):
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
