"""Recordings of spoken digits in memory, and changes to them while training."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import tallow
from tallow.nn.functional import pad
from tallow.utils.download import extract
from tallowaudio import transforms
from tallowaudio.datasets import FSDD
from tallowaudio.models.spoken_digits import LENGTH, SAMPLE_RATE, centred

SHIFT = 1200  # samples that a recording is moved by at most


@dataclass
class Digits:
    """Waveforms (N, 8000), one second each, with their digits (N,) and speakers."""

    waves: tallow.Tensor
    digits: tallow.Tensor
    speakers: list

    def __len__(self):
        return len(self.digits)

    def where(self, keep):
        """Those recordings for which `keep(speaker)` is true."""
        chosen = [i for i, speaker in enumerate(self.speakers) if keep(speaker)]
        index = tallow.tensor(chosen, dtype=tallow.int64)
        return Digits(self.waves[index], self.digits[index], [self.speakers[i] for i in chosen])


def joined(*parts):
    """The recordings of several parts."""
    speakers = [speaker for part in parts for speaker in part.speakers]
    waves, digits = ([getattr(part, name) for part in parts] for name in ("waves", "digits"))
    return Digits(tallow.cat(waves), tallow.cat(digits), speakers)


def read(folder, subset):
    recordings = [(centred(wave[0]), digit, speaker)
                  for wave, _, digit, speaker, _ in FSDD(folder, subset)]  # fmt: skip
    waves, digits, speakers = zip(*recordings, strict=True)
    return Digits(tallow.stack(waves), tallow.tensor(digits), list(speakers))


def load(path, download=False):
    """The recordings to learn from and those to test on, 0 to 4 of each speaker and digit.

    `path` is a folder, or a zip file with the folder `recordings` in it.
    """
    path = Path(path)
    if path.suffix != ".zip":
        if download:
            FSDD(path, download=True)
        return read(path, "train"), read(path, "test")
    with tempfile.TemporaryDirectory() as folder:
        extract(path, folder)
        return read(folder, "train"), read(folder, "test")


def generated(per_digit=12):
    """Chords, one for each "digit", by two "speakers": to try the program without data."""
    time = tallow.arange(LENGTH) / SAMPLE_RATE
    waves, digits, speakers = [], [], []
    for digit in range(10):
        for index in range(per_digit):
            voice = 1 + 0.05 * (index % 2)
            tones = [
                (2 * tallow.pi * voice * f * time).sin()
                for f in (200 + 90 * digit, 3000 - 200 * digit)
            ]
            fade = transforms.Fade(800 + 100 * index, 4000, "linear")
            waves.append(fade(sum(tones) / 4) + 0.01 * tallow.randn(LENGTH))
            digits.append(digit)
            speakers.append("ab"[index % 2])
    everything = Digits(tallow.stack(waves), tallow.tensor(digits), speakers)
    later = tallow.arange(len(digits)) % per_digit >= per_digit // 3
    return [
        Digits(everything.waves[part], everything.digits[part],
               [s for s, kept in zip(speakers, part.tolist(), strict=True) if kept])
        for part in (later, ~later)
    ]  # fmt: skip


def varied(waves):
    """Waveforms (N, time) moved by up to SHIFT samples each, with hiss, loud or soft."""
    count = len(waves)
    start = tallow.randint(0, 2 * SHIFT, (count, 1))
    waves = pad(waves, (SHIFT, SHIFT)).gather(1, start + tallow.arange(waves.shape[1]))
    level = 10 ** tallow.empty(count, 1).uniform_(-5, -2)
    return waves + level * tallow.randn(waves.shape)


cover = tallow.nn.Sequential(
    transforms.FrequencyMasking(8, iid_masks=True), transforms.TimeMasking(20, iid_masks=True)
)
