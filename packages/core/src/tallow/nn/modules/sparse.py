"""Tables of vectors that are looked up by index."""

from tallow.creation import empty
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.modules.layer import Layer
from tallow.nn.parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Layer):
    """A table of `num_embeddings` vectors, looked up by integer indices.

    Shapes: indices `(...)` to `(..., embedding_dim)`; `weight` is `(num_embeddings, embedding_dim)`
    and starts from N(0, 1). The row `padding_idx` starts at zero and gets no gradient. With
    `max_norm`, rows of a larger `norm_type` norm are scaled down to it, in place, when they are
    looked up. `scale_grad_by_freq` divides gradients by how often an index is in the batch.

    >>> table = tallow.nn.Embedding(10, 3, padding_idx=0)
    >>> table(tallow.tensor([[0, 2, 0]]))[0, 0].tolist()
    [0.0, 0.0, 0.0]
    """

    sizes = ("num_embeddings", "embedding_dim")
    usual = {
        "padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False,
        "sparse": False,
    }  # fmt: skip

    def __init__(
        self, num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0,
        scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, device=None,
        dtype=None,
    ):  # fmt: skip
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _padding_index(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = _table(num_embeddings, embedding_dim, _weight, not _freeze, device, dtype)
        if _weight is None:
            self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2.0,
        scale_grad_by_freq=False, sparse=False,
    ):  # fmt: skip
        """A table that shares the memory of a tensor `(num_embeddings, embedding_dim)`.

        It is not trained unless `freeze=False`.

        >>> table = tallow.nn.Embedding.from_pretrained(tallow.eye(3))
        >>> table(tallow.tensor(1)).tolist()
        [0.0, 1.0, 0.0]
        """
        if embeddings.ndim != 2:
            raise ArgumentError(
                f"from_pretrained: expected a tensor of 2 dimensions, got {embeddings.ndim}"
            )
        rows, columns = embeddings.shape
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight=embeddings, _freeze=freeze,
        )  # fmt: skip

    def reset_parameters(self):
        """Draw the table anew; the row `padding_idx` is set to zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input):
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip


class EmbeddingBag(Layer):
    """The sum, mean or maximum (`mode`) of the rows that each bag of indices names.

    Shapes: `(bags, n)`, or `(n,)` with the `offsets` `(bags,)` at which bags begin, to `(bags,
    embedding_dim)`; an empty bag gives zeros. Rows `padding_idx` are left out; `per_sample_weights`
    of the indices' shape multiply the rows of a sum; other arguments are as in `Embedding`.

    >>> bags = tallow.nn.EmbeddingBag(10, 3, mode="sum")
    >>> tuple(bags(tallow.tensor([1, 2, 4, 5]), tallow.tensor([0, 3])).shape)
    (2, 3)
    """

    sizes = ("num_embeddings", "embedding_dim")
    usual = {"max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}

    def __init__(
        self, num_embeddings, embedding_dim, max_norm=None, norm_type=2.0,
        scale_grad_by_freq=False, mode="mean", sparse=False, _weight=None,
        include_last_offset=False, padding_idx=None, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = _padding_index(padding_idx, num_embeddings)
        self.weight = _table(num_embeddings, embedding_dim, _weight, True, device, dtype)
        if _weight is None:
            self.reset_parameters()
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    reset_parameters = Embedding.reset_parameters

    @classmethod
    def from_pretrained(
        cls, embeddings, freeze=True, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
        mode="mean", sparse=False, include_last_offset=False, padding_idx=None,
    ):  # fmt: skip
        """Bags over a tensor `(num_embeddings, embedding_dim)`, trained if not `freeze`."""
        if embeddings.ndim != 2:
            raise ArgumentError(
                f"from_pretrained: expected a tensor of 2 dimensions, got {embeddings.ndim}"
            )
        bags = cls(
            *embeddings.shape, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
            include_last_offset, padding_idx,
        )  # fmt: skip
        bags.weight.requires_grad = not freeze
        return bags

    def forward(self, input, offsets=None, per_sample_weights=None):
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self):
        end = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{super().extra_repr()}, mode={self.mode!r}{end}"


def _table(rows, columns, given, trained, device, dtype):
    """The parameter (rows, columns): an empty one, or that which was given."""
    if given is None:
        table = empty((rows, columns), device=device, dtype=dtype)
        return Parameter(table, requires_grad=trained)
    if tuple(given.shape) != (rows, columns):
        raise ArgumentError(
            f"Embedding: expected a weight {(rows, columns)}, got {tuple(given.shape)}"
        )
    return Parameter(given, requires_grad=trained)


def _padding_index(index, rows):
    """`padding_idx` counted from the start; ArgumentError if it is outside of the table."""
    if index is None:
        return None
    if not -rows <= index < rows:
        raise ArgumentError(
            f"Embedding: expected padding_idx within {rows} embeddings, got {index}"
        )
    return index % rows
