"""Boxes that were to be found in images, and some that were, for COCO's measures."""

import numpy as np


def boxes_of(rng, count):
    corner = rng.uniform(0, 400, (count, 2))
    return np.concatenate([corner, corner + np.exp(rng.uniform(2, 5.3, (count, 2)))], 1).round(2)


def made(seed, images, crowds):
    """Predictions and targets of images, of classes 1 to 3."""
    rng = np.random.default_rng(seed)
    predictions, targets = [], []
    for _ in range(images):
        count = rng.integers(0, 12)
        boxes, labels = boxes_of(rng, count), rng.integers(1, 4, count)
        crowd = rng.uniform(size=count) < (0.15 if crowds else 0)
        targets.append({"boxes": boxes, "labels": labels, "iscrowd": crowd.astype(int)})
        kept = rng.uniform(size=count) < 0.8
        near = boxes[kept] * (1 + rng.normal(0, 0.03, (kept.sum(), 4)))
        again = rng.uniform(size=len(near)) < 0.3
        false = boxes_of(rng, rng.integers(0, 4))
        found = np.concatenate([near, near[again] + 3, false])
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
        own = [labels[kept], labels[kept][again], rng.integers(1, 4, len(false))]
        scores = rng.uniform(size=len(found)).round(2)  # some are equal
        predictions.append(
            {"boxes": found.round(2), "labels": np.concatenate(own), "scores": scores}
        )
    return predictions, targets


CASES = {"few": (0, 3, False), "many": (1, 60, False), "crowds": (2, 60, True)}
