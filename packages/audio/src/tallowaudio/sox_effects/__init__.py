"""Chains of effects, written as SoX's command line has them, without SoX.

>>> import tallow
>>> from tallowaudio import sox_effects
>>> wave = tallow.sin(tallow.arange(8000) * 0.3)[None] / 8
>>> effects = [["lowpass", "300"], ["gain", "-n", "-6"], ["trim", "0.5"]]
>>> wave, rate = sox_effects.apply_effects_tensor(wave, 8000, effects)
>>> wave.shape, rate, round(wave.abs().max().item(), 2)
(tallow.Size([1, 4000]), 8000, 0.42)
"""

from tallow.errors import ArgumentError, describe
from tallowaudio._load import load
from tallowaudio.sox_effects._arguments import Given
from tallowaudio.sox_effects._effects import EFFECTS

__all__ = [
    "apply_effects_file", "apply_effects_tensor", "effect_names", "init_sox_effects",
    "shutdown_sox_effects",
]  # fmt: skip


def effect_names():
    """The effects that there are, sorted."""
    return sorted(EFFECTS)


def apply_effects_tensor(tensor, sample_rate, effects, channels_first=True):
    """A waveform (channels, time) through effects, and its sample rate in Hz afterwards.

    `effects` is a list of lists of strings: a name and what follows it. As in SoX, what goes beyond
    -1 and 1 is cut after each effect. Raises ArgumentError for what an effect does not take.
    """
    if tensor.ndim != 2 or not tensor.is_floating_point():
        raise ArgumentError(
            f"apply_effects_tensor: expected a floating-point waveform of two dims, got "
            f"{describe(tensor)}"
        )
    if sample_rate <= 0:
        raise ArgumentError(
            f"apply_effects_tensor: expected a sample rate above 0 Hz, got {sample_rate}"
        )
    samples = (tensor if channels_first else tensor.T).double()
    for name, *arguments in effects:
        if name not in EFFECTS:
            raise ArgumentError(
                f"apply_effects_tensor: expected effects of {', '.join(effect_names())}, got "
                f"{name!r}"
            )
        given = Given(name, list(map(str, arguments)), sample_rate, samples.shape[1])
        samples, sample_rate = EFFECTS[name](samples, given)
        given.check_all_taken()
        samples = samples.clamp(-1, 1)
    samples = samples.to(tensor.dtype)
    return samples if channels_first else samples.T, sample_rate


def apply_effects_file(path, effects, normalize=True, channels_first=True, format=None):
    """The waveform of a file, (channels, time), through effects, and its sample rate in Hz.

    Without `normalize`, integers are given back as integers of their own range. `format` is taken
    for compatibility: the content of the file says what it is.
    """
    waveform, rate = load(path)
    waveform, rate = apply_effects_tensor(waveform, rate, effects)
    if not normalize:
        dtype = load(path, num_frames=0, normalize=False)[0].dtype
        if not dtype.is_floating_point:
            top = 2 ** (8 * dtype.itemsize - 1)
            middle = 128 if dtype.itemsize == 1 else 0
            waveform = (waveform.double() * top).round().clamp(-top, top - 1) + middle
        waveform = waveform.to(dtype)
    return waveform if channels_first else waveform.T, rate


def init_sox_effects():
    """Nothing: there is nothing to set up."""


def shutdown_sox_effects():
    """Nothing: there is nothing to take down."""
