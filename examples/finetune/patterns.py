"""A folder of pictures to try things with: stripes, dots and squares, of all colours."""

import numpy as np
import PIL.Image


def write(folder, count=60, size=48, seed=0):
    """`count` pictures of each kind in folder/KIND, unless they are there; returns the folder."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    for kind in ("dots", "squares", "stripes"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            turn, width = rng.uniform(0, np.pi), rng.uniform(5, 9)  # radians, pixels
            u = (x * np.cos(turn) + y * np.sin(turn)) / width
            v = (y * np.cos(turn) - x * np.sin(turn)) / width
            shown = {
                "dots": np.hypot(u % 2 - 1, v % 2 - 1) < 0.7,
                "squares": (u % 2 < 1) == (v % 2 < 1),
                "stripes": u % 2 < 1,
            }[kind]
            colours = rng.uniform(0, 255, (2, 3))
            pixels = np.where(shown[..., None], *colours) + rng.normal(0, 12, (size, size, 3))
            image = PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(folder / kind / f"{number:03}.png")
    return folder
