"""Small pictures for tests of datasets."""

import io

import numpy as np
import PIL.Image

RNG = np.random.default_rng(0)


def picture(kind="jpeg", shape=(6, 8, 3)):
    """The bytes of an image file."""
    made = io.BytesIO()
    PIL.Image.fromarray(RNG.integers(0, 256, shape, np.uint8)).save(made, kind)
    return made.getvalue()


def grey(kind="png", size=(6, 8)):
    return picture(kind, size)
