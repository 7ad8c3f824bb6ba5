"""What `python -m tallow.demo` shows of tallowaudio."""

from functools import cache

import tallow
import tallowaudio
from tallow.demo import Tab
from tallow.errors import ArgumentError
from tallowaudio import _picture, functional
from tallowaudio.commands.transcribe import transcribed
from tallowaudio.pipelines import DIGIT_STRINGS

MOST = 60  # seconds of a recording
ROWS = 240  # pixels of the spectrogram's height


def tabs():
    """A recogniser of spoken digits."""
    return [
        Tab(
            "Spoken digits",
            "Say some digits in English, one after the other, or upload a recording of them.",
            "sound", {"Heard": "html", "Spectrogram": "picture"}, _heard, "Write it down",
        ),
    ]  # fmt: skip


@cache
def _recogniser():
    return DIGIT_STRINGS.get_model()


def _heard(path):
    about = tallowaudio.info(path)
    if about.num_frames > MOST * about.sample_rate:
        raise ArgumentError(
            f"{path}: expected up to {MOST} s of sound, got "
            f"{about.num_frames / about.sample_rate:.0f} s"
        )
    found = transcribed(path, _recogniser())
    times = ", ".join(f"{time:.1f}" for time in found["times"])
    said = f'<div class="big">{found["text"]}</div>at {times} s' if times else "nothing"
    return [said, _spectrogram(path)]


def _spectrogram(path):
    """Pixels (H, W, 3) of the sound up to 4 kHz."""
    samples, rate = tallowaudio.load(path)
    samples = functional.resample(samples.mean(0), rate, 8000)
    samples = tallow.nn.functional.pad(samples, (0, max(0, 256 - len(samples))))
    power = functional.spectrogram(samples, 0, tallow.hann_window(256), 256, 64, 256, 2.0, False)
    decibels = functional.amplitude_to_DB(power, 10.0, 1e-10, 0.0, 70.0)
    return _picture.heat_map(decibels.numpy(), ROWS)
