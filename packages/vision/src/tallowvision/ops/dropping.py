"""Noise for training: residual branches and blocks of feature maps left out at random."""

import tallow
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn import Module
from tallow.nn import functional as F


def _check_probability(name, p):
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{name}: expected p from 0 to 1, got {p}")


def stochastic_depth(input, p, mode, training=True):
    """0 in place of the input with probability `p`, else the input over 1 - p.

    `mode` says of what: "batch" all of it, "row" each sample. Huang et al., "Deep networks with
    stochastic depth" (2016).
    """
    _check_probability("stochastic_depth", p)
    if mode not in ("batch", "row"):
        raise ArgumentError(f"stochastic_depth: expected mode 'batch' or 'row', got {mode!r}")
    if not training or p == 0.0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    shape = (rows, *(1,) * (input.ndim - 1))
    noise = tallow.empty(shape, dtype=input.dtype, device=input.device).bernoulli_(1.0 - p)
    return input * (noise / (1.0 - p) if p < 1.0 else noise)


class StochasticDepth(Module):
    """`stochastic_depth` as a module."""

    def __init__(self, p, mode):
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input):
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self):
        return f"p={self.p}, mode={self.mode}"


def drop_block2d(input, p, block_size, inplace=False, eps=1e-6, training=True):
    """Squares of (N, C, H, W) set to 0, so that about `p` of it goes; the rest is scaled up.

    Ghiasi et al., "DropBlock" (2018).
    """
    return _drop_block("drop_block2d", input, p, block_size, inplace, eps, training, 2)


def drop_block3d(input, p, block_size, inplace=False, eps=1e-6, training=True):
    """Cubes of (N, C, D, H, W) set to 0, so that about `p` of it goes; the rest is scaled up."""
    return _drop_block("drop_block3d", input, p, block_size, inplace, eps, training, 3)


def _drop_block(name, input, p, block_size, inplace, eps, training, dims):
    _check_probability(name, p)
    if input.ndim != dims + 2:
        raise ShapeError(f"{name}: expected {dims + 2} dims, got {describe(input)}")
    if not training or p == 0.0:
        return input
    size = input.shape[2:]
    block = min(block_size, *size)
    if block % 2 == 0:
        raise ArgumentError(f"{name}: expected an odd block size, got {block}")
    rate, places = p / block**dims, [n - block + 1 for n in size]
    for n, count in zip(size, places, strict=True):
        rate *= n / count
    centres = tallow.empty(
        *input.shape[:2], *places, dtype=input.dtype, device=input.device
    ).bernoulli_(rate)
    pool = F.max_pool2d if dims == 2 else F.max_pool3d
    half = block // 2
    kept = 1 - pool(F.pad(centres, [half] * 2 * dims), block, 1, half)
    scale = kept.numel() / (eps + kept.sum())
    return input.mul_(kept).mul_(scale) if inplace else input * kept * scale


class DropBlock2d(Module):
    """`drop_block2d` as a module."""

    function = staticmethod(drop_block2d)

    def __init__(self, p, block_size, inplace=False, eps=1e-6):
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input):
        return self.function(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def extra_repr(self):
        return f"p={self.p}, block_size={self.block_size}, inplace={self.inplace}"


class DropBlock3d(DropBlock2d):
    """`drop_block3d` as a module."""

    function = staticmethod(drop_block3d)
