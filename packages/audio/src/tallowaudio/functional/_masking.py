"""Bands of frequencies or spans of time covered at random (Park et al., SpecAugment, 2019)."""

import tallow
from tallow.errors import ArgumentError, describe


def _longest(name, specgram, mask_param, axis, p, ndim):
    """The longest mask, after checks; axis is that of frequency or of time."""
    if specgram.ndim < ndim:
        raise ArgumentError(f"{name}: expected {ndim} dims or more, got {describe(specgram)}")
    if axis not in (specgram.ndim - 2, specgram.ndim - 1):
        raise ArgumentError(
            f"{name}: expected the axis of frequency, {specgram.ndim - 2}, or of time, "
            f"{specgram.ndim - 1}, got {axis}"
        )
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: expected p from 0 to 1, got {p}")
    return mask_param if p == 1 else min(mask_param, int(specgram.shape[axis] * p))


def _covered(specgram, axis, length, start, value):
    """The spectrogram with `value` in the places from start on, `length` of them, rounded down.

    Both are tensors that broadcast to (..., 1).
    """
    start = start.long()
    place = tallow.arange(specgram.shape[axis], device=specgram.device)
    mask = (place >= start) & (place < start + length.long())
    mask = mask[..., None, :] if axis == specgram.ndim - 1 else mask[..., :, None]
    return specgram.masked_fill(mask, value)


def mask_along_axis(specgram, mask_param, mask_value, axis, p=1.0):
    """One span of an axis covered with `mask_value`, the same in all of (..., freq, time).

    Its length is drawn below `mask_param`, and below the part `p` of the axis; `axis` is that of
    frequency or of time.
    """
    longest = _longest("mask_along_axis", specgram, mask_param, axis, p, 2)
    if longest < 1:
        return specgram
    length = tallow.rand(1) * longest
    start = tallow.rand(1) * (specgram.shape[axis] - length)
    length, start = length.to(specgram.device), start.to(specgram.device)
    return _covered(specgram, axis, length, start, mask_value)


def mask_along_axis_iid(specgrams, mask_param, mask_value, axis, p=1.0):
    """As `mask_along_axis`, with another span in each spectrogram of (..., freq, time)."""
    longest = _longest("mask_along_axis_iid", specgrams, mask_param, axis, p, 3)
    if longest < 1:
        return specgrams
    lead, options = specgrams.shape[:-2], {"dtype": specgrams.dtype, "device": specgrams.device}
    length = tallow.rand(lead, **options) * longest
    start = tallow.rand(lead, **options) * (specgrams.shape[axis] - length)
    return _covered(specgrams, axis, length[..., None], start[..., None], mask_value)
