"""Weights and tokens that are the same wherever NumPy is: made from names, shapes and a seed."""

import zlib

import numpy as np

PADDED = (12, 5, 3)  # lengths of the texts of a batch
SAME = {  # tensors that are others, where there are those
    "encoder.token_embeddings.weight": ["token_embeddings.weight"],
    "encoder.embed_tokens.weight": ["shared.weight"],
    "decoder.embed_tokens.weight": ["shared.weight"],
    "lm_head.weight": ["shared.weight", "transformer.wte.weight"],
}


def weights(shapes, scale=0.3):
    """{name: float32 array} for {name: shape}, drawn from a seed that is the name."""
    made = {}
    for name, shape in shapes.items():
        source = next((other for other in SAME.get(name, ()) if other in shapes), name)
        drawn = np.random.RandomState(zlib.crc32(source.encode()))
        made[name] = drawn.normal(scale=scale, size=shape).astype(np.float32)
    return made


def tokens(padding, vocabulary=60, lengths=PADDED, seed=0):
    """Numbers of tokens (N, longest), at least 3, with padding behind each text."""
    drawn = np.random.RandomState(seed).randint(3, vocabulary, (len(lengths), max(lengths)))
    behind = np.arange(max(lengths)) >= np.array(lengths)[:, None]
    return np.where(behind, padding, drawn)
