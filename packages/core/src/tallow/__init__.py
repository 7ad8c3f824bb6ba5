# ruff: noqa: F403
"""tallow: tensors, automatic differentiation and neural networks, with PyTorch's names.

`import tallow as torch` is meant to be the whole migration.
"""

import math as _math
import warnings as _warnings
from importlib import import_module as _import_module

# Inf and NaN arise as IEEE 754 says, without a warning, as in PyTorch: NumPy's warnings about them
# are not shown where they come from tallow's own operations. NumPy called by others warns as ever.
_warnings.filterwarnings(
    "ignore", category=RuntimeWarning, module=r"tallow\.(ops|kernels|autograd|optim)"
)

from tallow import methods  # attaches the methods of Tensor
from tallow.activations import *
from tallow.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tallow.complex_parts import *
from tallow.creation import *
from tallow.device import device, get_default_device, set_default_device
from tallow.diagonals import *
from tallow.dtypes import *
from tallow.dtypes import bool_ as bool
from tallow.formatting import get_printoptions, set_printoptions
from tallow.indexing import *
from tallow.info import finfo, iinfo
from tallow.joining import *
from tallow.layout import *
from tallow.logic import *
from tallow.math import *
from tallow.products import *
from tallow.promotion import can_cast, result_type
from tallow.random import *
from tallow.reductions import *
from tallow.shaping import *
from tallow.size import Size
from tallow.special import *
from tallow.spectral import *
from tallow.tensor import Tensor

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None
__version__ = "0.1.0"


def is_tensor(obj):
    """True if `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """True if the tensor's dtype is floating."""
    return input.dtype.is_floating_point


def is_complex(input):
    """True if the tensor's dtype is complex."""
    return input.dtype.is_complex


def numel(input):
    """How many elements the tensor has."""
    return input.numel()


_PACKAGES = """
    amp autograd backends cuda distributions fft func hub linalg nn optim serialization signal
    special testing utils
""".split()

_FUNCTIONAL = """
    adaptive_avg_pool1d alpha_dropout avg_pool1d batch_norm bilinear
    binary_cross_entropy_with_logits celu channel_shuffle conv1d conv2d conv3d conv_transpose1d
    conv_transpose2d conv_transpose3d cosine_embedding_loss cosine_similarity ctc_loss dropout
    embedding embedding_bag feature_alpha_dropout group_norm hardshrink hinge_embedding_loss
    instance_norm kl_div layer_norm margin_ranking_loss max_pool1d max_pool2d max_pool3d
    pairwise_distance pdist pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rms_norm rrelu selu
    threshold triplet_margin_loss
""".split()


def __getattr__(name):
    """The packages, and functions that torch has here and in a package, at their first use."""
    if name in _PACKAGES:
        return _import_module(f"tallow.{name}")
    if name in ("load", "save"):
        return getattr(_import_module("tallow.serialization"), name)
    if name in _FUNCTIONAL:
        return getattr(_import_module("tallow.nn.functional"), name)
    raise AttributeError(f"module 'tallow' has no attribute {name!r}")
