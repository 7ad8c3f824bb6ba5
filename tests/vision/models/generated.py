"""Weights for any network, from the key and the shape of each alone, in NumPy.

So torchvision, where its results are recorded, and tallowvision, where they are tested, have the
same without a file of them.
"""

import zlib

import numpy as np


def array(key, shape):
    """What belongs under `key` in a state dict: signals neither die nor grow with it."""
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif key.endswith(("bias", "running_mean")):
        values = rng.normal(0, 0.1, shape)
    elif len(shape) > 1:
        values = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)  # He et al., 2015
    else:
        values = rng.uniform(0.5, 1.0, shape)
    return values.astype(np.float32)


def load(model, torch, scale=None):
    """Give a network of `torch`, or tallow, generated weights; `scale(key)` multiplies each."""
    state = {}
    for key, value in model.state_dict().items():
        made = array(key, tuple(value.shape))
        if scale is not None:
            made = np.asarray(made * scale(key), made.dtype)
        state[key] = torch.from_numpy(made)
    model.load_state_dict(state)
    return model
