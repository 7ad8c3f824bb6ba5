"""The transforms as functions. Waveforms are (..., time), spectrograms (..., freq, time)."""

from tallowaudio.functional._masking import mask_along_axis, mask_along_axis_iid
from tallowaudio.functional._mel import create_dct, linear_fbanks, melscale_fbanks
from tallowaudio.functional._phase import griffinlim, phase_vocoder
from tallowaudio.functional._resample import resample
from tallowaudio.functional._spectral import (
    DB_to_amplitude,
    amplitude_to_DB,
    compute_deltas,
    inverse_spectrogram,
    spectral_centroid,
    spectrogram,
)
from tallowaudio.functional._waveform import (
    add_noise,
    convolve,
    fftconvolve,
    gain,
    mu_law_decoding,
    mu_law_encoding,
    preemphasis,
)

__all__ = [
    "DB_to_amplitude", "add_noise", "amplitude_to_DB", "compute_deltas", "convolve", "create_dct",
    "fftconvolve", "gain", "griffinlim", "inverse_spectrogram", "linear_fbanks",
    "mask_along_axis", "mask_along_axis_iid", "melscale_fbanks", "mu_law_decoding",
    "mu_law_encoding", "phase_vocoder", "preemphasis", "resample", "spectral_centroid",
    "spectrogram",
]  # fmt: skip
