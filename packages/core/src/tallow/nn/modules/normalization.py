"""Normalization over the batch, over the features of a sample, and over groups of channels."""

from tallow.creation import empty, ones, tensor, zeros
from tallow.dtypes import int64
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.parameter import Parameter


class _Norm(Module):
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


class _BatchNorm(_Norm):
    """Normalization of each channel over the batch and all positions.

    In training, by the batch's mean and biased variance, of which running averages are kept:
    `running = (1 - momentum) * running + momentum * batch` (`momentum=None`: the mean over all
    batches). In evaluation, by the running averages.
    """

    _version = 2
    input_shapes: dict[int, str]

    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True,
        device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._register_affine(num_features, affine, affine and bias, device, dtype)
        mean = variance = batches = None
        if track_running_stats:
            mean = zeros(num_features, device=device, dtype=dtype)
            variance = ones(num_features, device=device, dtype=dtype)
            batches = tensor(0, dtype=int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", batches)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget the running averages."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Set the weight to ones and the bias to zeros, and forget the running averages."""
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input):
        if input.ndim not in self.input_shapes:
            expected = " or ".join(self.input_shapes.values())
            raise ValueError(
                f"{type(self).__name__}: expected {expected}, got {tuple(input.shape)}"
            )
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        tracked = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
        )

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        # Checkpoints of before PyTorch 0.4.1 do not count the batches.
        key = prefix + "num_batches_tracked"
        if (
            local_metadata.get("version", 2) < 2
            and self.track_running_stats
            and key not in state_dict
        ):
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C)` or `(N, C, L)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> import tallow
    >>> layer = tallow.nn.BatchNorm1d(4)
    >>> y = layer(tallow.randn(20, 4))
    >>> bool(tallow.allclose(y.mean(0), tallow.zeros(4), atol=1e-5))
    True
    """

    input_shapes = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C, H, W)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> import tallow
    >>> layer = tallow.nn.BatchNorm2d(3)
    >>> tuple(layer(tallow.randn(2, 3, 8, 8)).shape)
    (2, 3, 8, 8)
    >>> layer.num_batches_tracked.item()
    1
    """

    input_shapes = {4: "(N, C, H, W)"}


class BatchNorm3d(_BatchNorm):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C, D, H, W)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> import tallow
    >>> layer = tallow.nn.BatchNorm3d(3)
    >>> tuple(layer(tallow.randn(2, 3, 4, 8, 8)).shape)
    (2, 3, 4, 8, 8)
    """

    input_shapes = {5: "(N, C, D, H, W)"}


class LayerNorm(_Norm):
    """Layer normalization (Ba et al., 2016) over the last dimensions, `normalized_shape`.

    `y = (x - mean) / sqrt(variance + eps) * weight + bias` with the biased variance; weight and
    bias have the shape `normalized_shape`.

    >>> import tallow
    >>> layer = tallow.nn.LayerNorm(10)
    >>> tuple(layer(tallow.randn(20, 5, 10)).shape)
    (20, 5, 10)
    """

    def __init__(
        self,
        normalized_shape,
        eps=1e-05,
        elementwise_affine=True,
        bias=True,
        device=None,
        dtype=None,
    ):
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
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Norm):
    """Normalization by the root mean square (Zhang and Sennrich, 2019) over the last dimensions.

    `y = x / sqrt(mean(x^2) + eps) * weight`; `eps=None` is the machine epsilon of the input's
    dtype.

    >>> import tallow
    >>> layer = tallow.nn.RMSNorm(10)
    >>> tuple(layer(tallow.randn(20, 5, 10)).shape)
    (20, 5, 10)
    """

    bias = None

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

    def forward(self, input):
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Norm):
    """Group normalization (Wu and He, 2018): each sample over each group of channels.

    Shape: `(N, num_channels, ...)`; weight and bias, one for each channel, are `(num_channels,)`.

    >>> import tallow
    >>> layer = tallow.nn.GroupNorm(3, 6)
    >>> tuple(layer(tallow.randn(20, 6, 10, 10)).shape)
    (20, 6, 10, 10)
    """

    def __init__(
        self,
        num_groups,
        num_channels,
        eps=1e-05,
        affine=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
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
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


def _shape(normalized_shape):
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
