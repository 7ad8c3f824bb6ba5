"""A mixture, its voices and what was made of it, as a picture."""

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

from tallowaudio import transforms


def draw(mixture, voices, found, ratios, path):
    """Spectrograms in dB: the mixture, both voices (2, time), both that were found; SI-SDR."""
    decibels = transforms.AmplitudeToDB(top_db=60.0)
    spectrum = transforms.Spectrogram(256, hop_length=64)
    titles = ["mixture", "first voice", "second voice"]
    titles += [f"found, {ratio:.1f} dB" for ratio in ratios]
    sounds = [mixture, *voices, *found]
    figure, axes = plt.subplot_mosaic("012;.34", figsize=(10, 5), layout="constrained")
    for axis, title, sound in zip(axes.values(), titles, sounds, strict=True):
        axis.imshow(decibels(spectrum(sound)).numpy(), origin="lower", aspect="auto")
        axis.set_title(title, fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=110)
    plt.close(figure)
