"""Samples in the forms that files hold them in, as NumPy arrays (frames, channels).

Integers use the whole range of their dtype: 24-bit samples are int32 whose last byte is 0.
"""

import numpy as np

from tallow.errors import ArgumentError


def as_float32(samples):
    """Samples of any form as float32, in [-1, 1) for integers."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(2 ** (8 * samples.itemsize - 1))
    return samples.astype(np.float32, copy=False)


def check_numbers(samples):
    """ArgumentError if some samples are NaN."""
    count = int(np.isnan(samples).sum())
    if count:
        raise ArgumentError(
            f"save: expected numbers, got {count} samples that are NaN; save as floats (PCM_F), or "
            "use nan_to_num first"
        )


def as_int32(samples):
    """Samples of any form as int32; floats beyond [-1, 1] are clipped."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.int32) - 128) << 24
    if samples.dtype.kind == "i":
        return samples.astype(np.int32) << 8 * (4 - samples.itemsize)
    check_numbers(samples)
    scaled = np.rint(samples.astype(np.float64) * 2**31)
    return np.clip(scaled, -(2**31), 2**31 - 1).astype(np.int32)


def _mu_law():
    """The 256 values of mu-law, as int16 (ITU-T G.711)."""
    code = ~np.arange(256, dtype=np.uint8)
    sign, exponent, mantissa = code >> 7, (code >> 4) & 7, code & 15
    size = (((2 * mantissa.astype(np.int32) + 33) << exponent) - 33) << 2
    return np.where(sign, -size, size).astype(np.int16)


def _a_law():
    """The 256 values of A-law, as int16 (ITU-T G.711)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    sign, exponent, mantissa = code >> 7, (code >> 4) & 7, (code & 15).astype(np.int32)
    size = np.where(
        exponent, (2 * mantissa + 33) << np.maximum(exponent.astype(np.int32) - 1, 0),
        2 * mantissa + 1,
    ) << 3  # fmt: skip
    return np.where(sign, size, -size).astype(np.int16)


LAWS = {"ULAW": _mu_law(), "ALAW": _a_law()}


def encode_law(samples, encoding):
    """The codes, uint8, of the values nearest to the samples."""
    values = LAWS[encoding]
    order = np.argsort(values, kind="stable")
    middles = (values[order][1:].astype(np.int32) + values[order][:-1]) / 2
    return order[np.searchsorted(middles, as_int32(samples) / 65536)].astype(np.uint8)
