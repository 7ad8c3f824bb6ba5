"""What was learnt: curves over the epochs, and what is found in pictures."""

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

from tallow.nn.functional import interpolate
from tallowvision.utils import draw_bounding_boxes, make_grid, save_image

COLOURS = ["#e6a117", "#c0392b", "#2456a4", "#2a7f3f", "#7d3c98", "#148f8f"]


def draw_curves(history, path):
    """Each loss over the epochs."""
    figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for name in history[0]:
        axis.plot(range(1, len(history) + 1), [one[name] for one in history], label=name)
    axis.set(xlabel="epoch", title="losses")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_predictions(pictures, found, classes, path, threshold=0.4, count=6):
    """A grid of the first pictures, twice as large, with what has a score over `threshold`."""
    drawn = []
    for (image, _), one in zip(pictures, found, strict=False):
        image = interpolate(image[None], scale_factor=2, mode="bilinear")[0]
        sure = one["scores"] > threshold
        labels, scores = one["labels"][sure].tolist(), one["scores"][sure].tolist()
        if labels:
            image = draw_bounding_boxes(
                image, 2 * one["boxes"][sure],
                [f"{classes[k - 1]} {score:.2f}" for k, score in zip(labels, scores, strict=True)],
                [COLOURS[(k - 1) % len(COLOURS)] for k in labels], width=2,
            )  # fmt: skip
        drawn.append(image)
        if len(drawn) == count:
            break
    height, width = (max(image.shape[dim] for image in drawn) for dim in (1, 2))
    padded = [image.new_ones(3, height, width) for image in drawn]
    for whole, image in zip(padded, drawn, strict=True):
        whole[:, : image.shape[1], : image.shape[2]] = image
    save_image(make_grid(padded, nrow=3), path)
