"""Layers that move elements between channels and space, or among channels."""

from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Layer):
    """`(..., C r^2, H, W)` to `(..., C, H r, W r)` for r = `upscale_factor` (Shi et al., 2016).

    >>> tuple(tallow.nn.PixelShuffle(3)(tallow.ones(1, 9, 4, 4)).shape)
    (1, 1, 12, 12)
    """

    shown = ("upscale_factor",)

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Layer):
    """`(..., C, H r, W r)` to `(..., C r^2, H, W)` for r = `downscale_factor`.

    >>> tuple(tallow.nn.PixelUnshuffle(3)(tallow.ones(1, 1, 12, 12)).shape)
    (1, 9, 4, 4)
    """

    shown = ("downscale_factor",)

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Layer):
    """The channels of `(N, C, ...)` of `groups` groups, interleaved (Zhang et al., 2018).

    >>> tallow.nn.ChannelShuffle(2)(tallow.arange(4.0).reshape(1, 4, 1)).flatten().tolist()
    [0.0, 2.0, 1.0, 3.0]
    """

    shown = ("groups",)

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, input):
        return F.channel_shuffle(input, self.groups)
