"""`autocast`: which functions compute in short floats, and which in float32.

Each function that `POLICIES` names is wrapped once, by `cast_by_policy`, before anything uses it.
Where autocast is on, the wrapper casts the arguments, with casts that are recorded like any other,
and calls the function with autocast off. The lists are PyTorch's.
"""

import functools
import threading
import warnings

from tallow import cuda
from tallow.autograd.modes import state as modes
from tallow.dtypes import FLOATING, bfloat16, float16, float32, float64
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.promotion import result_type, to_dtype
from tallow.shortcuts import unless
from tallow.tensor import Tensor

__all__ = [
    "autocast", "clear_autocast_cache", "get_autocast_cpu_dtype", "get_autocast_dtype",
    "get_autocast_gpu_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
    "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_dtype",
    "set_autocast_enabled",
]  # fmt: skip

# What the arguments of a function become: floats of the chosen short dtype; float32 where they are
# shorter; one dtype, the widest among them; or where dtypes are mixed float32, and then the result
# has the dtype of the first argument again.
SHORT, LONG, WIDEST, MIXED = "short", "long", "widest", "mixed"

_PRODUCTS = """
    addmm baddbmm bmm conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d
    conv_transpose3d einsum linear matmul mm multi_dot multi_head_attention_forward prelu
    scaled_dot_product_attention tensordot vecdot
"""
_LOSSES = """
    binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy ctc_loss
    hinge_embedding_loss huber_loss kl_div l1_loss margin_ranking_loss mse_loss multi_margin_loss
    multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss
    triplet_margin_loss
"""
POLICIES = {
    "cpu": {
        SHORT: _PRODUCTS,
        LONG: _LOSSES + """
            adaptive_avg_pool3d avg_pool3d binary_cross_entropy cdist cholesky eigh fft fft2 fftn
            grid_sample hfft ifft ifft2 ifftn ihfft inv inverse irfft irfft2 irfftn lstsq max_pool3d
            pinv pinverse polar prod qr quantile rfft rfft2 rfftn solve stft svd trace
        """,
        WIDEST: "bilinear cat index_copy stack",
        MIXED: "batch_norm group_norm instance_norm layer_norm rms_norm run_layers",
    },
    "cuda": {
        SHORT: _PRODUCTS + "addmv addr mv run_layers",
        LONG: _LOSSES + """
            acos asin cdist cosh cosine_similarity cumprod cumsum dist erfinv exp expm1 group_norm
            layer_norm log log10 log1p log2 log_softmax logsumexp norm normalize pdist pow prod
            reciprocal rsqrt sinh softmax softmin softplus sum tan
        """,
        WIDEST: """
            addcdiv addcmul atan2 bilinear cat cross dot grid_sample index_put scatter_add stack
        """,
        MIXED: "batch_norm instance_norm rms_norm",
    },
}  # fmt: skip
POLICY_OF = {
    device: {name: policy for policy, names in lists.items() for name in names.split()}
    for device, lists in POLICIES.items()
}


class _State(threading.local):
    active = None  # the short dtype by device type, None where autocast is off for all
    dtypes = {"cpu": bfloat16, "cuda": float16}
    cached = True
    cache = None  # the casts of leaves, while autocast is on


_state = _State()


class autocast:
    """Run products of matrices and the like in short floats. A context manager and a decorator.

    `device_type` is "cpu" (where the short dtype is bfloat16 unless told) or "cuda" (float16).
    Parameters stay in float32 and get their gradients in it; the cast of one is kept for the
    length of the context if `cache_enabled`.

    >>> layer = tallow.nn.Linear(2, 1)
    >>> with tallow.autocast("cpu"):
    ...     layer(tallow.ones(1, 2)).dtype
    tallow.bfloat16
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ArgumentError(
                "autocast: expected 'cpu' or 'cuda' as device_type, "
                f"got {type(device_type).__name__}"
            )
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if enabled and device_type == "cuda" and not cuda.is_available():
            warnings.warn("autocast: CUDA is not available; it is disabled", stacklevel=2)
            enabled = False
        if enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                f"autocast: expected bfloat16 or float16, got {self.fast_dtype}; it is disabled",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._cache_enabled = _state.cached if cache_enabled is None else cache_enabled
        self._before = []

    def __enter__(self):
        self._before.append((_state.active, _state.dtypes, _state.cached, _state.cache))
        _state.cached = self._cache_enabled
        _state.cache = {} if _state.cache is None else _state.cache
        set_autocast_dtype(self.device, self.fast_dtype)
        set_autocast_enabled(self.device, self._enabled)
        return self

    def __exit__(self, *exception):
        _state.active, _state.dtypes, _state.cached, _state.cache = self._before.pop()

    def __call__(self, func):
        if not callable(func):
            raise TypeMismatchError(
                f"autocast: expected a function to decorate, got {type(func).__name__}; "
                "as a context it is `with autocast(...):`"
            )

        @functools.wraps(func)
        def decorated(*args, **kwargs):
            with self:
                return func(*args, **kwargs)

        return decorated


ELSEWHERE = ("hpu", "ipu", "mps", "mtia", "xla", "xpu")  # devices of PyTorch's that are not here


def is_autocast_enabled(device_type="cuda"):
    """True where autocast is on for a device type."""
    if device_type in ELSEWHERE:
        return False
    _check_device("is_autocast_enabled", device_type)
    return device_type in (_state.active or ())


def set_autocast_enabled(device_type, enabled):
    """Turn autocast on or off for a device type."""
    _check_device("set_autocast_enabled", device_type)
    active = dict(_state.active or {})
    active.pop(device_type, None)
    if enabled:
        active[device_type] = _state.dtypes[device_type]
    _state.active = active or None


def get_autocast_dtype(device_type):
    """The short dtype of a device type."""
    _check_device("get_autocast_dtype", device_type)
    return _state.dtypes[device_type]


def set_autocast_dtype(device_type, dtype):
    """Set the short dtype of a device type."""
    _check_device("set_autocast_dtype", device_type)
    _state.dtypes = {**_state.dtypes, device_type: dtype}
    set_autocast_enabled(device_type, is_autocast_enabled(device_type))


def get_autocast_gpu_dtype():
    """The short dtype of CUDA devices."""
    return get_autocast_dtype("cuda")


def get_autocast_cpu_dtype():
    """The short dtype of the CPU."""
    return get_autocast_dtype("cpu")


def is_autocast_cpu_enabled():
    """True where autocast is on for the CPU."""
    return is_autocast_enabled("cpu")


def is_autocast_cache_enabled():
    """True where casts of parameters are kept."""
    return _state.cached


def set_autocast_cache_enabled(enabled):
    """Keep casts of parameters, or make them anew."""
    _state.cached = enabled


def clear_autocast_cache():
    """Forget the casts of parameters that were kept."""
    if _state.cache is not None:
        _state.cache.clear()


def is_autocast_available(device_type):
    """True if there are lists of functions for a device type.

    >>> tallow.amp.is_autocast_available("cpu")
    True
    """
    return device_type in POLICIES


def _check_device(name, device_type):
    if device_type not in POLICIES:
        raise RuntimeError(f"{name}: expected 'cpu' or 'cuda' as device_type, got {device_type!r}")


# The wrappers


def cast_by_policy(*modules):
    """Wrap what `POLICIES` names among the functions of modules."""
    named = {name for policies in POLICY_OF.values() for name in policies}
    for module in modules:
        for name in named.intersection(getattr(module, "__all__", vars(module))):
            function = getattr(module, name)
            if not hasattr(function, "policies"):  # it may have come from another module
                setattr(module, name, by_policy(function))


def by_policy(function):
    """Decorator: where autocast is on, the function gets its arguments cast as its name says."""
    name = function.__name__
    policies = {device: policy.get(name) for device, policy in POLICY_OF.items()}

    positional = getattr(function, "positional", function)

    @unless(_state, "active", positional)
    @functools.wraps(function)
    def call(*args, **kwargs):
        if _state.active is None:
            return function(*args, **kwargs) if kwargs else positional(*args)
        return _cast_and_call(function, policies, args, kwargs)

    call.policies = policies
    return call


def _cast_and_call(function, policies, args, kwargs):
    floats = [x for x in _tensors((args, kwargs)) if _eligible(x)]
    where = floats[0].device.type if floats else None
    policy = policies.get(where)
    written = kwargs.get("out") is not None  # into a tensor of its own dtype
    if policy is None or written or where not in _state.active:
        return function(*args, **kwargs)
    target = _state.active[where] if policy == SHORT else float32
    if policy == WIDEST:
        target = result_type(*[x.reshape(-1) for x in floats])
    elif policy == MIXED and len({x.dtype for x in floats}) == 1:
        target = floats[0].dtype
    active, _state.active = _state.active, None
    try:
        result = function(*cast_floats(args, target), **cast_floats(kwargs, target))
    finally:
        _state.active = active
    return cast_floats(result, floats[0].dtype) if policy == MIXED else result


def _eligible(x):
    return x.dtype.category == FLOATING and x.dtype is not float64


def _tensors(value):
    """The tensors among arguments, in lists, tuples and dictionaries too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def cast_floats(value, dtype, device_type=None):
    """Arguments with the floating tensors among them (on a type of device) in a dtype.

    float64 is left as it is.
    """
    if isinstance(value, Tensor):
        casts = _eligible(value) and device_type in (None, value.device.type)
        return _cast_tensor(value, dtype) if casts else value
    if type(value) in (list, tuple):
        return type(value)(cast_floats(item, dtype, device_type) for item in value)
    if type(value) is dict:
        return {name: cast_floats(item, dtype, device_type) for name, item in value.items()}
    return value


def _cast_tensor(x, dtype):
    if x.dtype is dtype:
        return x
    leaf = x._requires_grad and x.node is None and x.alias is None
    if not (leaf and _state.cached and x.dtype is float32 and _state.cache is not None):
        return to_dtype(x, dtype)
    key = x, dtype, x._version, modes.enabled
    if key not in _state.cache:
        _state.cache[key] = to_dtype(x, dtype)
    return _state.cache[key]
