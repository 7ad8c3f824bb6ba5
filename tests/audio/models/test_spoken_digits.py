"""The classifier of spoken digits that comes with the package."""

import numpy as np
import pytest

import tallow
from tallow.utils.download import digest_of
from tallowaudio import functional as F
from tallowaudio.models.spoken_digits import DigitClassifier, DigitFeatures, centred
from tallowaudio.pipelines import SPOKEN_DIGITS

# Its scores of `hum()`, recorded when it was trained.
SCORES = [
    -0.6201, 0.2887, -4.7895, 0.0562, 0.7578, -0.8727, -0.1972, -4.4714, -0.4006,
    -2.6575,
]  # fmt: skip


def hum(rate=8000, seconds=0.7):
    """A vowel-like sound, (1, time), whose pitch and colour change."""
    t = np.arange(int(rate * seconds)) / rate
    pitch = 110 + 60 * t
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    wave = sum(np.sin(k * phase) / (1 + abs(k - 5 - 8 * t)) for k in range(1, 24))
    return tallow.from_numpy((wave * np.hanning(len(t)) / 12).astype(np.float32))[None]


def test_weights_are_those_that_were_trained():
    card = SPOKEN_DIGITS.path.with_name(SPOKEN_DIGITS.meta["card"]).read_text()
    assert digest_of(SPOKEN_DIGITS.path, "sha256") in card
    assert SPOKEN_DIGITS.path.stat().st_size < 1_000_000
    model = SPOKEN_DIGITS.get_model()
    assert isinstance(model, DigitClassifier) and not model.training
    count = sum(p.numel() for p in model.parameters())
    assert count == SPOKEN_DIGITS.meta["num_params"] and f"{count:,}" in card
    with tallow.no_grad():
        scores = model(SPOKEN_DIGITS.transforms()(hum()))
    np.testing.assert_allclose(scores[0], SCORES, atol=2e-3)


def test_recordings_of_other_rates_and_channels():
    """16 kHz in stereo is about what 8 kHz in mono is; so is what is louder."""
    picture = SPOKEN_DIGITS.transforms()(hum())
    assert picture.shape == (1, 1, 40, 101)
    stereo = hum(16000).expand(2, -1)
    assert (SPOKEN_DIGITS.transforms()(stereo, 16000) - picture).abs().mean() < 0.1
    assert (SPOKEN_DIGITS.transforms()(hum() * 3) - picture).abs().mean() < 0.1


@pytest.mark.parametrize("length", [1, 100, 8000, 20001])
def test_lengths(length):
    wave = tallow.arange(float(length))
    middle = centred(wave)
    assert middle.shape == (8000,)
    if length >= 8000:
        assert middle[0] == (length - 8000) // 2
    else:
        assert middle.sum() == wave.sum()
    assert DigitFeatures()(wave[None]).shape == (1, 1, 40, 101)


def test_silence_is_some_digit():
    with tallow.no_grad():
        scores = SPOKEN_DIGITS.get_model()(SPOKEN_DIGITS.transforms()(tallow.zeros(1, 8000)))
    assert scores.isfinite().all()


def test_gradients_reach_the_sound():
    wave = hum().requires_grad_()
    SPOKEN_DIGITS.get_model()(SPOKEN_DIGITS.transforms()(F.gain(wave, 3.0)))[0, 7].backward()
    assert wave.grad.abs().max() > 0
