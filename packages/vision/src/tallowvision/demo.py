"""What `python -m tallow.demo` shows of tallowvision."""

import numpy as np
from PIL import Image

import tallow
from tallow.demo import Tab
from tallowvision import models
from tallowvision.commands._shared import open_picture


def tabs():
    """A pad to draw digits on, and a classifier of pictures."""
    return [
        Tab(
            "Draw a digit", "A network that learned 1,438 handwritten digits reads yours.",
            "sketch", {"Digit": "shares"}, _digit, "Read it",
        ),
        Tab(
            "Pictures",
            "ResNet-20 knows ten kinds of things: aeroplanes, cars, birds, cats, deer, dogs, "
            "frogs, horses, ships and lorries. It names one of them whatever it is shown.",
            "picture", {"It looks like": "shares"}, _thing, "Name it",
        ),
    ]  # fmt: skip


def _digit(ink):
    model, weights = _network("lenet_digits")
    image = weights.transforms()(Image.fromarray(framed(ink)))
    firm = (1.3 * image / image.max()).clamp(max=1)  # as pens wrote that it learned from
    return [_shares(model, weights, firm)]


def _thing(path):
    model, weights = _network("resnet20")
    return [_shares(model, weights, weights.transforms()(open_picture(path)))]


def framed(ink):
    """What is drawn (H, W), in the middle of the square (S, S) that is as high or as wide."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    spare = max(ink.shape) - np.array(ink.shape)
    return np.pad(ink, [(part // 2, part - part // 2) for part in spare])


def _network(name):
    weights = models.get_model_weights(name).DEFAULT
    return models.get_model(name, weights=weights).eval(), weights


def _shares(model, weights, image):
    with tallow.inference_mode():
        shares = model(image[None])[0].softmax(0)
    return dict(zip(weights.meta["categories"], shares.tolist(), strict=True))
