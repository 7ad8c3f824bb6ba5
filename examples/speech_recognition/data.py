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


def generated(count=40):
    """As `load`, sounds made up: each digit is a chord of two tones, of many lengths."""
    rng, parts = np.random.default_rng(0), []
    for _ in range(3):
        digits = rng.integers(10, size=count)
        tones = [(300 + 80 * digit, 2900 - 150 * digit) for digit in digits]
        samples = [
            np.sin(np.outer(2 * np.pi * np.array(pair) / RATE, np.arange(length))).sum(0) / 4
            for pair, length in zip(tones, rng.integers(1000, 3000, count), strict=True)
        ]
        parts.append(Recordings(samples, digits))
    return parts


PERIOD = 2**15  # samples, after which noise repeats itself
FREQUENCIES = np.maximum(np.fft.rfftfreq(PERIOD), 1 / 200).astype(np.float32)


def noise(rng, length):
    """Noise of a random colour, of mean square 1: from white to pink."""
    spectrum = np.fft.rfft(rng.standard_normal(PERIOD, np.float32))
    found = np.fft.irfft(spectrum * FREQUENCIES ** np.float32(-rng.uniform(0, 1) / 2))
    return np.resize(found / np.sqrt(np.mean(found**2)), length)


def faster(samples, rate):
    """The samples played `rate` times as fast, and as high."""
    positions = np.arange(0, len(samples) - 1, rate)
    return np.interp(positions, np.arange(len(samples)), samples)


def string(rng, recordings, varied=False, gaps=(0.05, 0.5), quiet=(15, 40)):
    """A string of 3 to 7 digits: its samples, the digits, and where each lies (start, end).

    Gaps are as long as `gaps` says, in seconds, the gain of each digit is -6 to 3 dB and of the
    whole -10 to 6 dB, and noise lies as far below the digits as `quiet` says, in dB. `varied`
    digits are played at 0.85 to 1.15 times their speed.
    """
    parts, digits, places, at = [], [], [], 0
    for index in rng.integers(len(recordings.samples), size=rng.integers(3, 8)):
        gap = int(RATE * rng.uniform(*gaps))
        sound = recordings.samples[index]
        if varied:
            sound = faster(sound, rng.uniform(0.85, 1.15))
        parts += [np.zeros(gap), sound * 10 ** (rng.uniform(-6, 3) / 20)]
        places.append((at + gap, at + gap + len(sound)))
        digits.append(int(recordings.digits[index]))
        at += gap + len(sound)
    parts.append(np.zeros(int(RATE * rng.uniform(*gaps))))
    sound = np.concatenate(parts)
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-rng.uniform(*quiet) / 20)
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
