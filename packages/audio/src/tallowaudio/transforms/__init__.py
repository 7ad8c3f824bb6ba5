"""Transforms of waveforms (..., time) and spectrograms (..., freq, time), as modules."""

from tallowaudio.transforms._spectral import (
    LFCC,
    MFCC,
    AmplitudeToDB,
    InverseSpectrogram,
    MelScale,
    MelSpectrogram,
    Spectrogram,
)
from tallowaudio.transforms._waveform import Fade, MuLawDecoding, MuLawEncoding, Resample, Vol

__all__ = [
    "AmplitudeToDB", "Fade", "InverseSpectrogram", "LFCC", "MFCC", "MelScale", "MelSpectrogram",
    "MuLawDecoding", "MuLawEncoding", "Resample", "Spectrogram", "Vol",
]  # fmt: skip
