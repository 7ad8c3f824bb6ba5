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
from tallow.attributes import *
from tallow.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tallow.casting import *
from tallow.changes import *
from tallow.complex_parts import *
from tallow.copies import *
from tallow.creation import *
from tallow.device import device, get_default_device, set_default_device
from tallow.diagonals import *
from tallow.dtypes import *
from tallow.dtypes import bool_ as bool
from tallow.dtypes import complex32 as chalf
from tallow.dtypes import complex64 as cfloat
from tallow.dtypes import complex128 as cdouble
from tallow.dtypes import float16 as half
from tallow.dtypes import float32 as float
from tallow.dtypes import float64 as double
from tallow.dtypes import int16 as short
from tallow.dtypes import int32 as int
from tallow.dtypes import int64 as long
from tallow.formatting import get_printoptions, set_printoptions
from tallow.indexing import *
from tallow.info import finfo, iinfo
from tallow.joining import *
from tallow.layout import *
from tallow.left_out import missing as _missing
from tallow.legacy import *
from tallow.logic import *
from tallow.math import *
from tallow.matrices import *
from tallow.ordering import *
from tallow.products import *
from tallow.promotion import can_cast, result_type
from tallow.random import *
from tallow.reductions import *
from tallow.running import *
from tallow.scattering import *
from tallow.settings import *
from tallow.shaping import *
from tallow.size import Size
from tallow.spectral import *
from tallow.statistics import *
from tallow.tensor import Tensor

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None
__version__ = "0.1.0"


_PACKAGES = """
    _C __config__ _dynamo _inductor accelerator amp array_api autograd backends compiler cpu cuda
    distributed distributions fft func futures fx hub jit library linalg masked mps multiprocessing
    nn onnx optim overrides profiler quasirandom return_types serialization signal sparse special
    testing types utils version xpu
""".split()

_ELSEWHERE = {
    "Event": "cuda", "Future": "futures", "GradScaler": "amp", "OutOfMemoryError": "errors",
    "PyTorchFileReader": "serialization", "ScriptModule": "jit", "Stream": "cuda",
    "SymFloat": "fx.experimental.proxy_tensor", "SymInt": "fx.experimental.proxy_tensor",
    "TensorType": "jit", "UntypedStorage": "attributes", "_assert": "compiler",
    "_assert_async": "compiler", "_check": "compiler", "_check_tensor_all": "compiler",
    "_check_tensor_all_with": "compiler", "_check_with": "compiler", "as_torch": "imitation",
    "cond": "_higher_order_ops", "detach": "graph", "get_device_module": "accelerator",
    "is_anomaly_enabled": "autograd.anomaly", "lobpcg": "linalg.factorizations",
    "is_inference_mode_enabled": "autograd.modes", "load": "serialization", "range": "legacy",
    "save": "serialization", "vmap": "func", "while_loop": "_higher_order_ops",
    "dsmm": "sparse", "spmm": "sparse",
}  # fmt: skip

_FUNCTIONAL = """
    adaptive_avg_pool1d alpha_dropout avg_pool1d bilinear celu channel_shuffle conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity dropout
    feature_alpha_dropout group_norm hardshrink layer_norm max_pool1d max_pool2d max_pool3d
    pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu rms_norm rrelu selu threshold
""".split()

_IN_PLACE = """
    abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_ asin_
    asinh_ atan_ atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_
    detach_ erf_ erfc_ exp2_ exp_ expm1_ fix_ floor_ frac_ gcd_ i0_ index_put_ lcm_ ldexp_ log10_
    log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ resize_as_ round_
    rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_ xlogy_
""".split()


_SPARSE = """
    _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo
    hspmm smm sparse_bsc_tensor sparse_bsr_tensor sparse_compressed_tensor sparse_coo_tensor
    sparse_csc_tensor sparse_csr_tensor sspaddmm
""".split()

_OWN_FORMS = """
    _chunk_cat _native_batch_norm_legit _softmax_backward_data _unsafe_masked_index
    _unsafe_masked_index_put_accumulate affine_grid_generator batch_norm
    binary_cross_entropy_with_logits constant_pad_nd conv_tbc convolution cosine_embedding_loss
    ctc_loss embedding grid_sampler grid_sampler_2d grid_sampler_3d gru gru_cell
    hinge_embedding_loss instance_norm kl_div lstm lstm_cell margin_ranking_loss native_batch_norm
    native_channel_shuffle native_dropout_backward native_group_norm native_layer_norm
    poisson_nll_loss rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell segment_reduce
    triplet_margin_loss
""".split()


def __getattr__(name):
    """The packages, and functions that torch has here and in a package, at their first use."""
    if name in _PACKAGES:
        return _import_module(f"tallow.{name}")
    if name == "functional":  # a module of PyTorch's whose names are here
        return _import_module("tallow")
    if name in _ELSEWHERE:
        return getattr(_import_module(f"tallow.{_ELSEWHERE[name]}"), name)
    if name in _SPARSE:
        return getattr(_import_module("tallow.sparse"), name)
    if name in _OWN_FORMS:
        return getattr(_import_module("tallow.own_forms"), name)
    if name in _FUNCTIONAL:
        return getattr(_import_module("tallow.nn.functional"), name)
    if name in _IN_PLACE:
        return getattr(Tensor, name)
    if name.startswith("_foreach_"):
        functions = _import_module("tallow.foreach").FUNCTIONS
        if name in functions:
            return functions[name]
    raise _missing("tallow", name)
