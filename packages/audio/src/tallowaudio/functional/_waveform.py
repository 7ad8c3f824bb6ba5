"""Functions of samples: companding and gain."""

import math

import tallow


def mu_law_encoding(x, quantization_channels):
    """Samples in [-1, 1] as whole numbers from 0 to `quantization_channels` - 1, finer near 0.

    sign(x) log(1 + mu |x|) / log(1 + mu), mu being one less than the channels (ITU-T G.711).

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.mu_law_encoding(tallow.tensor([-1.0, -0.01, 0.0, 0.01, 1.0]), 256)
    tensor([  0,  98, 128, 157, 255])
    """
    x = x if x.is_floating_point() else x.float()
    mu = quantization_channels - 1.0
    squeezed = x.sign() * (mu * x.abs()).log1p() / math.log1p(mu)
    return ((squeezed + 1) / 2 * mu + 0.5).to(tallow.int64)


def mu_law_decoding(x_mu, quantization_channels):
    """The inverse of `mu_law_encoding`: numbers from 0 to channels - 1 as samples in [-1, 1]."""
    x_mu = x_mu if x_mu.is_floating_point() else x_mu.float()
    mu = quantization_channels - 1.0
    x = x_mu / mu * 2 - 1.0
    return x.sign() * ((x.abs() * math.log1p(mu)).exp() - 1.0) / mu


def gain(waveform, gain_db=1.0):
    """The waveform made louder by decibels."""
    return waveform if gain_db == 0 else waveform * 10 ** (gain_db / 20)
