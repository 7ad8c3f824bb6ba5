"""Strings of spoken digits, put together from recordings of single ones with gaps and noise."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np

import tallow
import tallowaudio

RATE = 8000  # Hz
LABELS = "-0123456789"  # the first is CTC's blank


@dataclass
class Recordings:
    """Recordings of digits: their samples, and which digit each is."""

    samples: list
    digits: np.ndarray


def load(path):
    """The recordings to learn from, those to choose by, and those to be tested on.

    Of the Free Spoken Digit Dataset, 50 of each digit by each of six speakers: 0 to 4 are its test
    set; here 5 and 6 are to choose by. `path` is its zip file.
    """
    parts = {"train": ([], []), "choose": ([], []), "test": ([], [])}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".wav"):
                continue
            digit, _, index = name.rpartition("/")[2].removesuffix(".wav").split("_")
            samples, _ = tallowaudio.load(io.BytesIO(archive.read(name)))
            part = "test" if int(index) < 5 else "choose" if int(index) < 7 else "train"
            parts[part][0].append(samples[0].numpy())
            parts[part][1].append(int(digit))
    return [Recordings(samples, np.array(digits)) for samples, digits in parts.values()]


def noise(rng, length):
    """Noise of a random colour, of mean square 1: white for a slope of 0, towards brown for 2."""
    frequencies = np.maximum(np.fft.rfftfreq(length), 1 / 200)
    spectrum = np.fft.rfft(rng.standard_normal(length)) * frequencies ** (-rng.uniform(0, 1))
    found = np.fft.irfft(spectrum, length)
    return found / np.sqrt(np.mean(found**2))


def faster(samples, rate):
    """The samples played `rate` times as fast, and as high."""
    positions = np.arange(0, len(samples) - 1, rate)
    return np.interp(positions, np.arange(len(samples)), samples)


def string(rng, recordings, varied=False):
    """A string of 3 to 7 digits: its samples, the digits, and where each lies (start, end).

    Gaps are 0.05 to 0.5 s, the gain of each digit -6 to 3 dB and of the whole -10 to 6 dB, and the
    noise lies 15 to 40 dB below the digits. `varied` strings, to learn from, are played at 0.85 to
    1.15 times their speed as well, and the noise may be 5 dB below.
    """
    parts, digits, places, at = [], [], [], 0
    for index in rng.integers(len(recordings.samples), size=rng.integers(3, 8)):
        gap = int(RATE * rng.uniform(0.05, 0.5))
        sound = recordings.samples[index]
        if varied:
            sound = faster(sound, rng.uniform(0.85, 1.15))
        parts += [np.zeros(gap), sound * 10 ** (rng.uniform(-6, 3) / 20)]
        places.append((at + gap, at + gap + len(sound)))
        digits.append(int(recordings.digits[index]))
        at += gap + len(sound)
    parts.append(np.zeros(int(RATE * rng.uniform(0.05, 0.5))))
    sound = np.concatenate(parts)
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-rng.uniform(5 if varied else 15, 40) / 20)
    sound = (sound + noise(rng, len(sound)) * level) * 10 ** (rng.uniform(-10, 6) / 20)
    return np.clip(sound, -1, 1).astype(np.float32), digits, places


def batch(strings):
    """Waveforms (N, time), their lengths in samples, labels (N, S), and how many of each."""
    sounds, digits = [s[0] for s in strings], [s[1] for s in strings]
    lengths, counts = [len(s) for s in sounds], [len(d) for d in digits]
    waveforms = np.zeros((len(sounds), max(lengths)), np.float32)
    labels = np.zeros((len(sounds), max(counts)), np.int64)
    for row, (sound, spoken) in enumerate(zip(sounds, digits, strict=True)):
        waveforms[row, : len(sound)] = sound
        labels[row, : len(spoken)] = np.array(spoken) + 1
    return tuple(map(tallow.tensor, (waveforms, lengths, labels, counts)))
