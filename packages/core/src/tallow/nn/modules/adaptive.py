"""A softmax over many classes, most of them rare."""

from typing import NamedTuple

from tallow.errors import ArgumentError, IndexValueError, ShapeError, describe
from tallow.joining import cat
from tallow.nn import functional as F
from tallow.nn.module import Module
from tallow.nn.modules.container import ModuleList, Sequential
from tallow.nn.modules.linear import Linear
from tallow.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class AdaptiveLogSoftmax(NamedTuple):
    """The log probability of each target, and the loss, minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log probabilities of `n_classes`, sorted by frequency (Grave et al., 2017).

    Classes below the first of `cutoffs` are scored by the head, and each later range as one
    cluster there, within which a smaller tail decides: tail i works on
    `in_features // div_value**i` features. forward(input `(N, in_features)`, target `(N,)`) gives
    the log probability of each target and the loss.

    >>> softmax = tallow.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
    >>> tuple(softmax.log_prob(tallow.ones(2, 8)).shape)
    (2, 20)
    """

    def __init__(
        self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None,
        dtype=None,
    ):  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs or cutoffs != sorted({c for c in cutoffs if 0 < c < n_classes}):
            raise ArgumentError(
                "AdaptiveLogSoftmaxWithLoss: expected cutoffs that rise, from 1 to "
                f"{n_classes - 1}, got {cutoffs}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        where = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **where)
        self.tail = ModuleList()
        for i, (start, stop) in enumerate(self._clusters(), 1):
            width = int(in_features // div_value**i)
            layers = [Linear(in_features, width, False, **where)]
            layers.append(Linear(width, stop - start, False, **where))
            self.tail.append(Sequential(*layers))

    def _clusters(self):
        """The ranges (start, stop) of the classes in the tail."""
        return list(zip(self.cutoffs, self.cutoffs[1:], strict=False))

    def reset_parameters(self):
        """Draw all weights anew."""
        self.head.reset_parameters()
        for narrow, widen in self.tail:
            narrow.reset_parameters()
            widen.reset_parameters()

    def forward(self, input_, target_):
        input, target = input_, target_
        batch = tuple(target.shape)
        if target.ndim > 1 or tuple(input.shape) != (*batch, self.in_features):
            raise ShapeError(
                "AdaptiveLogSoftmaxWithLoss: expected input (N, in_features) and target (N,), or "
                f"(in_features,) and (), got {describe(input)} and {describe(target)}"
            )
        single = not batch
        if single:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise IndexValueError(
                "AdaptiveLogSoftmaxWithLoss: expected targets from 0 to "
                f"{self.n_classes - 1}, got {target.min().item()} to {target.max().item()}"
            )
        head = F.log_softmax(self.head(input), 1)
        slot, within = target, input.new_zeros(len(target))
        for i, (start, stop) in enumerate(self._clusters()):
            rows = ((target >= start) & (target < stop)).nonzero().squeeze(1)
            if not len(rows):
                continue
            slot = slot.index_fill(0, rows, self.shortlist_size + i)
            scores = F.log_softmax(self.tail[i](input[rows]), 1)
            label = (target[rows] - start).unsqueeze(1)
            within = within.index_copy(0, rows, scores.gather(1, label).squeeze(1))
        output = within + head.gather(1, slot.unsqueeze(1)).squeeze(1)
        loss = -output.mean()
        return AdaptiveLogSoftmax(output.squeeze(0) if single else output, loss)

    def log_prob(self, input):
        """The log probabilities of all classes: `(N, in_features)` to `(N, n_classes)`."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            cluster = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(tail(input), 1) + cluster)
        return cat(parts, 1)

    def predict(self, input):
        """The most probable class of each row: `(N, in_features)` to `(N,)`."""
        head = self.head(input)
        best = head.argmax(1)
        rows = (best >= self.shortlist_size).nonzero().squeeze(1)
        if not len(rows):
            return best
        return best.index_copy(0, rows, self.log_prob(input[rows]).argmax(1))
