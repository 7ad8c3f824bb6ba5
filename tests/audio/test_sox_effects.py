"""Chains of effects against what SoX 14.4.2 gave (goldens), and what they refuse."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tallow
import tallowaudio
from tallow.errors import TallowError
from tallowaudio import sox_effects

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("sox_cases", HERE / "sox_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)


@pytest.mark.parametrize("number", range(len(cases.CASES)), ids=map(str, cases.CASES))
def test_as_sox(number):
    wave, rate, effects = cases.given(number)
    with np.load(HERE / "golden" / "sox.npz") as golden:
        assert golden["cases"][number] == str(cases.CASES[number]), "tools/goldens/audio_sox.py"
        expected, expected_rate = golden[str(number)] / 32767, int(golden[f"rate {number}"])
    found, rate = sox_effects.apply_effects_tensor(tallow.from_numpy(wave), rate, effects)
    assert rate == expected_rate and tuple(found.shape) == expected.shape
    assert found.dtype is tallow.float32
    # SoX's resampler has another filter; near the ends more of it is missing.
    tolerance = 0.03 if any(effect[0] == "rate" for effect in effects) else 1e-4
    np.testing.assert_allclose(found.numpy(), expected, atol=tolerance)


def test_every_effect_is_compared():
    compared = {effect[0] for _, effects in cases.CASES for effect in effects}
    assert compared == set(sox_effects.effect_names())


ERRORS = [
    (["reverb"], "expected effects of allpass, .*got 'reverb'"),
    (["lowpass"], "lowpass: expected another argument, got 'none'"),
    (["lowpass", "5000"], "between 0 and 4000 Hz, got '5000'"),
    (["lowpass", "900", "wide"], "a width, such as .*got 'wide'"),
    (["lowpass", "900", "1q", "3"], "no more arguments, got '3'"),
    (["lowpass", "-2", "900", "1q", "1"], "no more arguments, got '1'"),
    (["lowpass", "-3", "900"], "between 0 and 4000 Hz, got '-3'"),
    (["gain", "-x"], "flags of -n, got '-x'"),
    (["gain", "loud"], "a number, got 'loud'"),
    (["contrast", "101"], "from 0 to 100, got '101'"),
    (["vol", "1", "sone"], "amplitude, power or dB, got 'sone'"),
    (["vol", "xdB"], "vol: expected a number, got 'x'"),
    (["pad", "1", "1", "1"], "two lengths, or places with @, got '1 1 1'"),
    (["pad", "1@0.5"], "places up to 100 samples .*got '1@0.5'"),
    (["remix"], "remix: expected another argument"),
    (["remix", "1v."], "channels from 1 to 2, got '1v.'"),
    (["trim"], "a position, got 'none'"),
    (["trim", "0.1", "=0.05"], "positions that follow each other, got '=0.05'"),
    (["pad", "long"], "a time, such as .*got 'long'"),
    (["phaser", "1", "1", "1", "1", "1", "-x"], "-s or -t, got '-x'"),
    (["rate", "fast"], "a sample rate in Hz, got 'fast'"),
    (["remix", "3"], "channels from 1 to 2, got '3'"),
    (["vad", "-x", "1"], "flags of -t, .*got '-x'"),
]


@pytest.mark.parametrize(("effect", "message"), ERRORS)
def test_errors(effect, message):
    with pytest.raises(ValueError, match=message) as caught:
        sox_effects.apply_effects_tensor(tallow.zeros(2, 100), 8000, [effect])
    assert isinstance(caught.value, TallowError)


def test_waveforms_are_checked():
    for wave, rate in ((tallow.zeros(5), 8000), (tallow.zeros(1, 5).int(), 8000)):
        with pytest.raises(ValueError, match="waveform of two dims"):
            sox_effects.apply_effects_tensor(wave, rate, [])
    with pytest.raises(ValueError, match="above 0 Hz, got 0"):
        sox_effects.apply_effects_tensor(tallow.zeros(1, 5), 0, [])


def test_channels_last_and_files(tmp_path):
    wave = tallow.rand(2, 300) - 0.5
    effects = [["gain", "-3"], ["trim", "100s"]]
    sox_effects.init_sox_effects()
    found, _ = sox_effects.apply_effects_tensor(wave, 8000, effects)
    across, _ = sox_effects.apply_effects_tensor(wave.T, 8000, effects, channels_first=False)
    assert tallow.equal(found, across.T) and found.shape == (2, 200)
    path = tmp_path / "a.wav"
    for bits in (8, 16, 32):
        tallowaudio.save(path, wave, 8000, bits_per_sample=bits)
        loaded, rate = sox_effects.apply_effects_file(path, effects)
        assert rate == 8000 and abs(loaded - found).max() < 2.0 ** (2 - min(bits, 24))
        whole, _ = sox_effects.apply_effects_file(path, effects, False, channels_first=False)
        assert whole.dtype is tallowaudio.load(path, normalize=False)[0].dtype
        scaled = (whole.T.double() - (128 if bits == 8 else 0)) / 2 ** (bits - 1)
        assert abs(scaled - found).max() < 2.0 ** (2 - min(bits, 24))
    sox_effects.shutdown_sox_effects()


def test_waveforms_get_gradients():
    wave = (tallow.rand(1, 200) - 0.5).requires_grad_()
    effects = [["lowpass", "900"], ["echo", "0.8", "0.9", "5", "0.4"], ["fade", "0.01"]]
    sox_effects.apply_effects_tensor(wave, 8000, effects)[0].square().sum().backward()
    assert wave.grad.abs().max() > 0
