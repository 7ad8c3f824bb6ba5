"""Losses of classes and of sequences of them."""

from math import inf

from tallow import backend
from tallow.creation import arange, as_tensor, full
from tallow.dtypes import int64
from tallow.errors import (
    ArgumentError,
    DtypeError,
    IndexValueError,
    NotSupportedError,
    ShapeError,
    describe,
)
from tallow.nn.functional.activation import log_softmax, logsigmoid
from tallow.nn.functional.common import floats, reduced, resolved_reduction
from tallow.nn.functional.linear import linear
from tallow.nn.functional.sparse import check_range
from tallow.ops import loss as ops
from tallow.ops.ctc import ctc
from tallow.reductions import mean, sum

__all__ = [
    "cross_entropy", "ctc_loss", "linear_cross_entropy", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss",
]  # fmt: skip


def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    """-log(softmax(input)) at the target class: (N, C), (N,) or (N, C, ...), (N, ...), or (C,), ().

    A floating target of the input's shape holds probabilities of the classes. `weight` (C,)
    multiplies what each class counts; targets equal to `ignore_index` count nothing;
    `label_smoothing` of the probability is spread evenly over the classes. The mean is over the sum
    of the weights.

    >>> tallow.nn.functional.cross_entropy(tallow.zeros(2, 4), tallow.tensor([0, 3]))
    tensor(1.3863)
    """
    reduction = resolved_reduction("cross_entropy", size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"cross_entropy: expected label_smoothing from 0 to 1, got {label_smoothing}"
        )
    if target.array.shape == input.array.shape and target.dtype.is_floating_point:
        if ignore_index >= 0:
            raise NotSupportedError(
                "cross_entropy: expected no ignore_index with a target of probabilities, got "
                f"{ignore_index}"
            )
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    check_classes("cross_entropy", input, target, weight)
    how = {"ignore_index": ignore_index, "reduction": reduction}
    try:
        if not label_smoothing:
            return ops.cross_entropy(input, target, weight, **how)
        scores = log_softmax(input, ops.class_axis(input.array))
        hard = ops.nll(scores, target, weight, **how)
    except IndexError:
        raise wrong_label("cross_entropy", input, target, ignore_index) from None
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
    check_classes("nll_loss", input, target, weight)
    try:
        return ops.nll(input, target, weight, ignore_index=ignore_index, reduction=reduction)
    except IndexError:
        raise wrong_label("nll_loss", input, target, ignore_index) from None


def check_classes(name, input, target, weight):
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
    if weight is not None and (weight.array.shape != (classes,) or weight.dtype is not input.dtype):
        raise ShapeError(
            f"{name}: expected a weight ({classes},) of {input.dtype}, one a class, got "
            f"{describe(weight)}"
        )


def wrong_label(name, input, target, ignore_index):
    """The error for a label out of range, made after the fact: a right call need not look."""
    classes = input.array.shape[ops.class_axis(input.array)]
    labels = target.array.reshape(-1)
    position = int((((labels < 0) | (labels >= classes)) & (labels != ignore_index)).argmax())
    return IndexValueError(
        f"{name}: expected labels from 0 to {classes - 1} (or ignore_index {ignore_index}), got "
        f"{labels[position]} at position {position} of {describe(target)}; the input is "
        f"{describe(input)}, with {classes} classes"
    )


@backend.there
def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over other classes of max(0, margin - input[target] + input) ** p: (N, C), (N,)."""
    name = "multi_margin_loss"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    if p not in (1, 2):
        raise ArgumentError(f"{name}: expected p of 1 or 2, got {p}")
    if weight is not None and weight.array.ndim != 1:
        raise ArgumentError(f"{name}: expected weight (C,), got {describe(weight)}")
    shape = target.array.shape  # (N,), or with an input (C,) also ()
    if input.array.ndim < 2:
        input, target = input.reshape(1, -1), target.reshape(-1)
    check_classes(name, input, target, weight)
    classes, label = input.array.shape[1], target.unsqueeze(1)
    if target.array.size and not 0 <= target.array.min() <= target.array.max() < classes:
        raise wrong_label(name, input, target, None)
    excess = (margin - input.gather(1, label) + input).clamp(min=0) ** p
    if weight is not None:
        excess = excess * weight[label]
    losses = sum(excess.scatter(1, label, 0.0), 1) / classes
    return reduced(name, losses.reshape(shape), reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The sum over labels and other classes of max(0, 1 - input[label] + input[other]), over C.

    input (N, C), target (N, C) of labels: those of a row end at the first that is -1.
    """
    name = "multilabel_margin_loss"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    shape = input.array.shape
    if shape != target.array.shape or len(shape) > 2 or 0 in shape[-1:]:
        raise ShapeError(
            f"{name}: expected input and target (N, C) or (C,), got {describe(input)} and "
            f"{describe(target)}"
        )
    single = input.array.ndim < 2
    if single:
        input, target = input.reshape(1, -1), target.reshape(1, -1)
    given = (target >= 0).long().cumprod(1)
    label = target * given
    hits = (given * 0).scatter_add(1, label, given) > 0
    distance = 1 - input.gather(1, label).unsqueeze(2) + input.unsqueeze(1)
    counted = given.unsqueeze(2) * (~hits).unsqueeze(1).long()
    losses = sum(distance.clamp(min=0) * counted, (1, 2)) / input.array.shape[1]
    return reduced(name, losses.reshape(()) if single else losses, reduction)


def multilabel_soft_margin_loss(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over classes of the binary cross entropy of sigmoid(input): (..., C) -> (...)."""
    name = "multilabel_soft_margin_loss"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    losses = losses if weight is None else losses * weight
    return reduced(name, sum(losses, -1) / input.array.shape[-1], reduction)


def linear_cross_entropy(
    input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
    ignore_index=None, label_smoothing=0.0, options=None,
):  # fmt: skip
    """`cross_entropy` of the scores input @ linear_weight.T + linear_bias.

    input (N, in) or (in,), linear_weight (C, ..., in), linear_bias (C, ...) -> scores (N, C, ...).
    `options`, of how PyTorch cuts the product into chunks, make no difference.
    """
    if not (input.array.ndim == 2 or input.array.ndim + 1 == linear_weight.array.ndim == 2):
        raise ShapeError(
            "linear_cross_entropy: expected input (N, in) and linear_weight (C, ..., in), or (in,) "
            f"and (C, in), got {describe(input)} and {describe(linear_weight)}"
        )
    if ignore_index is not None and target.dtype.is_floating_point:
        raise ShapeError(
            "linear_cross_entropy: expected no ignore_index with probabilities as target, got "
            f"{ignore_index}"
        )
    *outputs, features = linear_weight.array.shape
    scores = linear(
        input, linear_weight.reshape(-1, features),
        None if linear_bias is None else linear_bias.reshape(-1),
    )  # fmt: skip
    scores = scores.reshape(*input.array.shape[:-1], *outputs)
    return cross_entropy(
        scores, target, weight, ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip


# Of sequences


def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean",
    zero_infinity=False,
):  # fmt: skip
    """Connectionist temporal classification: -log likelihood of the targets, however aligned.

    log_probs (T, N, C) or (T, C), of class probabilities; targets (N, S), or one after the other
    (sum of target_lengths,); lengths (N,). An alignment repeats labels and puts `blank` anywhere,
    and between equal labels. The mean is of each loss over its target's length. `zero_infinity`: 0
    for a target too long for its input. Graves et al., "Connectionist temporal classification",
    2006.
    """
    single = log_probs.array.ndim == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
    floats("ctc_loss", log_probs)
    inputs, lengths = (_lengths(log_probs, x) for x in (input_lengths, target_lengths))
    targets = _check_ctc(log_probs, targets, inputs, lengths, blank)
    losses, _ = ctc(log_probs, targets, inputs, lengths, blank=blank)
    # PyTorch's gradient is by scores of which these are the log_softmax: it has the part below too.
    used = arange(len(log_probs), device=log_probs.device).unsqueeze(1) < inputs
    total = sum(log_probs.exp().masked_fill(~used.unsqueeze(2), 0), (0, 2))
    losses = losses + (total - total.detach())
    if zero_infinity:
        losses = losses.masked_fill(losses == inf, 0)
    if reduction == "mean":
        return mean(losses / lengths.clamp(min=1))
    return reduced("ctc_loss", losses.reshape(()) if single else losses, reduction)


def _lengths(log_probs, lengths):
    return as_tensor(lengths, dtype=int64, device=log_probs.device).reshape(-1)


def _check_ctc(log_probs, targets, inputs, lengths, blank):
    """The targets (N, S), padded with blanks."""
    steps, batch, classes = log_probs.array.shape
    host = lengths.cpu().numpy()
    if not 0 <= blank < classes:
        raise IndexValueError(f"ctc_loss: expected blank from 0 to {classes - 1}, got {blank}")
    if inputs.array.shape != (batch,) or lengths.array.shape != (batch,):
        raise ShapeError(
            f"ctc_loss: expected {batch} input and target lengths, for log_probs (T, N, C) "
            f"{describe(log_probs)}, got {describe(inputs)} and {describe(lengths)}"
        )
    if batch and (inputs.max() > steps or inputs.min() < 0 or host.min() < 0):
        raise ShapeError(f"ctc_loss: expected input lengths up to {steps}, got {inputs.tolist()}")
    flat, longest = targets.array.ndim == 1, max(host, default=0)
    room = targets.array.size if flat else targets.array.shape[-1]
    if (host.sum() if flat else longest) > room:
        raise ShapeError(
            f"ctc_loss: expected targets for the target lengths {host.tolist()}, got "
            f"{describe(targets)}"
        )
    if flat:
        padded = full((batch, longest), blank, dtype=int64, device=targets.device)
        parts = targets[: host.sum()].split(host.tolist())
        for row, part in zip(padded, parts, strict=True):
            row[: len(part)] = part
        targets = padded
    used = arange(targets.array.shape[1], device=targets.device) < lengths.unsqueeze(1)
    targets = targets.long().masked_fill(~used, blank)
    check_range("ctc_loss", targets, classes)
    return targets
