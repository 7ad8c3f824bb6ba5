"""The transforms as functions. Waveforms are (..., time), spectrograms (..., freq, time)."""

from tallowaudio.functional._mel import create_dct, linear_fbanks, melscale_fbanks
from tallowaudio.functional._resample import resample
from tallowaudio.functional._spectral import (
    DB_to_amplitude,
    amplitude_to_DB,
    inverse_spectrogram,
    spectrogram,
)
from tallowaudio.functional._waveform import gain, mu_law_decoding, mu_law_encoding

__all__ = [
    "DB_to_amplitude", "amplitude_to_DB", "create_dct", "gain", "inverse_spectrogram",
    "linear_fbanks", "melscale_fbanks", "mu_law_decoding", "mu_law_encoding", "resample",
    "spectrogram",
]  # fmt: skip
