"""What was taken for speech, as a picture."""

import matplotlib

matplotlib.use("agg")
import numpy as np
from matplotlib import pyplot as plt

import tallow


@tallow.no_grad()
def draw(model, string, path):
    """The sound, with speech shaded, over how probable the detector finds speech."""
    sound, digits, places = string
    rate = model.sample_rate
    share = model(tallow.from_numpy(sound)[None])[0].sigmoid().flatten().numpy()
    figure, (above, below) = plt.subplots(2, 1, figsize=(10, 4), sharex=True, layout="constrained")
    above.plot(np.arange(len(sound)) / rate, sound, linewidth=0.4)
    for axis in (above, below):
        for start, end in places:
            axis.axvspan(start / rate, end / rate, color="#2a7f3f", alpha=0.2)
    below.plot((np.arange(len(share)) + 0.5) * model.stride / rate, share, color="#c0392b")
    below.axhline(0.5, color="gray", linewidth=0.5)
    above.set(title=f"digits said: {' '.join(map(str, digits))} (shaded)", ylabel="sound")
    below.set(xlabel="seconds", ylabel="probability of speech", ylim=(0, 1))
    figure.savefig(path, dpi=110)
    plt.close(figure)
