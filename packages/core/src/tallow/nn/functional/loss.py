"""Losses of regression, of classes and of pairs. `reduction` is "mean", "sum" or "none";
`size_average` and `reduce` are PyTorch's older way to say it.
"""

import warnings

from tallow import math
from tallow.errors import ArgumentError, DtypeError, OutOfRangeError, ShapeError, describe
from tallow.nn.functional.activation import log_softmax
from tallow.nn.functional.common import floats, reduced, resolved_reduction
from tallow.ops import loss as ops
from tallow.promotion import pair
from tallow.reductions import sum

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss",
    "kl_div", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss",
]  # fmt: skip


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

    >>> import tallow
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
    return _weighted("huber_loss", losses, weight, reduction)


def _weighted(name, losses, weight, reduction):
    """The reduction of losses times `weight`: a mean is over the sum of the weights."""
    if weight is None:
        return reduced(name, losses, reduction)
    if weight.array.shape != losses.array.shape:
        raise ArgumentError(
            f"{name}: expected a weight of shape {losses.array.shape}, got {describe(weight)}"
        )
    losses = losses * weight
    return sum(losses) / sum(weight) if reduction == "mean" else reduced(name, losses, reduction)


# Of probabilities


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

    >>> import tallow
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


# Of classes


def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    """-log(softmax(input)) at the target class: (N, C), (N,) or (N, C, ...), (N, ...), or (C,), ().

    A floating target of the input's shape holds probabilities of the classes. `weight` (C,)
    multiplies what each class counts; targets equal to `ignore_index` count nothing;
    `label_smoothing` of the probability is spread evenly over the classes. The mean is over the sum
    of the weights.

    >>> import tallow
    >>> tallow.nn.functional.cross_entropy(tallow.zeros(2, 4), tallow.tensor([0, 3]))
    tensor(1.3863)
    """
    reduction = resolved_reduction("cross_entropy", size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"cross_entropy: expected label_smoothing from 0 to 1, got {label_smoothing}"
        )
    if target.array.shape == input.array.shape and target.dtype.is_floating_point:
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    _check_classes("cross_entropy", input, target, weight)
    how = {"ignore_index": ignore_index, "reduction": reduction}
    try:
        if not label_smoothing:
            return ops.cross_entropy(input, target, weight, **how)
        scores = log_softmax(input, ops.class_axis(input.array))
        hard = ops.nll(scores, target, weight, **how)
    except IndexError:
        raise _wrong_label("cross_entropy", input, target, ignore_index) from None
    return (
        hard * (1 - label_smoothing)
        + _even(scores, target, weight, ignore_index, reduction) * label_smoothing
    )


def _even(scores, target, weight, ignore_index, reduction):
    """The loss of labels spread evenly over the classes."""
    axis = ops.class_axis(scores.array)
    counted = target != ignore_index
    losses = -sum(scores if weight is None else scores * _by_class(weight, scores), axis)
    losses = losses.masked_fill(~counted, 0) / scores.array.shape[axis]
    if reduction != "mean":
        return reduced("cross_entropy", losses, reduction)
    if weight is None:
        return sum(losses) / counted.sum()
    return sum(losses) / (weight[target.masked_fill(~counted, 0)] * counted).sum()


def _by_class(weight, input):
    """weight (C,) in a shape that broadcasts against the input."""
    return weight.reshape(-1, *(1,) * (input.array.ndim - 2))


def _soft_cross_entropy(input, target, weight, reduction, label_smoothing):
    axis = ops.class_axis(input.array)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.array.shape[axis]
    scores = log_softmax(input, axis) * target
    losses = -sum(scores if weight is None else scores * _by_class(weight, input), axis)
    if reduction != "mean":
        return reduced("cross_entropy", losses, reduction)
    return sum(losses) / max(losses.array.size, 1)


def nll_loss(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"
):
    """-input at the target class, input of log probabilities; see `cross_entropy`."""
    reduction = resolved_reduction("nll_loss", size_average, reduce, reduction)
    _check_classes("nll_loss", input, target, weight)
    try:
        return ops.nll(input, target, weight, ignore_index=ignore_index, reduction=reduction)
    except IndexError:
        raise _wrong_label("nll_loss", input, target, ignore_index) from None


def _check_classes(name, input, target, weight):
    """Raise unless target and weight fit the input: integers, in its shape without the classes."""
    x, y = input.array, target.array
    if x.dtype.kind not in "fV":
        floats(name, input)
    if not x.ndim or (x.shape[0], *x.shape[2:]) != y.shape and (x.ndim > 1 or y.shape):
        expected = f"{(x.shape[0], *x.shape[2:])}" if x.ndim > 1 else "()"
        raise ArgumentError(
            f"{name}: expected a target {expected} of class indices for input {describe(input)}, "
            f"(N, C, ...), got {describe(target)}"
        )
    if y.dtype.kind not in "iu":
        raise DtypeError(
            f"{name}: expected class indices of int64, got {describe(target)}; convert with .long()"
        )
    classes = x.shape[ops.class_axis(x)]
    if weight is not None and weight.array.shape != (classes,):
        raise ShapeError(
            f"{name}: expected a weight ({classes},), one a class, got {describe(weight)}"
        )


def _wrong_label(name, input, target, ignore_index):
    """The error for a label out of range, made after the fact: a right call need not look."""
    classes = input.array.shape[ops.class_axis(input.array)]
    labels = target.array.reshape(-1)
    position = int((((labels < 0) | (labels >= classes)) & (labels != ignore_index)).argmax())
    return OutOfRangeError(
        f"{name}: expected labels from 0 to {classes - 1} (or ignore_index {ignore_index}), got "
        f"{labels[position]} at position {position} of {describe(target)}; the input is "
        f"{describe(input)}, with {classes} classes"
    )
