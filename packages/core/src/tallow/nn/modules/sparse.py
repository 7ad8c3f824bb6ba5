"""Tables of vectors that are looked up by index."""

from tallow.creation import empty
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.parameter import Parameter


class Embedding(Module):
    """A table of `num_embeddings` vectors, looked up by integer indices.

    Shapes: indices `(...)` to `(..., embedding_dim)`; `weight` is `(num_embeddings, embedding_dim)`
    and starts from N(0, 1). The row `padding_idx` starts at zero and gets no gradient. With
    `max_norm`, rows of a larger `norm_type` norm are scaled down to it, in place, when they are
    looked up. `scale_grad_by_freq` divides gradients by how often an index is in the batch.

    >>> import tallow
    >>> table = tallow.nn.Embedding(10, 3, padding_idx=0)
    >>> table(tallow.tensor([[0, 2, 0]]))[0, 0].tolist()
    [0.0, 0.0, 0.0]
    """

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
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            table = empty(shape, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        elif tuple(_weight.shape) != shape:
            raise ValueError(f"Embedding: expected a weight {shape}, got {tuple(_weight.shape)}")
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls, embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2.0,
        scale_grad_by_freq=False, sparse=False,
    ):  # fmt: skip
        """A table that shares the memory of a tensor `(num_embeddings, embedding_dim)`.

        It is not trained unless `freeze=False`.

        >>> import tallow
        >>> table = tallow.nn.Embedding.from_pretrained(tallow.eye(3))
        >>> table(tallow.tensor(1)).tolist()
        [0.0, 1.0, 0.0]
        """
        if embeddings.ndim != 2:
            raise ValueError(
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
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse:
            text += ", sparse=True"
        return text


def _padding_index(index, rows):
    """`padding_idx` counted from the start; ValueError if it is outside of the table."""
    if index is None:
        return None
    if not -rows <= index < rows:
        raise ValueError(f"Embedding: expected padding_idx within {rows} embeddings, got {index}")
    return index % rows
