"""Random tensors and the generators that they are drawn from.

With the same seed, tensors on the CPU get the numbers that PyTorch gives them (`tallow.generator`
says to what precision). A CUDA device draws its own (`tallow.drawing`), from its own generator,
unless one of the CPU is given: then numbers are drawn on the host, and copied there. So are always
those of `poisson` and `binomial`.
"""

import math
import operator
from functools import cache, partial

import numpy as np

from tallow import backend, drawing, dtypes, rejection
from tallow import generator as streams
from tallow.autograd import inplace
from tallow.autograd.builtin import in_rows
from tallow.autograd.modes import state
from tallow.creation import place
from tallow.device import device as device_type
from tallow.device import get_default_device
from tallow.errors import (
    DeviceError,
    DistributionError,
    DtypeError,
    GradientError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.generator import Generator, default_generator
from tallow.layout import dense
from tallow.ops.elementwise import fill
from tallow.promotion import give, sizes_of
from tallow.seeding import fork_rng as fork_rng
from tallow.seeding import (
    get_rng_state,
    host_values,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from tallow.tensor import Tensor, wrap

__all__ = [
    "Generator", "bernoulli", "binomial", "default_generator", "get_rng_state", "initial_seed",
    "manual_seed", "multinomial", "normal", "poisson", "rand", "rand_like", "randint",
    "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip
METHODS = [
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_",
    "uniform_",
]  # fmt: skip

# Tensors of a given size


@dense
def rand(
    *sizes, size=None, generator=None, out=None, dtype=None, layout=None, device=None,
    requires_grad=False, pin_memory=False,
):  # fmt: skip
    """Uniform numbers in [0, 1), of the given size.

    >>> tallow.rand(2, 3).shape
    tallow.Size([2, 3])
    """
    dtype = _continuous("rand", dtype or dtypes.get_default_dtype())
    size = sizes or size
    return _sized("rand", streams.uniform, size, dtype, device, requires_grad, generator, out)


@dense
def randn(
    *sizes, size=None, generator=None, out=None, dtype=None, layout=None, device=None,
    requires_grad=False, pin_memory=False,
):  # fmt: skip
    """Normal numbers of mean 0 and variance 1, of the given size.

    >>> tallow.randn((2, 3), dtype=tallow.float64).dtype
    tallow.float64
    """
    dtype = _continuous("randn", dtype or dtypes.get_default_dtype())
    size = sizes or size
    return _sized("randn", _gaussian(dtype), size, dtype, device, requires_grad, generator, out)


@dense
def randint(
    *args, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False, **named,
):  # fmt: skip
    """`randint(low=0, high, size)`: whole numbers from `low` to `high` - 1, int64 unless told.

    >>> tallow.randint(10, (2, 3)).shape
    tallow.Size([2, 3])
    """
    low, high, size = _bounds_and_size(args, named)
    dtype = dtype or dtypes.int64
    draw = _whole_numbers("randint", dtype, low, high)
    return _sized("randint", draw, size, dtype, device, requires_grad, generator, out)


def _bounds_and_size(args, named):
    if len(args) == 3 and not named and isinstance(args[2], tuple | list):
        return args
    names = ("low", "high", "size")[-max(2, len(args) + len(named)) :]
    given = dict(zip((name for name in names if name not in named), args, strict=False)) | named
    whole = given.keys() - {"low"} == {"high", "size"} and len(given) == len(args) + len(named)
    if not whole or not isinstance(given["size"], tuple | list):
        raise TypeMismatchError(
            "randint: expected (high, size) or (low, high, size); size is a tuple of ints"
        )
    return given.get("low", 0), given["high"], given["size"]


@dense
def randperm(
    n, *, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """The numbers from 0 to n - 1 in random order, int64 unless told.

    >>> sorted(tallow.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    n, dtype = _whole("randperm", n), dtype or dtypes.int64
    if dtype.category not in (dtypes.INTEGER, dtypes.FLOATING):
        raise DtypeError(f"randperm: expected an integer or floating-point dtype, got {dtype}")
    largest = streams.largest(dtype.numpy)
    if not 0 <= n <= largest + 1:
        raise DistributionError(
            f"randperm: expected n from 0 to {largest + 1} for {dtype}, got {n}"
        )
    where, generator, maker = _drawer("randperm", device, generator)
    values = maker.randperm(generator, n, dtype.numpy)
    return give(_placed(values, where, requires_grad), out, "randperm")


@dense
def rand_like(
    input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    memory_format=None,
):  # fmt: skip
    """Uniform numbers in [0, 1), in the shape, dtype and device of `input`."""
    result = _like(input, dtype, device)
    return uniform_(result, generator=generator).requires_grad_(requires_grad)


@dense
def randn_like(
    input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    memory_format=None,
):  # fmt: skip
    """Normal numbers of mean 0 and variance 1, in the shape, dtype and device of `input`."""
    result = _like(input, dtype, device)
    return normal_(result, generator=generator).requires_grad_(requires_grad)


@dense
def randint_like(
    input, *bounds, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    memory_format=None, **named,
):  # fmt: skip
    """`randint_like(input, low=0, high)`: whole numbers, in `input`'s shape, dtype and device."""
    low, high, _ = _bounds_and_size((*bounds, ()), named)
    result = _like(input, dtype, device)
    draw = _whole_numbers("randint_like", result.dtype, low, high)
    return _refill("randint_like", result, draw, generator).requires_grad_(requires_grad)


def _sized(name, draw, size, dtype, where, requires_grad, generator, out):
    """A new tensor of a size, its values from `draw(generator, shape, dtype)`."""
    if size is None:
        raise TypeMismatchError(f"{name}: expected a size, got none; a 0-d tensor has size ()")
    shape = sizes_of(name, size if isinstance(size, tuple | list) else (size,))
    if min(shape, default=0) < 0:
        raise DistributionError(f"{name}: expected lengths of 0 or more, got size {shape}")
    where, generator, maker = _drawer(name, where, generator)
    values = _values(draw, generator, shape, dtype, maker)
    return give(_placed(values, where, requires_grad), out, name)


def _like(input, dtype, where):
    """Memory for a tensor like another, dense and with its dims in the same order."""
    dtype, array = dtype or input.dtype, input.array
    with backend.at(array):
        made = backend.for_array(array).xp.empty_like(array, dtype.numpy)
    return wrap(made) if where is None else wrap(made).to(where)


def _drawer(name, where, generator):
    """(device, generator, module) of numbers for a device: `streams`, or `drawing` there."""
    where = get_default_device() if where is None else device_type(where)
    generator = streams.generator_of(where) if generator is None else generator
    if generator.device.type == "cpu":
        return where, generator, streams
    if generator.device.type != where.type or where.index not in (None, generator.device.index):
        raise DeviceError(
            f"{name}: expected a generator of '{where}' or of the CPU, got one of "
            f"'{generator.device}'"
        )
    return generator.device, generator, drawing


def _placed(values, where, requires_grad=False):
    """A leaf with values that were drawn for a device, on it or on the host."""
    if isinstance(values, np.ndarray):
        return place(values, where, requires_grad)
    return wrap(values, requires_grad)


# In place


def uniform_(input, *bounds, generator=None, **named):
    """`uniform_(from=0, to=1)`: fill with uniform numbers in [from, to); returns the tensor.

    >>> bool((tallow.zeros(100).uniform_(2, 3) >= 2).all())
    True
    """
    low, high = _from_to("uniform_", bounds, named, (0.0, 1.0))
    if not low <= high:
        raise DistributionError(f"uniform_: expected from <= to, got from={low} and to={high}")
    _continuous("uniform_", input.dtype)
    return _refill("uniform_", input, partial(streams.uniform, low=low, high=high), generator)


def normal_(input, mean=0.0, std=1.0, *, generator=None):
    """Fill with normal numbers of a mean and a standard deviation; returns the tensor."""
    _expect("normal_", "std", std, "0 or more", std >= 0)
    dtype = _continuous("normal_", input.dtype)
    draw = _gaussian(dtype, mean, std, input.array.flags.c_contiguous)
    return _refill("normal_", input, draw, generator)


def random_(input, *bounds, generator=None, **named):
    """`random_(from=0, to=None)`: fill with whole numbers up to `to` - 1; returns the tensor.

    `random_(to)` starts from 0. Without `to`, they go up to the largest that the dtype holds, or to
    2**24 for float32, 2**53 for float64, 2**11 for float16 and 2**8 for bfloat16.

    >>> int(tallow.zeros(100).random_(5).max()) < 5
    True
    """
    if input.dtype.is_complex:
        raise DtypeError(f"random_: expected a real tensor, got {describe(input)}")
    if not bounds and not named:
        return _refill("random_", input, streams.any_integers, generator)
    if len(bounds) == 1 and not named:
        bounds = (0, *bounds)
    low, high = _from_to("random_", bounds, named, (0, None))
    if high is None and low == -(2**63):
        return _refill("random_", input, streams.full_range, generator)
    high = streams.largest(input.array.dtype) + 1 if high is None else high
    return _refill("random_", input, _whole_numbers("random_", input.dtype, low, high), generator)


def bernoulli_(input, p=0.5, *, generator=None):
    """Fill with ones with probability `p`, else zeros; returns the tensor.

    `p` is a number or a floating-point tensor that broadcasts.
    """
    if input.dtype.is_complex:
        raise DtypeError(f"bernoulli_: expected a real tensor, got {describe(input)}")
    if not isinstance(p, Tensor):
        _expect("bernoulli_", "p", p, "from 0 to 1", 0 <= p <= 1)
        return _refill("bernoulli_", input, partial(streams.bernoulli, probability=p), generator)
    _, _, maker = _drawer("bernoulli_", input.device, generator)
    chances = _probabilities("bernoulli_", p, maker)
    try:
        chances = backend.for_array(chances).xp.broadcast_to(chances, input.array.shape)
    except ValueError:
        raise ShapeError(
            f"bernoulli_: expected p to broadcast to {describe(input)}, got {describe(p)}"
        ) from None
    axes = _memory_order(input.array)

    def draw(generator, shape, dtype):
        return maker.bernoulli_each(generator, chances.transpose(axes), dtype)

    return _refill("bernoulli_", input, draw, generator)


def exponential_(input, lambd=1.0, *, generator=None):
    """Fill with numbers of density lambd * exp(-lambd * x); returns the tensor."""
    _expect("exponential_", "lambd", lambd, "above 0", lambd > 0)
    _floating("exponential_", input.dtype)
    return _refill("exponential_", input, partial(streams.exponential, rate=lambd), generator)


def geometric_(input, p, *, generator=None):
    """Fill with the number of trials up to a success of probability `p`; returns the tensor."""
    _expect("geometric_", "p", p, "between 0 and 1", 0 < p < 1)
    if input.dtype.category not in (dtypes.INTEGER, dtypes.FLOATING):
        raise DtypeError(
            f"geometric_: expected an integer or floating-point tensor, got {describe(input)}"
        )
    return _refill("geometric_", input, partial(streams.geometric, probability=p), generator)


def cauchy_(input, median=0.0, sigma=1.0, *, generator=None):
    """Fill with Cauchy numbers, `sigma` being half the width at half height; returns the tensor."""
    _expect("cauchy_", "sigma", sigma, "above 0", sigma > 0)
    _floating("cauchy_", input.dtype)
    return _refill("cauchy_", input, partial(streams.cauchy, median=median, sigma=sigma), generator)


def log_normal_(input, mean=1.0, std=2.0, *, generator=None):
    """Fill with exp of normal numbers of a mean and a standard deviation; returns the tensor."""
    _expect("log_normal_", "std", std, "above 0", std > 0)
    _floating("log_normal_", input.dtype)
    return _refill("log_normal_", input, partial(streams.log_normal, mean=mean, std=std), generator)


def _refill(name, input, draw, generator):
    """Replace the values by `draw(generator, shape, dtype)`, in the order of their memory."""
    if not getattr(input.array.flags, "writeable", True):
        raise GradientError(
            f"{name}: expected memory that may be written, got an expanded tensor; clone() it first"
        )
    axes = _memory_order(input.array)
    shape = tuple(input.array.shape[axis] for axis in axes)
    where, generator, maker = _drawer(name, input.device, generator)
    values = _values(draw, generator, shape, input.dtype, maker).transpose(
        np.argsort(axes).tolist()
    )
    source = _placed(values, where)
    if state.enabled and input.requires_grad:
        inplace.check(input, name, True)
        return inplace.assign(input, fill(inplace.snapshot(input), source), name)
    return inplace.assign(input, source.array, name)


def _memory_order(array):
    """The axes from the slowest in memory to the fastest."""
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))


def _values(draw, generator, shape, dtype, maker):
    """`draw` by a module for a dtype; complex numbers are drawn as pairs of real ones."""
    if maker is drawing:
        draw = _named(draw)
    if dtype.is_complex:
        return draw(generator, (*shape, 2), dtype.to_real().numpy).view(dtype.numpy)[..., 0]
    return draw(generator, shape, dtype.numpy)


def _named(draw):
    """The function of `drawing` in place of one of `streams`, with the same settings."""
    if isinstance(draw, partial):
        return partial(_named(draw.func), **draw.keywords)
    return getattr(drawing, draw.__name__) if draw.__module__ == streams.__name__ else draw


# Draws from tensors of parameters


@backend.there
def bernoulli(input, p=None, *, generator=None, out=None):
    """Ones with the probability that each element of `input` gives (or `p`, for all), else zeros.

    >>> tallow.bernoulli(tallow.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    array = input.array
    result = wrap(backend.for_array(array).xp.empty(array.shape, array.dtype))  # row-major
    return give(
        bernoulli_(result, input if p is None else p, generator=generator), out, "bernoulli"
    )


@dense
def normal(
    mean, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
    requires_grad=False, pin_memory=False,
):  # fmt: skip
    """Normal numbers, with mean and standard deviation of each from tensors, or of all and a size.

    >>> tallow.normal(0.0, 1.0, (2, 3)).shape
    tallow.Size([2, 3])
    >>> tallow.normal(tallow.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeMismatchError(
                "normal: expected a tensor as mean or std, or a size, got two numbers"
            )
        _expect("normal", "std", std, "0 or more", std >= 0)
        dtype = _continuous("normal", dtype or dtypes.get_default_dtype())
        draw = _gaussian(dtype, mean, std)
        return _sized("normal", draw, size, dtype, device, requires_grad, generator, out)
    where, generator, maker = _drawer("normal", tensors[0].device, generator)
    means, deviations = (_seen(x, maker) if isinstance(x, Tensor) else x for x in (mean, std))
    right = (deviations >= 0).all() if isinstance(std, Tensor) else std >= 0
    if streams.captured is None and not right:
        raise DistributionError(
            f"normal: expected std of 0 or more, got {describe(std)} with a negative one"
        )
    dtype = _continuous("normal", tensors[0].dtype)
    shape = np.broadcast_shapes(*(x.array.shape for x in tensors))
    values = _values(_gaussian(dtype), generator, shape, dtype, maker)
    values *= deviations
    values += means
    return give(_placed(values, where), out, "normal")


def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """`num_samples` indices (int64) a row, with the weights (C,) or (N, C) as probabilities.

    The weights need not sum to 1. Without `replacement`, no index comes twice in a row.

    >>> tallow.multinomial(tallow.tensor([0.0, 3.0, 0.0]), 1)
    tensor([1])
    """
    where, generator, maker = _drawer("multinomial", input.device, generator)
    weights, count = _seen(input, maker), _whole("multinomial", num_samples)
    _floating("multinomial", input.dtype)
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial: expected weights (C,) or (N, C), got {describe(input)}")
    if not 0 < count <= (math.inf if replacement else weights.shape[-1]):
        hint = "" if count < 1 else f"; only {weights.shape[-1]} can be drawn without replacement"
        raise DistributionError(
            f"multinomial: expected a number of samples above 0, got {count}{hint}"
        )
    _check_weights(weights)
    indices = in_rows(maker.multinomial(generator, weights, count, replacement))
    return give(_placed(indices, where), out, "multinomial")


def _check_weights(weights):
    """Raise for weights that are no probabilities, unless nobody may wait for them."""
    xp = backend.for_array(weights).xp
    if streams.captured is not None:
        return
    if not (xp.isfinite(weights) & (weights >= 0)).all():
        raise DistributionError(
            "multinomial: expected finite weights of 0 or more, got inf, nan or a negative one"
        )
    if not (weights.astype(np.float64).sum(-1) > 0).all():
        raise DistributionError(
            "multinomial: expected a weight above 0 in each row, got a row of zeros"
        )


@backend.there
def poisson(input, generator=None):
    """Counts of events, each element of `input` being the rate of its own.

    >>> tallow.poisson(tallow.zeros(2))
    tensor([0., 0.])
    """
    _floating("poisson", input.dtype)
    where, generator, maker = _drawer("poisson", input.device, generator)
    rates = _seen(input, maker)
    if streams.captured is None and not (rates >= 0).all():
        raise DistributionError("poisson: expected rates of 0 or more, got a negative one")
    return _placed(_rejecting(maker).poisson(generator, rates), where)


@backend.there
def binomial(count, prob, generator=None):
    """The number of successes of `count` trials, each of probability `prob`; both of one dtype.

    >>> tallow.binomial(tallow.tensor([3.0, 4.0]), tallow.tensor([1.0, 0.0]))
    tensor([3., 0.])
    """
    _floating("binomial", count.dtype)
    if count.dtype != prob.dtype:
        raise TypeMismatchError(
            f"binomial: expected one dtype, got {describe(count)} and {describe(prob)}"
        )
    where, generator, maker = _drawer("binomial", count.device, generator)
    counts, chances = _seen(count, maker), _seen(prob, maker)
    counts, chances = backend.for_array(counts).xp.broadcast_arrays(counts, chances)
    return _placed(_rejecting(maker).binomial(generator, counts, chances), where)


def _rejecting(maker):
    """The module that draws by rejection where another draws."""
    return drawing if maker is drawing else rejection


# Arguments


def _gaussian(dtype, mean=0.0, std=1.0, contiguous=True):
    """The stream of normal numbers; a complex number's two parts share its variance."""
    spread = std / math.sqrt(2) if dtype.is_complex else std
    return partial(streams.normal, mean=mean, std=spread, contiguous=contiguous)


def _whole_numbers(name, dtype, low, high):
    """The stream of whole numbers from `low` to `high` - 1, which the dtype must hold."""
    low, high = _whole(name, low), _whole(name, high)
    if dtype.is_complex:
        raise DtypeError(f"{name}: expected a real dtype, got {dtype}")
    if low >= high:
        raise DistributionError(f"{name}: expected low < high, got low={low} and high={high}")
    least, most = _whole_range(dtype)
    if not least <= low < high <= most + 1:
        raise DistributionError(
            f"{name}: expected bounds that {dtype} holds, got low={low} and high={high}"
        )
    return partial(streams.integers, low=low, high=high)


@cache
def _whole_range(dtype):
    """The least and the largest bound of whole numbers in a dtype; a floating one rounds any."""
    if dtype.category == dtypes.FLOATING:
        return -math.inf, math.inf
    most = streams.largest(dtype.numpy)
    return (-most - (dtype.category == dtypes.INTEGER) if dtype.is_signed else 0), most


def _from_to(name, bounds, named, defaults):
    """Two bounds called "from" (a word that no parameter can be called) and "to"."""
    given = dict(zip(("from", "to"), bounds, strict=False))
    if len(bounds) > 2 or named.keys() - {"from", "to"} or named.keys() & given.keys():
        raise TypeMismatchError(f"{name}: expected at most from and to, got {(*bounds, *named)}")
    given |= named
    return given.get("from", defaults[0]), given.get("to", defaults[1])


def _whole(name, value):
    try:
        return operator.index(value)
    except TypeError:
        raise TypeMismatchError(f"{name}: expected an int, got {value!r}") from None


def _expect(op, name, value, wanted, holds):
    if not holds:
        raise DistributionError(f"{op}: expected {name} {wanted}, got {value}")


def _continuous(name, dtype):
    if dtype.category < dtypes.FLOATING:
        raise DtypeError(f"{name}: expected a floating-point or complex dtype, got {dtype}")
    return dtype


def _floating(name, dtype):
    if dtype.category != dtypes.FLOATING:
        raise DtypeError(f"{name}: expected a floating-point dtype, got {dtype}")


def _probabilities(name, p, maker):
    chances = _seen(p, maker)
    _floating(name, p.dtype)
    if streams.captured is None and not ((chances >= 0) & (chances <= 1)).all():
        raise DistributionError(f"{name}: expected probabilities from 0 to 1, got others")
    return chances


def _seen(tensor, maker):
    """A tensor's values where a module draws."""
    return tensor.array if maker is drawing else host_values(tensor)
