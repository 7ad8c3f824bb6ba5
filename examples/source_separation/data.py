"""Pairs of voices that speak at once."""

import io
import zipfile

import numpy as np

import tallow
import tallowaudio

RATE = 8000  # Hz
SAMPLES = 6000  # of a mixture


def load(path):
    """Recordings to learn from and to be tested on, {speaker: [samples, ...]} each.

    Of the Free Spoken Digit Dataset, 0 to 4 of each digit by each speaker are the test set. `path`
    is its zip file.
    """
    parts = {}, {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".wav"):
                _, speaker, index = name.rpartition("/")[2].removesuffix(".wav").split("_")
                samples, _ = tallowaudio.load(io.BytesIO(archive.read(name)))
                part = parts[int(index) < 5]
                part.setdefault(speaker, []).append(samples[0].numpy())
    return parts


def generated(count=20):
    """As `load`, sounds made up: three speakers of high or low chords."""
    rng = np.random.default_rng(0)
    time = np.arange(4000) / RATE

    def sound(lowest):
        tones = lowest * rng.uniform(1, 1.5) * np.array([[1], [2], [3]])
        return np.sin(2 * np.pi * tones * time).sum(0) * np.hanning(len(time)) / 4

    return tuple(
        {str(low): [sound(low) for _ in range(count)] for low in (150, 400, 900)} for _ in range(2)
    )


def pairs(rng, recordings, count):
    """Voices (count, 2, SAMPLES) of two speakers each, of up to 5 dB of difference."""
    voices = np.zeros((count, 2, SAMPLES), np.float32)
    for row in range(count):
        for place, speaker in enumerate(rng.choice(sorted(recordings), 2, replace=False)):
            sound = recordings[speaker][rng.integers(len(recordings[speaker]))][:SAMPLES]
            level = 0.1 * 10 ** (rng.uniform(-2.5, 2.5) / 20)
            start = rng.integers(0, SAMPLES - len(sound) + 1)
            scaled = sound * level / np.sqrt(np.mean(sound**2))
            voices[row, place, start : start + len(sound)] = scaled
    return tallow.from_numpy(voices)
