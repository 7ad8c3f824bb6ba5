"""The array API standard (2024.12) on tensors: for libraries that work with any array.

`x.__array_namespace__()` of a tensor is this module; https://data-apis.org/array-api says what each
function does. Where it and PyTorch differ, this module does as it says and tallow as PyTorch. What
cannot be had, since a Tensor is PyTorch's:

- `Tensor.size` is a method and `to_device` is missing; use `array_api.size(x)`, and `to`;
- operators promote 0-d tensors and numbers as PyTorch does; the functions here by dtype alone;
- uint16, uint32 and uint64 hold numbers, and compute only with floating dtypes;
- steps of slices are positive; use `flip`.

>>> xp = tallow.ones(2, 3).__array_namespace__()
>>> xp.sum(tallow.ones(2, 3), axis=0, keepdims=True)
tensor([[2., 2., 2.]])
"""

from math import e, inf, nan, pi

from tallow import (
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tallow.array_api import fft, linalg
from tallow.array_api.arrays import *
from tallow.array_api.elementwise import *
from tallow.array_api.info import *
from tallow.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot
from tallow.array_api.manipulation import *
from tallow.array_api.reductions import *
from tallow.array_api.searching import *

newaxis = None
__array_api_version__ = "2024.12"
