"""Products of bfloat16, where the processor has instructions for them: they are summed in float32.

Without them they are computed in float32 altogether (`ops.linalg`).
"""

import numpy as np

from tallow.dtypes import bfloat16
from tallow.kernels.cpu import compiled
from tallow.ops import linalg


def by(product):
    """The compiled product of float32, told that its operands are short."""

    def kernel(x, *others):
        if x.dtype != bfloat16.numpy:
            return NotImplemented
        wide = [y if y is None else y.astype(np.float32) for y in (x, *others)]
        out = product(*wide, True)
        return out if out is NotImplemented else out.astype(x.dtype)

    return kernel


if compiled.rounds_products():
    linalg.matmul.on("cpu")(by(compiled.matmul))
    linalg.linear.on("cpu")(by(compiled.linear))
