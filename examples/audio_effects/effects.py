"""Put a sound through effects, and see what they do.

    python effects.py                                     a generated melody, every effect below
    python effects.py --file voice.wav                    your own recording
    python effects.py --chain "lowpass 800 | echo 0.8 0.9 120 0.4" --chain "pitch 400 | rate 16000"

A chain is written as SoX's command line has it. Written to --out: the sound after each effect as a
WAV file, and effects.png, spectrograms before and after.
"""

import argparse
from pathlib import Path

import matplotlib
from tqdm import tqdm

import tallow
import tallowaudio
from tallowaudio import functional as F
from tallowaudio import sox_effects, transforms

matplotlib.use("agg")
from matplotlib import pyplot as plt

RATE = 16000  # Hz, of the melody and of the pictures

# What to show: a name, and a function of a waveform (channels, time) at RATE.
EFFECTS = {
    "low-pass at 800 Hz": lambda x: F.lowpass_biquad(x, RATE, 800.0),
    "high-pass at 2 kHz": lambda x: F.highpass_biquad(x, RATE, 2000.0),
    "echo": lambda x: chained(x, "echo 0.8 0.9 150 0.4 300 0.25"),
    "phaser": lambda x: F.phaser(x, RATE, 0.6, 0.9, mod_speed=1.0),
    "flanger": lambda x: F.flanger(x, RATE, depth=5.0, regen=50.0),
    "overdrive": lambda x: F.overdrive(x, 25, 30),
    "4 half-tones higher": lambda x: F.pitch_shift(x, RATE, 4),
    "1.5 times as fast": lambda x: chained(x, "tempo 1.5"),
    "noise, 10 dB below": lambda x: F.add_noise(
        x, tallow.randn(x.shape), tallow.full(x.shape[:1], 10.0)
    ),
    "8 bits, mu-law": lambda x: F.mu_law_decoding(F.mu_law_encoding(x, 256), 256),
}  # fmt: skip


def chained(waveform, chain):
    """The waveform through effects "name arguments | name arguments", at RATE again."""
    effects = [part.split() for part in chain.split("|")]
    waveform, rate = sox_effects.apply_effects_tensor(waveform, RATE, effects)
    return F.resample(waveform, rate, RATE)


def melody(seconds=3.0):
    """Plucked notes, each with harmonics that die away the faster the higher they are."""
    notes = (261.6, 329.6, 392.0, 523.3, 392.0, 329.6)
    count = int(RATE * seconds / len(notes))
    time = tallow.arange(count) / RATE
    harmonic = tallow.arange(1, 12)[:, None]
    faded = (-6.0 * harmonic * time).exp() / harmonic
    plucked = [(faded * (2 * tallow.pi * note * harmonic * time).sin()).sum(0) for note in notes]
    return tallow.cat(plucked)[None] * 0.4


def draw(sounds, path):
    """Spectrograms, one a sound, each from its loudest to 80 dB below, over the same time."""
    decibels = tallow.nn.Sequential(
        transforms.Spectrogram(512, hop_length=128), transforms.AmplitudeToDB(top_db=80.0)
    )
    columns = 3
    rows = -(-len(sounds) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4 * columns, 2.4 * rows), layout="constrained", squeeze=False
    )
    longest = max(sound.shape[-1] for sound in sounds.values()) / RATE
    for axis, (name, sound) in zip(axes.flat, sounds.items(), strict=False):
        picture = decibels(sound.mean(0)).numpy()
        extent = (0, sound.shape[-1] / RATE, 0, RATE / 2000)
        axis.imshow(picture, origin="lower", aspect="auto", cmap="magma", extent=extent)
        axis.set(title=name, xlim=(0, longest), xlabel="seconds", ylabel="kHz")
    for axis in axes.flat[len(sounds) :]:
        axis.axis("off")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, help="a sound file; by default a generated melody")
    parser.add_argument("--chain", action="append", help="effects separated by |; repeat for more")
    parser.add_argument("--seconds", type=float, default=10.0, help="how much of the file to take")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--out", type=Path, default=Path("runs/audio_effects"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    if options.file:
        about = tallowaudio.info(options.file)
        waveform, rate = tallowaudio.load(
            options.file, num_frames=int(options.seconds * about.sample_rate)
        )
        waveform = F.resample(waveform, rate, RATE)
    else:
        waveform = melody()
    effects = EFFECTS
    if options.chain:
        effects = {chain: lambda x, chain=chain: chained(x, chain) for chain in options.chain}

    options.out.mkdir(parents=True, exist_ok=True)
    sounds = {"before": waveform}
    for name in tqdm(effects, desc="effects", unit="effect"):
        sounds[name] = effects[name](waveform)
    for number, sound in enumerate(sounds.values()):
        tallowaudio.save(options.out / f"{number:02}.wav", sound, RATE, bits_per_sample=16)
    draw(sounds, options.out / "effects.png")
    for number, (name, sound) in enumerate(sounds.items()):
        level = 20 * sound.square().mean().sqrt().log10().item()
        print(f"{number:02}.wav  {name}: {sound.shape[-1] / RATE:.2f} s, {level:.1f} dB")
    print(f"written to {options.out}, with effects.png")


if __name__ == "__main__":
    main()
