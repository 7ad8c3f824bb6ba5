"""Functionals and transforms: errors, warnings, empty input, and what only sound tells."""

import numpy as np
import pytest

import tallow
from tallow.autograd import gradcheck, gradgradcheck
from tallow.errors import TallowError
from tallowaudio import functional as F
from tallowaudio import transforms as T
from tallowaudio.compliance import kaldi

WAVE = tallow.sin(tallow.arange(400) * 0.3)
W = tallow.hann_window(32)
SPECTRUM = tallow.ones(2, 4, 5, dtype=tallow.complex64)  # (channel, freq, time)
PSD = tallow.ones(4, 2, 2, dtype=tallow.complex64)
JOINT, L = tallow.zeros(2, 4, 3, 5), tallow.ones(2, 2, dtype=tallow.int64)

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
    (lambda: F.lfilter(WAVE, tallow.ones(2), tallow.ones(3)), ValueError, "of one shape"),
    (lambda: F.lfilter(WAVE, tallow.ones(2, 2), tallow.ones(2, 2)), ValueError, "for each filter"),
    (lambda: F.lfilter(WAVE.long(), tallow.ones(2), tallow.ones(2)), RuntimeError, "got int64"),
    (lambda: F.deemph_biquad(WAVE, 8000), ValueError, "of 44100, 48000 Hz, got 8000"),
    (lambda: F.riaa_biquad(WAVE, 8000), ValueError, "got 8000"),
    (lambda: F.contrast(WAVE, 101), ValueError, "from 0 to 100, got 101"),
    (lambda: F.dither(WAVE, "XPDF"), ValueError, "got 'XPDF'"),
    (lambda: F.flanger(WAVE, 8000), ValueError, "up to 4 channels, got float32 .400,."),
    (lambda: F.flanger(WAVE[None], 8000, regen=100), ValueError, "got 100"),
    (lambda: F.flanger(WAVE[None], 8000, modulation="square"), ValueError, "got 'square'"),
    (lambda: F.phaser(WAVE, 8000, delay_ms=0), ValueError, "a sample or more, got 0"),
    (lambda: F.loudness(WAVE, 8000), ValueError, "up to 5 channels"),
    (lambda: F.loudness(WAVE[None], 8000), ValueError, "3200 samples, or more, got 400"),
    (lambda: F.detect_pitch_frequency(WAVE, 8000), ValueError, "16 frames or more, got 5"),
    (lambda: F.frechet_distance(WAVE, WAVE, WAVE, WAVE), ValueError, "covariances .N, N.,"),
    (lambda: F.vad(WAVE, 80), ValueError, "a band of frequencies"),
    (lambda: T.InverseMelScale(33, 8)(tallow.ones(9, 5)), ValueError, "8 mel bands, got"),
    (lambda: F.psd(SPECTRUM, tallow.ones(2, 4)), ValueError, "a mask .*got float32 .2, 4."),
    (lambda: F.mvdr_weights_souden(PSD, PSD[0], 0), ValueError, "expected covariances"),
    (lambda: F.mvdr_weights_souden(PSD.real, PSD, 0), TypeError, "complex covariances"),
    (lambda: F.mvdr_weights_souden(PSD, PSD, 1.5), TypeError, "an int or a tensor, got 1.5"),
    (lambda: F.mvdr_weights_rtf(PSD, PSD), ValueError, "a complex rtf .4, 2., got"),
    (lambda: F.rtf_power(PSD, PSD, 0, 0), ValueError, "n_iter above 0, got 0"),
    (lambda: F.apply_beamforming(PSD, SPECTRUM), ValueError, "expected weights"),
    (lambda: F.apply_beamforming(PSD.real, SPECTRUM), TypeError, "complex weights"),
    (lambda: T.MVDR(solution="best"), ValueError, "got 'best'"),
    (lambda: T.MVDR()(SPECTRUM.real, WAVE), ValueError, "MVDR: expected a complex"),
    (lambda: F.rnnt_loss(JOINT, L[:, :1], L[0], L[0]), ValueError, "targets .N, S., got"),
    (lambda: F.rnnt_loss(JOINT, L, L[0] + 9, L[0]), ValueError, "logit_lengths .N,. from 1 to 4"),
    (lambda: F.rnnt_loss(JOINT, L, L[0], L[0] + 9), ValueError, "target_lengths .N,. from 0 to 2"),
    (lambda: F.rnnt_loss(JOINT, L, L[0], L[0], reduction="max"), ValueError, "got 'max'"),
    (lambda: F.forced_align(JOINT[0], L[:1]), ValueError, ".1, T, classes."),
    (lambda: F.forced_align(JOINT[:1, :, 0], L[:1] * 0), ValueError, "without the blank 0, got"),
    (lambda: F.forced_align(JOINT[:1, :2, 0], L[:1]), ValueError, "3 frames or more for 2 targets"),
    (lambda: kaldi.fbank(WAVE), ValueError, "fbank: expected a waveform .channels, time."),
    (lambda: kaldi.spectrogram(WAVE[None, :99]), ValueError, "of 2 to 99 samples.* got 400"),
    (lambda: kaldi.fbank(WAVE[None], window_type="tukey"), ValueError, "got 'tukey'"),
    (lambda: kaldi.fbank(WAVE[None], preemphasis_coefficient=2), ValueError, "from 0 to 1, got"),
    (lambda: kaldi.fbank(WAVE[None], num_mel_bins=2), ValueError, "4 bins or more"),
    (lambda: kaldi.fbank(WAVE[None], vtln_warp=1.1, vtln_low=10.0), ValueError, "got 10.0 and"),
    (lambda: kaldi.vtln_warp_freq(5, 90, 20, 99, 1.1, WAVE), ValueError, "between 20 and 99 Hz"),
    (lambda: kaldi.mfcc(WAVE[None], num_ceps=30), ValueError, "the 23 mel bins, got 30"),
    (lambda: F.merge_tokens(WAVE, WAVE[1:]), ValueError, "scores .T,., got"),
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


SMOOTH = tallow.tensor([[0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.6, -0.1] * 2], dtype=tallow.float64)
GRADIENTS = {
    "lfilter": (lambda x, b, a: F.lfilter(x, a, b, clamp=False), SMOOTH,
                [0.4, 0.1, 0.3], [1.3, -0.5, 0.2]),
    "filtfilt": (lambda x, b, a: F.filtfilt(x, a, b, clamp=False), SMOOTH, [0.4, 0.1], [1.3, -0.5]),
    "lowpass": (lambda x, f, q: F.lowpass_biquad(x, 8000, f, q), SMOOTH, 900.0, 0.7),
    "treble": (lambda x, g, f: F.treble_biquad(x * 0.1, 8000, g, f), SMOOTH, 3.0, 900.0),
    "overdrive": (lambda x: F.overdrive(x * 0.3, 3, 10), SMOOTH),
    "phaser": (lambda x: F.phaser(x, 2000), SMOOTH),
    "flanger": (lambda x: F.flanger(x, 2000, regen=10.0), SMOOTH[:, :9]),
    "dcshift": (lambda x: F.dcshift(x * 0.9, 0.5, 0.1), SMOOTH),
    "cmn": (lambda x: F.sliding_window_cmn(x.reshape(8, 2), 4, 3, norm_vars=True), SMOOTH),
    "rnnt": (lambda x: F.rnnt_loss(x.reshape(1, 2, 2, 4), L[:1, :1], L[0, :1] + 1, L[0, :1]),
             SMOOTH),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    """By waveforms, coefficients and settings, of both orders."""
    function, *values = GRADIENTS[name]
    leaves = [tallow.as_tensor(v, dtype=tallow.float64).clone().requires_grad_() for v in values]
    assert gradcheck(function, leaves) and gradgradcheck(function, leaves)


def test_filters_of_a_tone():
    """Above and below a cut at 1 kHz: 250 Hz and 4 kHz, two octaves away, are 24 dB apart."""
    t = tallow.arange(16000) / 16000

    def level(wave):
        return 20 * wave[8000:].square().mean().sqrt().log10()

    for frequency, low, high in ((250, 0, -24), (4000, -24, 0)):
        tone = (t * (2 * tallow.pi * frequency)).sin() / 2
        for name, change in (("lowpass", low), ("highpass", high)):
            passed = getattr(F, f"{name}_biquad")(tone, 16000, 1000.0)
            assert abs(level(passed) - level(tone) - change) < 5, (name, frequency)


def test_loudness_of_the_standard():
    """ITU-R BS.1770-4: a sine of 997 Hz at full scale has -3.01 LKFS, at 1/10 20 less."""
    tone = tallow.sin(tallow.arange(96000) * (2 * tallow.pi * 997 / 48000))[None]
    for scale, expected in ((1, -3.01), (0.1, -23.01)):
        assert abs(F.loudness(tone * scale, 48000) - expected) < 0.05
    assert abs(F.loudness(tone.expand(2, -1), 48000)) < 0.05


def test_inputs_are_not_changed():
    before = WAVE.clone()
    F.dcshift(WAVE, 0.5, 0.05), F.dither(WAVE, "GPDF"), F.overdrive(WAVE), F.phaser(WAVE, 8000)
    assert tallow.equal(WAVE, before)


def test_flanger_is_its_recurrence():
    """Against the recurrence, sample by sample."""
    x = np.random.default_rng(0).uniform(-0.3, 0.3, 300)
    found = F.flanger(tallow.from_numpy(x)[None], 1000, 3.0, 10.0, 60.0, 50.0, 2.0)[0].numpy()
    size, low = 15, 3.0
    swing = np.sin(np.arange(500) / 500 * 2 * np.pi + 3 * np.pi / 2)
    delays = ((swing + 1) / 2 * (size - 2 - low) + low).astype(np.float32)
    fed, late, expected = np.zeros(300), 0.0, np.zeros(300)
    for i in range(300):
        fed[i] = x[i] + 0.6 * late
        whole = int(delays[i])
        part = delays[i] - whole
        a, b = (fed[i - lag] if i >= lag else 0.0 for lag in (whole, whole + 1))
        late = a + (b - a) * part
        expected[i] = x[i] / 1.5 + late * (0.5 / 1.5 * 0.4)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_transducer_is_a_sum_over_paths():
    """Three frames and two labels: the six orders of labels among blanks, listed."""
    rng = np.random.default_rng(0)
    logits = tallow.from_numpy(rng.normal(size=(1, 3, 3, 4)))
    scores, targets = logits.log_softmax(-1)[0].numpy(), [1, 2]
    total = 0.0
    for first in range(3):
        for second in range(first, 3):
            path, place = 0.0, 0
            for frame in range(3):
                while place < 2 and (first, second)[place] == frame:
                    path += scores[frame, place, targets[place]]
                    place += 1
                path += scores[frame, place, 0]
            total += np.exp(path)
    found = F.rnnt_loss(logits, tallow.tensor([targets]), L[0, :1] + 2, L[0, :1] + 1, blank=0)
    np.testing.assert_allclose(found.item(), -np.log(total))


def test_resampling_by_large_coprime_rates():
    """16,000 phases, as pitch_shift has: in little memory, and right."""
    tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 440 / 16951))
    found = F.resample(tone, 16951, 16000)
    expected = tallow.sin(tallow.arange(len(found)) * (2 * tallow.pi * 440 / 16000))
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=5e-3)


def test_mask_of_noise_is_warned_of():
    spectrum = tallow.randn(3, 4, 9, dtype=tallow.complex64)
    with pytest.warns(UserWarning, match="1 - mask_s is taken"):
        T.MVDR()(spectrum, tallow.rand(4, 9))


def test_vad_of_a_batch_is_warned_of():
    with pytest.warns(UserWarning, match="got 3 dims"):
        F.vad(tallow.zeros(1, 1, 2000), 8000)
