"""Distances and similarities of pairs of vectors."""

from tallow.nn import functional as F
from tallow.nn.module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The p-norm of `x1 - x2 + eps` along the last dimension: `(..., D)`, `(..., D)` to `(...)`.

    >>> distance = tallow.nn.PairwiseDistance(eps=0.0)
    >>> distance(tallow.tensor([[0.0, 0.0]]), tallow.tensor([[3.0, 4.0]])).tolist()
    [5.0]
    """

    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1, x2):
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`; norms below `eps` count as `eps`.

    >>> similarity = tallow.nn.CosineSimilarity(dim=0)
    >>> round(similarity(tallow.tensor([1.0, 0.0]), tallow.tensor([1.0, 1.0])).item(), 4)
    0.7071
    """

    def __init__(self, dim=1, eps=1e-8):
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1, x2):
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
