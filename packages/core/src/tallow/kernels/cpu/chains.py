"""What runs as a chain: operations of several steps, their gradients, and steps of optimizers."""

import numpy as np

from tallow.autograd.op import Op
from tallow.kernels.chain import ARRAY, FUNCTIONS, Chain, Number, known, specialised
from tallow.kernels.cpu import compiled
from tallow.kernels.updates import chain_of, updates
from tallow.ops import activation, dropout, elementwise, loss, norm, special


@Chain.of
def masked_sum(xp, x, keep, y, *, factor):
    return x * xp.where(keep, factor, 0.0) + y


@dropout.masked_sum.on("cpu")
def _(x, keep, y, *, p):
    return masked_sum.run(x, keep, y, factor=np.float32(1) / np.float32(1 - p))


@Chain.of
def add_relu(xp, x, y):
    return xp.maximum(x + y, 0)


activation.add_relu.on("cpu")(add_relu.run)


@Chain.of
def scale_add_relu(xp, x, y, scale, shift):
    return xp.maximum(x * scale + shift + y, 0)


@norm.normalize_add_relu_by.on("cpu")
def _(x, y, average, variance, weight, bias, *, factor, eps):
    scale = (1 if weight is None else weight) / np.sqrt(variance + x.dtype.type(eps))
    shift = (0 if bias is None else bias) - average * scale
    return scale_add_relu.run(x, y, scale.reshape(factor), shift.reshape(factor))


@Chain.of
def standardize(xp, x, average, deviation):
    return (x - average) / deviation


@Chain.of
def scale_and_standardize(xp, x, average, deviation, *, scale):
    return (x * scale - average) / deviation


@norm.standardize.on("cpu")
def _(x, average, deviation, *, scale):
    if scale == 1:
        return standardize.run(x, average, deviation)
    return scale_and_standardize.run(x, average, deviation, scale=scale)


# Operations whose own bodies are the chains, and so are the rules of their gradients

OTHER = object()


def _sort(x):
    """What an operand is: a float32 "f" or a bool array "?", a number, None, or something else."""
    if type(x) is np.ndarray:
        return x.dtype.char if x.dtype.char in "f?" else OTHER
    if isinstance(x, float | int | np.float32):
        return Number
    return x if x is None else OTHER


class Traced:
    """A kernel by chains of a function on arrays, one for each choice of what it is called with."""

    def __init__(self, function):
        self.function = function
        self.chains = {}

    def __call__(self, *operands, **settings):
        kinds = tuple([_sort(x) for x in operands])
        if "f" not in kinds or OTHER in kinds:
            return NotImplemented
        key = kinds, *map(known, settings.values())
        chain = self.chains.get(key)
        if chain is None:
            chain = self.chains[key] = self._chain(kinds, settings)
        arrays = tuple([x for x in operands if type(x) is np.ndarray])
        numbers = [x for x, kind in zip(operands, kinds, strict=True) if kind is Number]
        return compiled.chain_apply(chain.program, arrays, chain.row(*settings.values(), *numbers))

    def _chain(self, kinds, settings):
        kinds = [ARRAY if kind in ("f", "?") else kind for kind in kinds]
        names = [f"operand{i}" for i in range(len(kinds))]
        return specialised(lambda xp, *x, **how: self.function(*x, **how), names, kinds, settings)


def traced(*calls):
    """Run operations and the rules of their gradients as chains."""
    for call in calls:
        made = call.op
        if "cpu" not in made.special:
            made.call.on("cpu")(Traced(made.call))
        for rule in filter(None, made.rules):
            rule.function = Op.first_of(Traced(rule.written), rule.written)
        made.plans.clear()


elementwise.sigmoid.on("chain")(FUNCTIONS.sigmoid)
special.erf.on("chain")(FUNCTIONS.erf)

traced(
    activation.leaky_relu, activation.elu, activation.softplus, activation.logsigmoid,
    activation.mish, activation.gelu_tanh, activation.hardtanh, activation.hardtanh_grad,
    activation.threshold, activation.hardshrink, activation.softshrink,
    elementwise.lerp, elementwise.addcmul, elementwise.addcdiv, elementwise.hypot,
    elementwise.logaddexp, elementwise.copysign, elementwise.clip, elementwise.clip_to,
    elementwise.sqrt, elementwise.rsqrt, elementwise.reciprocal, elementwise.square,
    elementwise.absolute, elementwise.log1p, elementwise.sin, elementwise.cos,
    special.erf, special.erfc, special.erfinv, special.logit,
    loss.logistic_loss, loss.binary_cross_entropy, loss.smooth_l1, loss.squared_error,
    loss.kl_divergence,
)  # fmt: skip

POWERS = {
    3: Traced(lambda x: x * x * x),
    -1: Traced(lambda x: 1 / x),
    -2: Traced(lambda x: 1 / (x * x)),
    -0.5: Traced(lambda x: 1 / FUNCTIONS.sqrt(x)),
}


SLOPES = {2: Traced(lambda x: 2 * x), 3: Traced(lambda x: 3 * x * x)}


@elementwise.power.on("cpu")
def _(x, y):
    return _by_number(POWERS, x, y)


@elementwise.power_slope.on("cpu")
def _(x, y):
    return _by_number(SLOPES, x, y)


def _by_number(kernels, x, y):
    kernel = kernels.get(y) if isinstance(y, float | int | np.float32) else None
    return NotImplemented if kernel is None else kernel(x)


# Steps of optimizers, of all parameters in one call, by the bodies of their algorithms


@updates("elementwise", "cpu")
def _(update, *columns, **settings):
    kinds = tuple(map(_kind, columns))
    chain = chain_of(update, kinds, settings)
    arrays = [column for column, kind in zip(columns, kinds, strict=True) if kind is ARRAY]
    counts = [column for column, kind in zip(columns, kinds, strict=True) if kind is Number]
    if all(column.count(column[0]) == len(column) for column in counts):
        rows = [chain.row(*settings.values(), *[column[0] for column in counts])]
    else:
        rows = [chain.row(*settings.values(), *numbers) for numbers in zip(*counts, strict=True)]
    if not chain.update(arrays, rows):
        return NotImplemented


def _kind(column):
    """What a column holds: arrays, numbers, or nothing."""
    if not column:
        return None
    return Number if type(column[0]) in (float, int) else ARRAY
