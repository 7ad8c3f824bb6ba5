"""Dropout: in training, some of the input is set to zero at random."""

from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Layer):
    shown = ("p", "inplace")

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(
                f"{type(self).__name__}: expected a probability p from 0 to 1, got {p}"
            )
        self.p = p
        self.inplace = inplace

    def forward(self, input):
        return self.function(input, self.p, self.training, self.inplace)


class Dropout(_DropoutNd, function=F.dropout):
    """In training each element is zero with probability `p`, the others are scaled by 1 / (1 - p).

    In evaluation it is the identity (Srivastava et al., 2014). Any shape.

    >>> layer = tallow.nn.Dropout(0.2)
    >>> layer.eval()(tallow.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """


class Dropout1d(_DropoutNd, function=F.dropout1d):
    """In training each channel of `(N, C, L)` or `(C, L)` is zero as a whole with probability `p`.

    >>> layer = tallow.nn.Dropout1d(1.0)
    >>> layer(tallow.ones(1, 2, 2)).tolist()
    [[[0.0, 0.0], [0.0, 0.0]]]
    """


class Dropout2d(_DropoutNd, function=F.dropout2d):
    """In training each channel of `(N, C, H, W)` is zero as a whole with probability `p`.

    >>> layer = tallow.nn.Dropout2d(0.5)
    >>> tuple(layer(tallow.ones(2, 3, 8, 8)).shape)
    (2, 3, 8, 8)
    """


class Dropout3d(_DropoutNd, function=F.dropout3d):
    """In training each channel of `(N, C, D, H, W)` or `(C, D, H, W)` is zero with probability `p`.

    >>> layer = tallow.nn.Dropout3d(0.5)
    >>> tuple(layer(tallow.ones(2, 3, 4, 8, 8)).shape)
    (2, 3, 4, 8, 8)
    """


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean 0 and variance 1, for `SELU` (Klambauer et al., 2017).

    >>> layer = tallow.nn.AlphaDropout(0.2)
    >>> layer.eval()(tallow.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input):
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels of `(N, C, ...)`.

    >>> layer = tallow.nn.FeatureAlphaDropout(0.2)
    >>> tuple(layer(tallow.ones(2, 3, 8)).shape)
    (2, 3, 8)
    """

    def forward(self, input):
        return F.feature_alpha_dropout(input, self.p, self.training)
