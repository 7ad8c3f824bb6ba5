"""Losses. `reduction` is "mean", "sum" or "none" (one value for each element or sample).

`size_average` and `reduce` are PyTorch's older way to say it.
"""

import math

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.nn import functional as F
from tallow.nn.functional.common import resolved_reduction
from tallow.nn.modules.distance import PairwiseDistance
from tallow.nn.modules.layer import Layer
from tallow.nn.modules.linear import Linear

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss",
    "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss",
    "LinearCrossEntropyLoss", "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss",
    "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class _Loss(Layer):
    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        if reduction not in ("none", "mean", "sum", "batchmean"):
            raise ArgumentError(
                f"{type(self).__name__}: expected the reduction 'none', 'mean' or 'sum', "
                f"got {reduction!r}"
            )
        if size_average is not None or reduce is not None:
            reduction = resolved_reduction(type(self).__name__, size_average, reduce, reduction)
        self.reduction = reduction

    def forward(self, input, target):
        return self.function(input, target, reduction=self.reduction)


class _WeightedLoss(_Loss):
    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)

    def forward(self, input, target):
        return self.function(input, target, weight=self.weight, reduction=self.reduction)


class _MarginLoss(_Loss):
    """Of pairs `(input1, input2)`."""

    def __init__(self, margin=0.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1, input2, target):
        return self.function(input1, input2, target, margin=self.margin, reduction=self.reduction)


# Between numbers


class MSELoss(_Loss, function=F.mse_loss):
    """Squared error `(x - y)^2`. Input and target of one shape.

    >>> tallow.nn.MSELoss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    2.0
    """


class L1Loss(_Loss, function=F.l1_loss):
    """Absolute error `|x - y|`. Input and target of one shape.

    >>> tallow.nn.L1Loss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    1.0
    """


class SmoothL1Loss(_Loss):
    """`(x - y)^2 / (2 beta)` where the error is below `beta`, else `|x - y| - beta / 2`.

    >>> tallow.nn.SmoothL1Loss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    0.75
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input, target):
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """`(x - y)^2 / 2` where the error is below `delta`, else `delta (|x - y| - delta / 2)`.

    >>> tallow.nn.HuberLoss(delta=0.5)(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    0.4375
    """

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction=reduction)
        if not isinstance(delta, int | float):
            raise TypeMismatchError(f"HuberLoss: expected delta as a number, got {delta!r}")
        self.delta = delta

    def forward(self, input, target):
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class GaussianNLLLoss(_Loss):
    """`(log v + (x - y)^2 / v) / 2`, the negative log likelihood of normal distributions.

    forward(input, target, var): `var`, at least `eps`, has the input's shape, or 1 or nothing in
    place of its last size. `full` adds the constant (Nix and Weigend, 1994).

    >>> loss = tallow.nn.GaussianNLLLoss()
    >>> loss(tallow.zeros(2), tallow.tensor([1.0, 2.0]), tallow.ones(2)).item()
    1.25
    """

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input, target, var):
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class PoissonNLLLoss(_Loss):
    """`exp(x) - y x`, the negative log likelihood of Poisson distributions of rate `exp(x)`.

    Without `log_input` the rate is x itself: `x - y log(x + eps)`. `full` adds Stirling's
    approximation of `log(y!)`.

    >>> tallow.nn.PoissonNLLLoss()(tallow.zeros(2), tallow.tensor([1.0, 2.0])).item()
    1.0
    """

    def __init__(
        self, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input, target):
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps,
            reduction=self.reduction,
        )  # fmt: skip


# Of probabilities


class BCELoss(_WeightedLoss, function=F.binary_cross_entropy):
    """Binary cross entropy of probabilities: `-(y log x + (1 - y) log(1 - x))`, each log >= -100.

    Input, target and `weight` of one shape, or broadcast to it. For logits take
    `BCEWithLogitsLoss`.

    >>> loss = tallow.nn.BCELoss()
    >>> round(loss(tallow.tensor([0.5, 0.5]), tallow.tensor([0.0, 1.0])).item(), 4)
    0.6931
    """


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of `sigmoid(x)`, without overflow. Input and target of one shape.

    `pos_weight` multiplies the term of the positive targets, `weight` the whole.

    >>> loss = tallow.nn.BCEWithLogitsLoss()
    >>> round(loss(tallow.zeros(2), tallow.tensor([0.0, 1.0])).item(), 4)
    0.6931
    """

    def __init__(
        self, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input, target):
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence `y (log y - x)` of log probabilities `x` from probabilities `y`.

    `log_target` says that the target too is log probabilities. The divergence of the distributions
    is the reduction "batchmean", the sum over all elements by the number of samples.

    >>> loss = tallow.nn.KLDivLoss(reduction="batchmean")
    >>> p = tallow.tensor([[0.5, 0.5]])
    >>> loss(p.log(), p).item()
    0.0
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", log_target=False):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input, target):
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


# Of classes


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of logits with class indices or probabilities: `-log softmax(x)[target]`.

    Shapes: input `(N, C)`, `(C,)` or `(N, C, d1, ...)`; target `(N,)`, `()` or `(N, d1, ...)` of
    int64, or probabilities of the input's shape. `weight` `(C,)` weighs the classes; targets equal
    to `ignore_index` count nothing; `label_smoothing` mixes the target with the uniform
    distribution.

    >>> loss = tallow.nn.CrossEntropyLoss()
    >>> round(loss(tallow.zeros(3, 4), tallow.tensor([0, 1, 3])).item(), 4)
    1.3863
    """

    def __init__(
        self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
        label_smoothing=0.0,
    ):  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input, target):
        return F.cross_entropy(
            input, target, weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction, label_smoothing=self.label_smoothing,
        )  # fmt: skip


class LinearCrossEntropyLoss(_WeightedLoss):
    """A `Linear` layer to `num_classes` and the cross entropy of its scores, in one module.

    Shapes: input `(N, in_features)`; target `(N, *out_features)`; `linear.weight` is
    `(num_classes, *out_features, in_features)`. Other arguments as in `CrossEntropyLoss`;
    `options`, of how PyTorch cuts the product into chunks, make no difference.

    >>> loss = tallow.nn.LinearCrossEntropyLoss(5, 3)
    >>> round(loss(tallow.zeros(2, 5), tallow.tensor([0, 2])).item(), 4)
    1.0986
    """

    def __init__(
        self, in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None,
        reduction="mean", weight=None, ignore_index=None, label_smoothing=0.0, options=None,
    ):  # fmt: skip
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        scores = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, scores, bias=bias, device=device, dtype=dtype)

    def forward(self, input, target):
        weight, bias = self.linear.weight, self.linear.bias
        shape = (self.num_classes, *self.out_features)
        return F.linear_cross_entropy(
            input, weight.reshape(*shape, -1), target,
            linear_bias=None if bias is None else bias.reshape(shape), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip

    def extra_repr(self):
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class NLLLoss(_WeightedLoss):
    """Negative log likelihood of class indices under log probabilities: `-x[target]`.

    Shapes: input `(N, C)`, `(C,)` or `(N, C, d1, ...)`; target `(N,)`, `()` or `(N, d1, ...)` of
    int64. `weight` `(C,)` weighs the classes; targets equal to `ignore_index` count nothing.

    >>> loss = tallow.nn.NLLLoss()
    >>> loss(tallow.tensor([[-1.0, -2.0], [-3.0, -4.0]]), tallow.tensor([0, 1])).item()
    2.5
    """

    def __init__(
        self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return F.nll_loss(
            input, target, weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction,
        )  # fmt: skip


class MultiMarginLoss(_WeightedLoss):
    """The mean over other classes of `max(0, margin - x[target] + x[other])^p`.

    Shapes: input `(N, C)` or `(C,)`; target `(N,)` or `()` of int64; `weight` `(C,)`.

    >>> loss = tallow.nn.MultiMarginLoss()
    >>> loss(tallow.tensor([[1.0, 0.5]]), tallow.tensor([0])).item()
    0.25
    """

    def __init__(
        self, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
    ):
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: expected p of 1 or 2, got {p}")
        self.p = p
        self.margin = margin

    def forward(self, input, target):
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight,
            reduction=self.reduction,
        )  # fmt: skip


class MultiLabelMarginLoss(_Loss, function=F.multilabel_margin_loss):
    """The sum over labels and other classes of `max(0, 1 - x[label] + x[other])`, by C.

    Shapes: input `(N, C)` or `(C,)`; target likewise, labels that end at the first -1.

    >>> loss = tallow.nn.MultiLabelMarginLoss()
    >>> loss(tallow.tensor([[1.0, 0.5]]), tallow.tensor([[0, -1]])).item()
    0.25
    """


class MultiLabelSoftMarginLoss(_WeightedLoss, function=F.multilabel_soft_margin_loss):
    """The mean over classes of the binary cross entropy of `sigmoid(x)`: `(N, C)`, `(N, C)`.

    >>> loss = tallow.nn.MultiLabelSoftMarginLoss()
    >>> round(loss(tallow.zeros(1, 2), tallow.tensor([[0.0, 1.0]])).item(), 4)
    0.6931
    """


class CTCLoss(_Loss):
    """Connectionist temporal classification (Graves et al., 2006): targets without an alignment.

    forward(log_probs, targets, input_lengths, target_lengths) with shapes `(T, N, C)`, `(N, S)` or
    `(sum of target_lengths,)`, `(N,)`, `(N,)`. `blank` is the label between labels; the mean is of
    each loss by its target's length; `zero_infinity` gives 0 where a target is too long.

    >>> scores = tallow.zeros(3, 1, 4).log_softmax(2)
    >>> loss = tallow.nn.CTCLoss(reduction="sum")
    >>> round(loss(scores, tallow.tensor([[1, 2]]), (3,), (2,)).item(), 4)
    2.5494
    """

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
            self.zero_infinity,
        )  # fmt: skip


# Of pairs and triplets


class SoftMarginLoss(_Loss, function=F.soft_margin_loss):
    """`log(1 + exp(-y x))`, target 1 or -1. Input and target of one shape.

    >>> round(tallow.nn.SoftMarginLoss()(tallow.zeros(1), tallow.ones(1)).item(), 4)
    0.6931
    """


class HingeEmbeddingLoss(_Loss):
    """`x` where the target is 1, `max(0, margin - x)` where it is -1: x is a distance.

    >>> loss = tallow.nn.HingeEmbeddingLoss()
    >>> loss(tallow.tensor([0.5, 0.75]), tallow.tensor([1, -1])).item()
    0.375
    """

    def __init__(self, margin=1.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input, target):
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_MarginLoss, function=F.margin_ranking_loss):
    """`max(0, margin - y (x1 - x2))`: target 1 wants x1 larger, -1 wants x2 larger.

    >>> loss = tallow.nn.MarginRankingLoss(0.5)
    >>> loss(tallow.zeros(1), tallow.ones(1), tallow.ones(1)).item()
    1.5
    """


class CosineEmbeddingLoss(_MarginLoss, function=F.cosine_embedding_loss):
    """`1 - cos(x1, x2)` where the target is 1, `max(0, cos(x1, x2) - margin)` where it is -1.

    Shapes: `(N, D)`, `(N, D)`, `(N,)`, or without N.

    >>> x = tallow.tensor([[1.0, 2.0]])
    >>> round(tallow.nn.CosineEmbeddingLoss()(x, -x, tallow.ones(1)).item(), 4)
    2.0
    """


class TripletMarginLoss(_Loss):
    """`max(0, margin + |anchor - positive| - |anchor - negative|)` with the p-norm.

    Shapes: three of `(N, D)` or `(D,)`. `swap` takes the negative's distance to the positive where
    that is smaller (Balntas et al., 2016).

    >>> loss = tallow.nn.TripletMarginLoss()
    >>> x = tallow.tensor([[0.0]])
    >>> round(loss(x, x + 1, x + 3).item(), 4)
    0.0
    """

    def __init__(
        self, margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None,
        reduction="mean",
    ):  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ArgumentError(f"TripletMarginLoss: expected a margin above 0, got {margin}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,
            reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with any `distance_function(x1, x2)`, `PairwiseDistance` unless told."""

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ArgumentError(
                f"TripletMarginWithDistanceLoss: expected a margin above 0, got {margin}"
            )
        self.distance_function = distance_function or PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip
