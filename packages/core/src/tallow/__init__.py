"""tallow: tensors, automatic differentiation and neural networks, with PyTorch's names.

`import tallow as torch` is meant to be the whole migration.
"""

import math as _math
import warnings as _warnings
from importlib import import_module as _import_module

# Inf and NaN arise as IEEE 754 says, without a warning, as in PyTorch: of NumPy's warnings about them, those
# that come from tallow's own operations are not shown. NumPy called by others warns as ever.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tallow\.(ops|kernels|autograd)")

from tallow import methods  # attaches the methods of Tensor
from tallow.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tallow.creation import (
    arange,
    as_tensor,
    asarray,
    clone,
    complex,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    frombuffer,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)  # fmt: skip
from tallow.device import device
from tallow.dtypes import (
    bfloat16,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
)  # fmt: skip
from tallow.dtypes import bool_ as bool
from tallow.formatting import get_printoptions, set_printoptions
from tallow.indexing import (
    gather,
    getitem,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    masked_fill,
    masked_scatter,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    searchsorted,
    setitem,
    take,
    take_along_dim,
)  # fmt: skip
from tallow.info import finfo, iinfo
from tallow.math import (
    abs,
    absolute,
    acos,
    add,
    addcdiv,
    addcmul,
    allclose,
    arccos,
    arcsin,
    arctan,
    arctan2,
    asin,
    atan,
    atan2,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    ceil,
    clamp,
    clip,
    cos,
    cosh,
    div,
    divide,
    eq,
    equal,
    erf,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    fmod,
    frac,
    ge,
    greater,
    greater_equal,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    lerp,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    maximum,
    minimum,
    mul,
    multiply,
    nan_to_num,
    ne,
    neg,
    negative,
    not_equal,
    positive,
    pow,
    reciprocal,
    remainder,
    round,
    rsqrt,
    rsub,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    sub,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
    where,
)  # fmt: skip
from tallow.products import (
    addmm,
    addmv,
    baddbmm,
    bmm,
    cdist,
    cross,
    dot,
    einsum,
    inner,
    kron,
    matmul,
    mm,
    mv,
    outer,
    tensordot,
    trace,
)  # fmt: skip
from tallow.promotion import can_cast, result_type
from tallow.random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from tallow.reductions import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    bincount,
    count_nonzero,
    cumprod,
    cumsum,
    logsumexp,
    max,
    mean,
    median,
    min,
    norm,
    prod,
    sort,
    std,
    std_mean,
    sum,
    topk,
    unique,
    var,
    var_mean,
)  # fmt: skip
from tallow.shaping import (
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    cat,
    chunk,
    concat,
    concatenate,
    diag,
    diagonal,
    flatten,
    flip,
    hstack,
    meshgrid,
    moveaxis,
    movedim,
    narrow,
    permute,
    ravel,
    repeat_interleave,
    reshape,
    roll,
    row_stack,
    select,
    split,
    squeeze,
    stack,
    swapaxes,
    swapdims,
    t,
    tile,
    transpose,
    tril,
    triu,
    unbind,
    unflatten,
    unsqueeze,
    vstack,
)  # fmt: skip
from tallow.size import Size
from tallow.tensor import Tensor

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None
strided, contiguous_format, preserve_format = "strided", "contiguous", "preserve"
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


_PACKAGES = ("amp", "autograd", "backends", "cuda", "distributions", "fft", "func", "hub", "linalg", "nn", "optim",
             "serialization", "special", "testing", "utils")  # fmt: skip


def __getattr__(name):
    """The packages, imported at their first use: `import tallow` stays quick."""
    if name in _PACKAGES:
        return _import_module(f"tallow.{name}")
    raise AttributeError(f"module 'tallow' has no attribute {name!r}")
