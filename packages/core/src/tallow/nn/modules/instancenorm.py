"""Instance normalization."""

from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.modules.batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """Normalization of each channel of each sample over its positions (Ulyanov et al., 2016).

    By the sample's own statistics; in evaluation by running averages, if `track_running_stats`.
    """

    may_lack_batch = True

    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False,
        device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input):
        self._check_dimensions(input)
        single = input.ndim == min(self.input_shapes)
        channels = input.shape[0 if single else 1]
        if self.affine and channels != self.num_features:
            raise ArgumentError(
                f"{type(self).__name__}: expected {self.num_features} channels, got {channels}"
            )
        out = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm, input_shapes={2: "(C, L)", 3: "(N, C, L)"}):
    """Normalization of each channel of each signal `(N, C, L)` or `(C, L)` over its positions.

    >>> tuple(tallow.nn.InstanceNorm1d(3)(tallow.randn(2, 3, 8)).shape)
    (2, 3, 8)
    """


class InstanceNorm2d(_InstanceNorm, input_shapes={3: "(C, H, W)", 4: "(N, C, H, W)"}):
    """Normalization of each channel of each image `(N, C, H, W)` or `(C, H, W)`.

    >>> tuple(tallow.nn.InstanceNorm2d(3)(tallow.randn(2, 3, 8, 8)).shape)
    (2, 3, 8, 8)
    """


class InstanceNorm3d(_InstanceNorm, input_shapes={4: "(C, D, H, W)", 5: "(N, C, D, H, W)"}):
    """Normalization of each channel of each volume `(N, C, D, H, W)` or `(C, D, H, W)`.

    >>> tuple(tallow.nn.InstanceNorm3d(3)(tallow.randn(2, 3, 4, 8, 8)).shape)
    (2, 3, 4, 8, 8)
    """
