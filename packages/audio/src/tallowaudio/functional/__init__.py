"""The transforms as functions. Waveforms are (..., time), spectrograms (..., freq, time)."""

from tallowaudio.functional._analysis import (
    detect_pitch_frequency,
    frechet_distance,
    loudness,
    sliding_window_cmn,
)
from tallowaudio.functional._bands import barkscale_fbanks, chroma_filterbank
from tallowaudio.functional._beamforming import (
    apply_beamforming,
    mvdr_weights_rtf,
    mvdr_weights_souden,
    psd,
    rtf_evd,
    rtf_power,
)
from tallowaudio.functional._effects import contrast, dcshift, dither, flanger, overdrive, phaser
from tallowaudio.functional._filters import (
    allpass_biquad,
    band_biquad,
    bandpass_biquad,
    bandreject_biquad,
    bass_biquad,
    biquad,
    deemph_biquad,
    deemphasis,
    equalizer_biquad,
    filtfilt,
    highpass_biquad,
    lfilter,
    lowpass_biquad,
    riaa_biquad,
    treble_biquad,
)
from tallowaudio.functional._masking import mask_along_axis, mask_along_axis_iid
from tallowaudio.functional._mel import create_dct, linear_fbanks, melscale_fbanks
from tallowaudio.functional._phase import griffinlim, phase_vocoder, pitch_shift
from tallowaudio.functional._resample import resample, speed
from tallowaudio.functional._sequences import (
    TokenSpan,
    edit_distance,
    forced_align,
    merge_tokens,
    rnnt_loss,
)
from tallowaudio.functional._spectral import (
    DB_to_amplitude,
    amplitude_to_DB,
    compute_deltas,
    inverse_spectrogram,
    spectral_centroid,
    spectrogram,
)
from tallowaudio.functional._vad import vad
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
    "DB_to_amplitude", "TokenSpan", "add_noise", "allpass_biquad", "amplitude_to_DB",
    "apply_beamforming", "band_biquad", "bandpass_biquad", "bandreject_biquad",
    "barkscale_fbanks", "bass_biquad", "biquad", "chroma_filterbank", "compute_deltas",
    "contrast", "convolve", "create_dct", "dcshift", "deemph_biquad", "deemphasis",
    "detect_pitch_frequency", "dither", "edit_distance", "equalizer_biquad", "fftconvolve",
    "filtfilt", "flanger", "forced_align", "frechet_distance", "gain", "griffinlim",
    "highpass_biquad", "inverse_spectrogram", "lfilter", "linear_fbanks", "loudness",
    "lowpass_biquad", "mask_along_axis", "mask_along_axis_iid", "melscale_fbanks",
    "merge_tokens", "mu_law_decoding", "mu_law_encoding", "mvdr_weights_rtf",
    "mvdr_weights_souden", "overdrive", "phase_vocoder", "phaser", "pitch_shift", "preemphasis",
    "psd", "resample", "riaa_biquad", "rnnt_loss", "rtf_evd", "rtf_power", "sliding_window_cmn",
    "spectral_centroid", "spectrogram", "speed", "treble_biquad", "vad",
]  # fmt: skip
