"""What tallowaudio shows on the page of `python -m tallow.demo`."""

import numpy as np
import pytest

import tallow
import tallowaudio
from tallow.errors import ArgumentError
from tallowaudio import demo


def heard(path, waveform, rate=8000):
    (tab,) = demo.tabs()
    tallowaudio.save(path, waveform, rate)
    return tab.answer(str(path))


def test_digits_are_written_down(tmp_path):
    digits = tallowaudio.datasets.SyntheticDigits(["rms"])
    waveform = tallow.cat([digits[digit][0] for digit in (2, 7)], 1)
    said, picture = heard(tmp_path / "27.wav", waveform)
    assert said.startswith('<div class="big">27</div>at 0.')
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert 200 <= picture.shape[0] < 400 and picture.shape[1] == 201


@pytest.mark.parametrize("frames", [1, 4000, 200_000])
def test_silence(frames, tmp_path):
    said, picture = heard(tmp_path / "still.wav", tallow.zeros(2, frames), 44100)
    assert said == "nothing" and picture.size


def test_a_recording_that_is_too_long(tmp_path):
    with pytest.raises(ArgumentError, match="long.wav: expected up to 60 s of sound, got 61 s"):
        heard(tmp_path / "long.wav", tallow.zeros(1, 61 * 1000), 1000)
