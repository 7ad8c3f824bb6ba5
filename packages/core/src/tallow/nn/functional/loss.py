"""Losses between numbers and of probabilities. `reduction` is "mean", "sum" or "none";
`size_average` and `reduce` are PyTorch's older way to say it.
"""

import warnings

from tallow import backend, math
from tallow.creation import full_like
from tallow.errors import ArgumentError, DtypeError, ShapeError, describe
from tallow.nn.functional.common import check_reduction, floats, reduced, resolved_reduction
from tallow.ops import loss as ops
from tallow.promotion import pair
from tallow.reductions import sum
from tallow.tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "huber_loss",
    "kl_div", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip

HALF_LOG_2_PI = 0.9189385332046727


def _fitting(name, input, target):
    """Both in one dtype; a target of another shape is broadcast, with a warning, as in PyTorch."""
    if input.array.shape != target.array.shape:
        warnings.warn(
            f"{name}: expected input and target of one shape, got {describe(input)} and "
            f"{describe(target)}; they are broadcast, which is rarely meant",
            stacklevel=3,
        )
    return pair(name, input, target)


# Between numbers


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target) ** 2.

    >>> tallow.nn.functional.mse_loss(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = resolved_reduction("mse_loss", size_average, reduce, reduction)
    return _weighted(
        "mse_loss", ops.squared_error(*_fitting("mse_loss", input, target)), weight, reduction
    )


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|."""
    reduction = resolved_reduction("l1_loss", size_average, reduce, reduction)
    input, target = _fitting("l1_loss", input, target)
    return _weighted("l1_loss", math.abs(input - target), weight, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """(input - target) ** 2 / (2 beta) where the distance is below beta, else it less beta / 2."""
    reduction = resolved_reduction("smooth_l1_loss", size_average, reduce, reduction)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: expected beta of 0 or more, got {beta}")
    input, target = _fitting("smooth_l1_loss", input, target)
    losses = math.abs(input - target) if beta == 0 else ops.smooth_l1(input, target, beta=beta)
    return reduced("smooth_l1_loss", losses, reduction)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d * d / 2 where the distance d is below delta, else delta * (d - delta / 2)."""
    if delta <= 0:
        raise ArgumentError(f"huber_loss: expected delta above 0, got {delta}")
    losses = ops.smooth_l1(*_fitting("huber_loss", input, target), beta=delta) * delta
    if weight is not None:
        losses = losses * _same_shape("huber_loss", losses, weight)
    return reduced("huber_loss", losses, reduction)


def _weighted(name, losses, weight, reduction):
    """The reduction of losses times `weight`: a mean is over the sum of the weights."""
    if weight is None:
        return reduced(name, losses, reduction)
    losses = losses * _same_shape(name, losses, weight)
    return sum(losses) / sum(weight) if reduction == "mean" else reduced(name, losses, reduction)


def _same_shape(name, losses, weight):
    if weight.array.shape != losses.array.shape:
        raise ArgumentError(
            f"{name}: expected a weight of shape {losses.array.shape}, got {describe(weight)}"
        )
    return weight


# Of probabilities


@backend.there
def binary_cross_entropy(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """-(target * log(input) + (1 - target) * log(1 - input)), each logarithm at least -100."""
    name = "binary_cross_entropy"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    if input.array.shape != target.array.shape:
        raise ArgumentError(
            f"{name}: expected input and target of one shape, got {describe(input)} and "
            f"{describe(target)}"
        )
    floats(name, input)
    if input.dtype != target.dtype:
        raise DtypeError(
            f"{name}: expected a target of dtype {input.dtype}, got {describe(target)}; convert "
            f"with .to({input.dtype})"
        )
    array = input.array
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ShapeError(
            f"{name}: expected probabilities between 0 and 1, got values from {array.min():.4g} to "
            f"{array.max():.4g}; for scores use binary_cross_entropy_with_logits"
        )
    losses = ops.binary_cross_entropy(input, target)
    return reduced(name, losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """`binary_cross_entropy` of sigmoid(input), stable; target 1 counts `pos_weight` times.

    >>> x, y = tallow.tensor([0.0, 0.0]), tallow.tensor([0.0, 1.0])
    >>> tallow.nn.functional.binary_cross_entropy_with_logits(x, y)
    tensor(0.6931)
    """
    name = "binary_cross_entropy_with_logits"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    if input.array.shape != target.array.shape:
        raise ArgumentError(
            f"{name}: expected input and target of one shape, got {describe(input)} and "
            f"{describe(target)}"
        )
    input, target = pair(name, input, target)
    losses = ops.logistic_loss(input, target)
    if pos_weight is not None:
        losses = losses + (pos_weight - 1) * target * ops.logistic_loss(input, target * 0 + 1)
    return reduced(name, losses if weight is None else losses * weight, reduction)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target * (log(target) - input) of log probabilities; the target's too if `log_target`.

    Reduction "batchmean" divides the sum by the number of rows, as the definition does.
    """
    by_row = reduction == "batchmean"
    reduction = resolved_reduction("kl_div", size_average, reduce, "sum" if by_row else reduction)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides by the number of elements in kl_div; 'batchmean' gives "
            "the divergence",
            stacklevel=2,
        )
    input, target = pair("kl_div", input, target)
    losses = math.exp(target) * (target - input) if log_target else ops.kl_divergence(input, target)
    result = reduced("kl_div", losses, reduction)
    return result / input.array.shape[0] if by_row and input.array.ndim else result


@backend.there
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log(var) + (input - target) ** 2 / var) / 2, var at least eps: of a normal distribution.

    `var` has the input's shape, or 1 or nothing in place of its last size, or is a number. `full`
    adds log(2 pi) / 2. Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    if not isinstance(var, Tensor):
        var = full_like(input, var)
    shape = input.array.shape
    if var.array.shape == shape[:-1] != shape:
        var = var.unsqueeze(-1)
    alike = [n == m for n, m in zip(shape, var.array.shape, strict=False)]
    if var.array.ndim != len(shape) or alike.count(False) > 1 or (
        not all(alike) and var.array.shape[alike.index(False)] != 1
    ):  # fmt: skip
        raise ArgumentError(f"{name}: expected var of shape {shape}, got {describe(var)}")
    if (var.array < 0).any():
        raise ArgumentError(f"{name}: expected var of 0 or more, got {var.min().item()}")
    var = var + (var.detach().clamp(min=eps) - var.detach())  # the gradient passes the limit
    losses = (math.log(var) + (input - target) ** 2 / var) * 0.5
    return reduced(name, losses + HALF_LOG_2_PI if full else losses, reduction)


def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
    reduction="mean",
):  # fmt: skip
    """exp(input) - target * input, or input - target * log(input + eps) unless `log_input`.

    The negative log likelihood of a Poisson distribution without log(target!), of which `full` adds
    Stirling's approximation where the target is above 1.
    """
    reduction = resolved_reduction("poisson_nll_loss", size_average, reduce, reduction)
    if log_input:
        losses = math.exp(input) - target * input
    else:
        losses = input - target * math.log(input + eps)
    if full:
        safe = target.masked_fill(target <= 1, 1)
        stirling = safe * math.log(safe) - safe + math.log(safe) * 0.5 + HALF_LOG_2_PI
        losses = losses + stirling.masked_fill(target <= 1, 0)
    return reduced("poisson_nll_loss", losses, reduction)
