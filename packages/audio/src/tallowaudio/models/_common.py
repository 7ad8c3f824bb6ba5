"""What several models need: masks of padding, activations, checks of sounds."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


def padding_mask(lengths, width=None):
    """Where a batch of sequences is padding: (N, width), the longest length unless told."""
    width = int(lengths.max()) if width is None else width
    return tallow.arange(width, device=lengths.device) >= lengths[:, None]


def activation(name, known):
    """The module of an activation's name, one of those `known`."""
    if name not in known:
        raise ArgumentError(f"activation: expected one of {', '.join(known)}, got {name!r}")
    return _ACTIVATIONS[name]()


def check_lengths(name, lengths, batch, longest):
    """That `lengths` (N,) fit a batch of sequences of `longest` steps."""
    if lengths.shape != (batch,) or int(lengths.max()) > longest or int(lengths.min()) < 0:
        raise ShapeError(
            f"{name}: expected lengths ({batch},) from 0 to {longest}, got {lengths.tolist()}"
        )


def check_waveforms(name, waveforms, shape="(N, time)", channels=None, shortest=1):
    """That waveforms have the dimensions that `shape` shows, the channels, and enough samples."""
    fits = waveforms.ndim == shape.count(",") + 1
    if fits and channels is not None:
        fits = waveforms.shape[1] == channels
    if not fits:
        of = "" if channels is None else f" of {channels} channel(s)"
        raise ShapeError(f"{name}: expected waveforms {shape}{of}, got {describe(waveforms)}")
    if waveforms.shape[-1] < shortest:
        raise ShapeError(
            f"{name}: expected {shortest} samples or more, which is what one frame looks at, got "
            f"{waveforms.shape[-1]}; pad the sound"
        )
