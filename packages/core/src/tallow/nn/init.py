"""Initial values: every function fills a tensor in place, unrecorded, and returns it.

With the same seed the draws are PyTorch's on the CPU.
"""

import math

import numpy as np

from tallow import backend
from tallow.autograd.modes import no_grad
from tallow.creation import empty_like
from tallow.errors import ArgumentError
from tallow.math import where
from tallow.random import randperm
from tallow.tensor import wrap

_GAINS = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
_UNIT_GAINS = ("linear", "sigmoid", *(f"conv{t}{n}d" for t in ("", "_transpose") for n in "123"))


def calculate_gain(nonlinearity, param=None):
    """The factor on weights before a nonlinearity that keeps the variance of the activations.

    `param` is the negative slope of "leaky_relu", 0.01 by default.

    >>> from tallow.nn import init
    >>> round(init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity in _UNIT_GAINS:
        return 1
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ArgumentError(f"calculate_gain: expected a number as slope, got {param!r}")
        return math.sqrt(2.0 / (1 + slope**2))
    known = ", ".join([*_UNIT_GAINS, *_GAINS, "leaky_relu"])
    raise ArgumentError(f"calculate_gain: expected one of {known}, got {nonlinearity!r}")


@no_grad()
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Fill with draws from the uniform distribution on [a, b).

    >>> w = tallow.nn.init.uniform_(tallow.empty(100), -1, 1)
    >>> bool((w.abs() <= 1).all())
    True
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Fill with draws from the normal distribution."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Fill with draws from the normal distribution cut off outside [a, b].

    By rejection: draws from the whole distribution where at least three tenths of it are inside,
    else uniform ones, accepted in proportion to the density. What is rejected is drawn again.

    >>> w = tallow.nn.init.trunc_normal_(tallow.empty(100), std=2.0, a=-1.0, b=1.0)
    >>> bool((w.abs() <= 1).all())
    True
    """
    if not a < b:
        raise ArgumentError(f"trunc_normal_: expected bounds a < b, got a={a} and b={b}")
    peak = ((min(max(mean, a), b) - mean) / std) ** 2

    def normal():
        values = empty_like(tensor).normal_(mean, std, generator=generator)
        return values, (values < a) | (values > b)

    def uniform():
        values = empty_like(tensor).uniform_(a, b, generator=generator)
        log_density = (peak - ((values - mean) / std) ** 2) / 2  # 0 at the peak
        return values, empty_like(tensor).uniform_(generator=generator).log() > log_density

    inside = (math.erf((b - mean) / (std * 2**0.5)) - math.erf((a - mean) / (std * 2**0.5))) / 2
    draw = normal if inside > 0.3 else uniform
    values, rejected = draw()
    while rejected.any():
        again, rejected_again = draw()
        values = where(rejected, again, values)
        rejected = rejected & rejected_again
    return tensor.copy_(values)


@no_grad()
def constant_(tensor, val):
    """Fill with one value."""
    return tensor.fill_(val)


def ones_(tensor):
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor):
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor):
    """Fill a matrix with the identity: ones on the diagonal, zeros elsewhere.

    >>> tallow.nn.init.eye_(tallow.empty(2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    _expect_dimensions("eye_", tensor, (2,))
    return _fill(tensor, np.eye(*tensor.shape))


def dirac_(tensor, groups=1):
    """Make a convolution's weight `(out_channels, in_channels / groups, ...)` pass channels on.

    As many channels of each group as there are on both sides are copied; the rest gives zero.
    """
    _expect_dimensions("dirac_", tensor, (3, 4, 5))
    out_channels, in_channels, *kernel = tensor.shape
    if out_channels % groups:
        raise ArgumentError(
            f"dirac_: expected out_channels divisible by groups={groups}, got {out_channels}"
        )
    per_group = out_channels // groups
    values = np.zeros(tuple(tensor.shape))
    centre = tuple(size // 2 for size in kernel)
    for group in range(groups):
        for channel in range(min(per_group, in_channels)):
            values[(group * per_group + channel, channel, *centre)] = 1
    return _fill(tensor, values)


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Uniform within ±gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Normal with std = gain * sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Uniform within ±gain * sqrt(3 / fan) (He et al., 2015).

    `a` is the negative slope of "leaky_relu"; `mode` says which fan keeps its variance: "fan_in"
    that of the forward, "fan_out" that of the backward.

    >>> w = tallow.nn.init.kaiming_uniform_(tallow.empty(8, 3), nonlinearity="relu")
    >>> bool((w.abs() <= 2**0.5).all())
    True
    """
    if 0 in tensor.shape:
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Normal with std = gain / sqrt(fan) (He et al., 2015); arguments as `kaiming_uniform_`."""
    if 0 in tensor.shape:
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


@no_grad()
def orthogonal_(tensor, gain=1, generator=None):
    """Fill with a matrix of orthonormal rows or columns (Saxe et al., 2013).

    Dimensions after the first are taken together.

    >>> w = tallow.nn.init.orthogonal_(tallow.empty(3, 5))
    >>> bool(tallow.allclose(w @ w.T, tallow.eye(3), atol=1e-6))
    True
    """
    if tensor.ndim < 2:
        raise ArgumentError(f"orthogonal_: expected at least 2 dimensions, got {tensor.ndim}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    flat = _to_host(tensor.new_empty(rows, tensor.numel() // rows).normal_(generator=generator))
    wide = flat.shape[0] < flat.shape[1]
    q, r = np.linalg.qr(flat.T if wide else flat)
    q = q * np.sign(np.diag(r))  # makes the distribution uniform (Mezzadri, 2007)
    return _fill(tensor, (q.T if wide else q).reshape(tuple(tensor.shape)) * gain)


@no_grad()
def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Fill a matrix with normal draws, a fraction of each column with zeros (Martens, 2010)."""
    _expect_dimensions("sparse_", tensor, (2,))
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[randperm(rows)[:zeros], column] = 0
    return tensor


def _calculate_fan_in_and_fan_out(tensor):
    """How many inputs an output has, and how many outputs an input, by the weight's shape."""
    if tensor.ndim < 2:
        raise ArgumentError(
            f"fan in and fan out: expected a weight of at least 2 dimensions, got {tensor.ndim}"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def _calculate_correct_fan(tensor, mode):
    """The one of the two that a mode names, "fan_in" or "fan_out"."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"mode: expected 'fan_in' or 'fan_out', got {mode!r}")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def _kaiming_std(tensor, a, mode, nonlinearity):
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def _expect_dimensions(name, tensor, expected):
    if tensor.ndim not in expected:
        numbers = " or ".join(str(n) for n in expected)
        raise ArgumentError(f"{name}: expected a tensor of {numbers} dimensions, got {tensor.ndim}")


def _to_host(tensor):
    return backend.for_array(tensor.array).to_host(tensor.array)


@no_grad()
def _fill(tensor, values):
    """Copy a NumPy array into the tensor."""
    return tensor.copy_(wrap(values))


# Names that PyTorch has had before, and deprecates.
uniform, normal, constant, eye, dirac = uniform_, normal_, constant_, eye_, dirac_
xavier_uniform, xavier_normal, orthogonal, sparse = (
    xavier_uniform_, xavier_normal_, orthogonal_, sparse_,
)  # fmt: skip
kaiming_uniform, kaiming_normal = kaiming_uniform_, kaiming_normal_
