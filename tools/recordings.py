"""Writes the digits that come with tallowaudio, said by the voices of Flite, a synthesiser.

    python tools/recordings.py

It needs the program `flite` (Debian's package of that name). One file a voice, of ten digits,
each cut to what is to be heard, at the start of 0.8 s. Flite and its voices may be used and passed
on without restriction (Language Technologies Institute, Carnegie Mellon University).
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import tallow
import tallowaudio
from tallowaudio.datasets import SyntheticDigits

WORDS = "zero one two three four five six seven eight nine".split()
QUIET = 0.01  # of the loudest sample: less is not heard
BEFORE, AFTER = 400, 800  # samples kept around what is
PEAK = 0.5


def said(word, voice, folder):
    """A word (time,) at the data set's rate, as long as all are."""
    path = Path(folder, "said.wav")
    subprocess.run(["flite", "-voice", voice, "-t", word, "-o", path], check=True)
    sound, rate = tallowaudio.load(path)
    sound = tallowaudio.functional.resample(sound.mean(0), rate, SyntheticDigits.sample_rate)
    heard = (sound.abs() > QUIET * sound.abs().max()).nonzero().flatten()
    sound = sound[max(0, heard[0].item() - BEFORE) : heard[-1].item() + AFTER]
    sound = sound * (PEAK / sound.abs().max())
    return tallow.nn.functional.pad(sound, (0, SyntheticDigits.length - len(sound)))


def main():
    with TemporaryDirectory() as folder:
        for voice in SyntheticDigits.voices:
            digits = tallow.cat([said(word, voice, folder) for word in WORDS])
            path = SyntheticDigits.place / f"{voice}.flac"
            tallowaudio.save(path, digits[None], SyntheticDigits.sample_rate, bits_per_sample=16)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
