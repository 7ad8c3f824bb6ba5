"""Functionals and transforms: errors, warnings, empty input, and what only sound tells."""

import numpy as np
import pytest

import tallow
from tallow.errors import TallowError
from tallowaudio import functional as F
from tallowaudio import transforms as T

WAVE = tallow.sin(tallow.arange(400) * 0.3)
W = tallow.hann_window(32)

ERRORS = [
    (lambda: F.spectrogram(WAVE, 0, W, 32, 8, 32, 2.0, "all"), ValueError, "got 'all'"),
    (lambda: F.spectrogram(WAVE.long(), 0, W, 32, 8, 32, 2.0, False), RuntimeError, "got int64"),
    (lambda: T.Spectrogram(512)(WAVE[:100]), RuntimeError, "to pad with in mode 'reflect'"),
    (lambda: F.inverse_spectrogram(WAVE[None], None, 0, W, 32, 8, 32, False), ValueError,
     "a complex spectrum, got float32"),
    (lambda: F.melscale_fbanks(33, 0, 100, 5, 200, mel_scale="bark"), ValueError, "got 'bark'"),
    (lambda: F.melscale_fbanks(33, 0, 100, 5, 200, norm="l2"), ValueError, "got 'l2'"),
    (lambda: F.create_dct(3, 5, "l2"), ValueError, "got 'l2'"),
    (lambda: T.MelScale(f_min=9000.0), ValueError, "f_min <= f_max, got 9000.0 and 8000.0"),
    (lambda: T.MFCC(8000, 20, melkwargs={"n_mels": 9}), ValueError, "the 9 bands, got 20"),
    (lambda: T.LFCC(dct_type=3), ValueError, "dct_type 2, got 3"),
    (lambda: T.AmplitudeToDB(top_db=-1), ValueError, "0 or more, got -1"),
    (lambda: F.resample(WAVE, 0, 8000), ValueError, "above 0, got 0 and 8000"),
    (lambda: F.resample(WAVE, 8000.5, 8000), ValueError, "whole sample rates"),
    (lambda: F.resample(WAVE, 3, 2, resampling_method="linear"), ValueError, "got 'linear'"),
    (lambda: F.resample(WAVE, 3, 2, lowpass_filter_width=0), ValueError, "above 0, got 0"),
    (lambda: F.resample(WAVE.long(), 3, 2), TypeError, "got int64"),
    (lambda: T.Fade(fade_shape="cubic"), ValueError, "got 'cubic'"),
    (lambda: T.Fade(500)(WAVE), ValueError, "within 400 samples, got 500"),
    (lambda: T.Vol(-1), ValueError, "0 or more, got -1"),
    (lambda: T.Vol(1, "bels"), ValueError, "got 'bels'"),
    (lambda: T.TimeMasking(5, p=2), ValueError, "TimeMasking: expected p from 0 to 1, got 2"),
    (lambda: F.mask_along_axis(WAVE, 5, 0.0, 0), ValueError, "2 dims or more"),
    (lambda: F.mask_along_axis(WAVE[None, None], 5, 0.0, 0), ValueError, "of time, 2, got 0"),
    (lambda: F.mask_along_axis_iid(WAVE[None], 5, 0.0, 1), ValueError, "3 dims or more"),
    (lambda: T.TimeStretch()(WAVE), ValueError, "a fixed_rate, or a rate"),
    (lambda: T.GriffinLim(32, momentum=1.0)(tallow.ones(17, 5)), ValueError, "got 1.0"),
    (lambda: F.compute_deltas(WAVE, 2), ValueError, "3 or more, got 2"),
    (lambda: F.add_noise(WAVE, WAVE, tallow.ones(2)), ValueError, "an snr .*got float32 .2,."),
    (lambda: F.add_noise(WAVE, WAVE[1:], tallow.tensor(1.0)), ValueError, "400 samples"),
    (lambda: F.convolve(WAVE, WAVE, "half"), ValueError, "full, same, valid, got 'half'"),
    (lambda: F.fftconvolve(WAVE, WAVE[None]), RuntimeError, "as many dims"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, TallowError)


def test_empty_filters_are_warned_of():
    with pytest.warns(UserWarning, match="of 80 filters are empty"):
        F.melscale_fbanks(33, 0.0, 4000.0, 80, 8000)


@pytest.mark.parametrize(("orig", "new"), [(44100, 16000), (16000, 44100), (8000, 16000)])
def test_resampling_keeps_a_tone(orig, new):
    """A tone of 440 Hz is one afterwards, of the same height, but for the ends."""
    tone = tallow.sin(tallow.arange(orig // 4) * (2 * tallow.pi * 440 / orig))
    expected = tallow.sin(tallow.arange(new // 4) * (2 * tallow.pi * 440 / new))
    found = F.resample(tone, orig, new)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found[200:-200].numpy(), expected[200:-200].numpy(), atol=5e-3)


def test_resampling_removes_what_it_cannot_hold():
    tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 7000 / 16000))
    assert F.resample(tone, 16000, 8000)[100:-100].abs().max() < 0.01


def test_a_tone_is_found_where_it_is():
    """1,000 Hz at 8 kHz: bin 32 of 256 in the spectrogram, and the centroid."""
    tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 1000 / 8000))
    assert set(T.Spectrogram(256)(tone)[:, 5:-5].argmax(0).tolist()) == {32}
    centroid = T.SpectralCentroid(8000, 256)(tone)[5:-5]
    np.testing.assert_allclose(centroid.numpy(), 1000, rtol=0.01)


def test_griffin_lim_finds_a_waveform_with_those_magnitudes():
    noise = tallow.from_numpy(np.random.default_rng(0).normal(size=2000).astype(np.float32))
    magnitudes = T.Spectrogram(128, power=1.0)(noise)
    tallow.manual_seed(0)
    found = T.GriffinLim(128, 60, power=1.0, length=2000)(magnitudes)
    error = (T.Spectrogram(128, power=1.0)(found) - magnitudes).norm() / magnitudes.norm()
    assert error < 0.3


def test_mu_law_is_inverted():
    codes = tallow.arange(256)
    assert tallow.equal(F.mu_law_encoding(F.mu_law_decoding(codes, 256), 256), codes)


def test_empty_batches():
    assert T.Spectrogram(32)(tallow.zeros(0, 100)).shape == (0, 17, 7)
    assert F.resample(tallow.zeros(0, 100), 2, 1).shape == (0, 50)
    assert T.MelScale(4, 8000, n_stft=17)(tallow.zeros(0, 17, 5)).shape == (0, 4, 5)


def test_buffers_move_with_the_module():
    mel = T.MelSpectrogram(8000, 64, n_mels=8).double()
    assert mel(WAVE.double()).dtype is tallow.float64
    assert list(mel.state_dict()) == ["spectrogram.window", "mel_scale.fb"]
