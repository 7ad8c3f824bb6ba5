"""Transforms of waveforms (..., time) and spectrograms (..., freq, time), as modules."""

from tallowaudio.transforms._bands import (
    BarkScale,
    BarkSpectrogram,
    ChromaScale,
    ChromaSpectrogram,
)
from tallowaudio.transforms._channels import MVDR, PSD, RTFMVDR, SoudenMVDR
from tallowaudio.transforms._losses import RNNTLoss
from tallowaudio.transforms._masking import FrequencyMasking, SpecAugment, TimeMasking
from tallowaudio.transforms._spectral import (
    LFCC,
    MFCC,
    AmplitudeToDB,
    ComputeDeltas,
    GriffinLim,
    InverseMelScale,
    InverseSpectrogram,
    MelScale,
    MelSpectrogram,
    SlidingWindowCmn,
    SpectralCentroid,
    Spectrogram,
    TimeStretch,
)
from tallowaudio.transforms._waveform import (
    AddNoise,
    Convolve,
    Deemphasis,
    Fade,
    FFTConvolve,
    Loudness,
    MuLawDecoding,
    MuLawEncoding,
    PitchShift,
    Preemphasis,
    Resample,
    Speed,
    SpeedPerturbation,
    Vad,
    Vol,
)

__all__ = [
    "AddNoise", "AmplitudeToDB", "BarkScale", "BarkSpectrogram", "ChromaScale",
    "ChromaSpectrogram", "ComputeDeltas", "Convolve", "Deemphasis", "FFTConvolve", "Fade",
    "FrequencyMasking", "GriffinLim", "InverseMelScale", "InverseSpectrogram", "LFCC",
    "Loudness", "MFCC", "MVDR", "MelScale", "MelSpectrogram", "MuLawDecoding", "MuLawEncoding",
    "PSD", "PitchShift", "Preemphasis", "RNNTLoss", "RTFMVDR", "Resample", "SlidingWindowCmn",
    "SoudenMVDR", "SpecAugment", "SpectralCentroid", "Spectrogram", "Speed",
    "SpeedPerturbation", "TimeMasking", "TimeStretch", "Vad", "Vol",
]  # fmt: skip
