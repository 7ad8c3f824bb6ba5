"""Transforms of waveforms (..., time) and spectrograms (..., freq, time), as modules."""

from tallowaudio.transforms._masking import FrequencyMasking, SpecAugment, TimeMasking
from tallowaudio.transforms._spectral import (
    LFCC,
    MFCC,
    AmplitudeToDB,
    ComputeDeltas,
    GriffinLim,
    InverseSpectrogram,
    MelScale,
    MelSpectrogram,
    SpectralCentroid,
    Spectrogram,
    TimeStretch,
)
from tallowaudio.transforms._waveform import (
    AddNoise,
    Convolve,
    Fade,
    FFTConvolve,
    MuLawDecoding,
    MuLawEncoding,
    Preemphasis,
    Resample,
    Vol,
)

__all__ = [
    "AddNoise", "AmplitudeToDB", "ComputeDeltas", "Convolve", "FFTConvolve", "Fade",
    "FrequencyMasking", "GriffinLim", "InverseSpectrogram", "LFCC", "MFCC", "MelScale",
    "MelSpectrogram", "MuLawDecoding", "MuLawEncoding", "Preemphasis", "Resample", "SpecAugment",
    "SpectralCentroid", "Spectrogram", "TimeMasking", "TimeStretch", "Vol",
]  # fmt: skip
