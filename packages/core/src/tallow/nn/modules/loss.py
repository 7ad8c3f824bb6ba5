"""Losses. `reduction` is "mean", "sum" or "none" (one value for each element or sample)."""

from tallow.nn import functional as F
from tallow.nn.module import Module


class _Loss(Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        if reduction not in ("none", "mean", "sum", "batchmean"):
            raise ValueError(
                f"{type(self).__name__}: expected the reduction 'none', 'mean' or 'sum', "
                f"got {reduction!r}"
            )
        self.reduction = reduction


class _WeightedLoss(_Loss):
    def __init__(self, weight=None, reduction="mean"):
        super().__init__(reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of logits with class indices or probabilities: `-log softmax(x)[target]`.

    Shapes: input `(N, C)`, `(C,)` or `(N, C, d1, ...)`; target `(N,)`, `()` or `(N, d1, ...)` of
    int64, or probabilities of the input's shape. `weight` `(C,)` weighs the classes; targets equal
    to `ignore_index` count nothing; `label_smoothing` mixes the target with the uniform
    distribution.

    >>> import tallow
    >>> loss = tallow.nn.CrossEntropyLoss()
    >>> round(loss(tallow.zeros(3, 4), tallow.tensor([0, 1, 3])).item(), 4)
    1.3863
    """

    def __init__(self, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input, target):
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """Negative log likelihood of class indices under log probabilities: `-x[target]`.

    Shapes: input `(N, C)`, `(C,)` or `(N, C, d1, ...)`; target `(N,)`, `()` or `(N, d1, ...)` of
    int64. `weight` `(C,)` weighs the classes; targets equal to `ignore_index` count nothing.

    >>> import tallow
    >>> loss = tallow.nn.NLLLoss()
    >>> loss(tallow.tensor([[-1.0, -2.0], [-3.0, -4.0]]), tallow.tensor([0, 1])).item()
    2.5
    """

    def __init__(self, weight=None, *, ignore_index=-100, reduction="mean"):
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class MSELoss(_Loss):
    """Squared error `(x - y)^2`. Input and target of one shape.

    >>> import tallow
    >>> tallow.nn.MSELoss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    2.0
    """

    def __init__(self, *, reduction="mean"):
        super().__init__(reduction)

    def forward(self, input, target):
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Absolute error `|x - y|`. Input and target of one shape.

    >>> import tallow
    >>> tallow.nn.L1Loss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    1.0
    """

    def __init__(self, *, reduction="mean"):
        super().__init__(reduction)

    def forward(self, input, target):
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """`(x - y)^2 / (2 beta)` where the error is below `beta`, else `|x - y| - beta / 2`.

    >>> import tallow
    >>> tallow.nn.SmoothL1Loss()(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    0.75
    """

    def __init__(self, *, reduction="mean", beta=1.0):
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input, target):
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """`(x - y)^2 / 2` where the error is below `delta`, else `delta (|x - y| - delta / 2)`.

    >>> import tallow
    >>> tallow.nn.HuberLoss(delta=0.5)(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0, 4.0])).item()
    0.4375
    """

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input, target):
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_WeightedLoss):
    """Binary cross entropy of probabilities: `-(y log x + (1 - y) log(1 - x))`, each log >= -100.

    Input, target and `weight` of one shape, or broadcast to it. For logits take
    `BCEWithLogitsLoss`.

    >>> import tallow
    >>> loss = tallow.nn.BCELoss()
    >>> round(loss(tallow.tensor([0.5, 0.5]), tallow.tensor([0.0, 1.0])).item(), 4)
    0.6931
    """

    def __init__(self, weight=None, *, reduction="mean"):
        super().__init__(weight, reduction)

    def forward(self, input, target):
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of `sigmoid(x)`, without overflow. Input and target of one shape.

    `pos_weight` multiplies the term of the positive targets, `weight` the whole.

    >>> import tallow
    >>> loss = tallow.nn.BCEWithLogitsLoss()
    >>> round(loss(tallow.zeros(2), tallow.tensor([0.0, 1.0])).item(), 4)
    0.6931
    """

    def __init__(self, weight=None, *, reduction="mean", pos_weight=None):
        super().__init__(reduction)
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

    >>> import tallow
    >>> loss = tallow.nn.KLDivLoss(reduction="batchmean")
    >>> p = tallow.tensor([[0.5, 0.5]])
    >>> loss(p.log(), p).item()
    0.0
    """

    def __init__(self, *, reduction="mean", log_target=False):
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input, target):
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
