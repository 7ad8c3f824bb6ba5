"""Distances and similarities of vectors, and the losses of pairs and triplets made of them."""

from tallow import math
from tallow.creation import ones
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn.functional.activation import logsigmoid
from tallow.nn.functional.common import check_reduction, reduced, resolved_reduction
from tallow.reductions import norm, sum
from tallow.shaping import broadcast_tensors

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "margin_ranking_loss",
    "pairwise_distance", "pdist", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dim: (..., D), (..., D) -> (...).

    >>> x, y = tallow.tensor([[0.0, 0.0]]), tallow.tensor([[3.0, 4.0]])
    >>> tallow.nn.functional.pairwise_distance(x, y, eps=0)
    tensor([5.])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along `dim`; norms below eps count as eps.

    >>> x, y = tallow.tensor([[1.0, 0.0]]), tallow.tensor([[1.0, 1.0]])
    >>> tallow.nn.functional.cosine_similarity(x, y)
    tensor([0.7071])
    """
    x1, x2 = broadcast_tensors(x1, x2)
    first, second = (norm(x, 2, dim).clamp(min=eps) for x in (x1, x2))
    return sum(x1 * x2, dim) / first / second


def pdist(input, p=2):
    """The p-norm distances of all pairs of rows, i < j: (N, D) -> (N * (N - 1) / 2,)."""
    if input.array.ndim != 2:
        raise ShapeError(f"pdist: expected input (N, D), got {describe(input)}")
    n = len(input)
    first, second = ones(n, n, device=input.device).triu(1).nonzero(as_tuple=True)
    return norm(input[first] - input[second], p, -1)


# Losses


def margin_ranking_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """max(0, margin - target * (input1 - input2)): target 1 wants input1 larger, -1 input2."""
    name = "margin_ranking_loss"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    if not input1.array.ndim == input2.array.ndim == target.array.ndim:
        raise ShapeError(
            f"{name}: expected inputs and target of as many dimensions, got {describe(input1)}, "
            f"{describe(input2)} and {describe(target)}"
        )
    return reduced(name, (-target * (input1 - input2) + float(margin)).clamp(min=0), reduction)


def hinge_embedding_loss(
    input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"
):
    """input where the target is 1, max(0, margin - input) where it is -1."""
    reduction = resolved_reduction("hinge_embedding_loss", size_average, reduce, reduction)
    apart = (margin - input).clamp(min=0).masked_fill(target == 1, 0)
    losses = apart + input.masked_fill(target == -1, 0)
    return reduced("hinge_embedding_loss", losses, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)), target 1 or -1."""
    reduction = resolved_reduction("soft_margin_loss", size_average, reduce, reduction)
    return reduced("soft_margin_loss", -logsigmoid(target * input), reduction)


def cosine_embedding_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1: (N, D), (N, D), (N,)."""
    name = "cosine_embedding_loss"
    reduction = resolved_reduction(name, size_average, reduce, reduction)
    if target.array.ndim not in (0, 1) or input1.array.ndim != target.array.ndim + 1:
        raise ShapeError(
            f"{name}: expected inputs (N, D) and target (N,), or (D,) and (), got "
            f"{describe(input1)}, {describe(input2)} and {describe(target)}"
        )
    lengths = [sum(x * x, -1) + 1e-12 for x in (input1, input2)]
    cosine = sum(input1 * input2, -1) / math.sqrt(lengths[0] * lengths[1])
    near = (1 - cosine).masked_fill(target != 1, 0)
    apart = (cosine - margin).clamp(min=0).masked_fill(target != -1, 0)
    return reduced(name, near + apart, reduction)


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None,
    reduce=None, reduction="mean",
):  # fmt: skip
    """max(0, margin + |anchor - positive| - |anchor - negative|): (N, D) or (D,) each.

    `swap`: the smaller of the negative's distances to anchor and positive counts. Balntas et al.,
    "Learning local feature descriptors with triplets and shallow convolutional neural networks",
    2016.
    """
    reduction = resolved_reduction("triplet_margin_loss", size_average, reduce, reduction)

    def distance(x, y):
        return pairwise_distance(x, y, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap,
        reduction=reduction,
    )  # fmt: skip


def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """`triplet_margin_loss` with any distance, `pairwise_distance` unless told."""
    check_reduction("triplet_margin_loss", reduction)
    if margin <= 0:
        raise ArgumentError(f"triplet_margin_loss: expected a margin above 0, got {margin}")
    if not anchor.array.ndim == positive.array.ndim == negative.array.ndim:
        raise ShapeError(
            "triplet_margin_loss: expected anchor, positive and negative of as many dimensions, "
            f"got {describe(anchor)}, {describe(positive)} and {describe(negative)}"
        )
    distance = distance_function or pairwise_distance
    apart = distance(anchor, negative)
    if swap:
        apart = math.minimum(apart, distance(positive, negative))
    losses = (margin + distance(anchor, positive) - apart).clamp(min=0)
    return reduced("triplet_margin_loss", losses, reduction)
