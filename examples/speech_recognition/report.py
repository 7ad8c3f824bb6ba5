"""What was heard where, as a picture."""

import matplotlib

matplotlib.use("agg")
import numpy as np
from matplotlib import pyplot as plt

import tallow


@tallow.no_grad()
def draw(model, string, path):
    """The sound as mel bands with what was said, over the probabilities of all labels."""
    sound, digits, places = string
    waveform = tallow.from_numpy(sound)[None]
    bands = model.mel(waveform)[0].numpy()
    shares = model(waveform)[0][0].softmax(-1).numpy()
    seconds = len(sound) / model.sample_rate
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 5.5), sharex=True, layout="constrained"
    )
    above.imshow(bands, origin="lower", aspect="auto", extent=(0, seconds, 0, len(bands)))
    for digit, (start, end) in zip(digits, places, strict=True):
        for edge in (start, end):
            above.axvline(edge / model.sample_rate, color="white", linewidth=0.8)
        middle = (start + end) / 2 / model.sample_rate
        above.text(middle, len(bands) - 5, str(digit), color="white", ha="center", fontsize=14)
    above.set(ylabel="mel band", title="said")
    end = len(shares) * model.stride / model.sample_rate
    below.imshow(
        shares.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=(0, end, -0.5, shares.shape[1] - 0.5),
    )
    best = shares.argmax(1)
    for frame in np.flatnonzero((best != 0) & (best != np.r_[0, best[:-1]])):
        time = (frame + 0.5) * model.stride / model.sample_rate
        below.annotate(
            model.labels[best[frame]], (time, best[frame] + 0.6), color="white", ha="center"
        )
    below.set(ylabel="label", xlabel="seconds", title="heard, with what probability")
    below.set_yticks(range(shares.shape[1]), list(model.labels))
    figure.savefig(path, dpi=110)
    plt.close(figure)
