"""Embeddings: rows of a table by index."""

from tallow.creation import arange
from tallow.errors import ArgumentError, OutOfRangeError, ShapeError, describe
from tallow.nn.functional.common import whole
from tallow.ops.embedding import embedding as embedding_op

__all__ = ["embedding", "one_hot"]


def embedding(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
    sparse=False,
):  # fmt: skip
    """weight[input]: input (...) of integers, weight (rows, width) -> (..., width).

    Row `padding_idx` gets no gradient. `max_norm`: rows that are taken and longer are first
    shortened, in place. `scale_grad_by_freq`: a row's gradient is divided by how often it was
    taken. Gradients are dense, `sparse` or not.

    >>> import tallow
    >>> table = tallow.tensor([[0.0, 0.0], [1.0, 2.0]])
    >>> tallow.nn.functional.embedding(tallow.tensor([1, 0, 1]), table)
    tensor([[1., 2.],
            [0., 0.],
            [1., 2.]])
    """
    whole("embedding", "indices", input)
    if weight.array.ndim != 2:
        raise ShapeError(f"embedding: expected weight (rows, width), got {describe(weight)}")
    rows = weight.array.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(
                f"embedding: expected padding_idx from {-rows} to {rows - 1}, got {padding_idx}"
            )
        padding_idx %= rows
    check_range("embedding", input, rows)
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    return embedding_op(weight, input, padding_idx=padding_idx, by_frequency=scale_grad_by_freq)


def check_range(name, index, rows):
    """Raise OutOfRangeError, which names the first index that is not in [0, rows)."""
    array = index.array
    if array.size and not (0 <= array.min() and array.max() < rows):
        position = ((array < 0) | (array >= rows)).reshape(-1).argmax()
        raise OutOfRangeError(
            f"{name}: expected indices from 0 to {rows - 1}, got {array.reshape(-1)[position]} at "
            f"position {position} of {describe(index)}"
        )


def _shorten(index, weight, max_norm, norm_type):
    weight = weight.detach()
    taken = index.reshape(-1).unique()
    length = weight[taken].norm(norm_type, dim=1, keepdim=True)
    factor = (max_norm / (length + 1e-7)).clamp(max=1)
    weight[taken] = weight[taken] * factor


def one_hot(tensor, num_classes=-1):
    """1 at the index, else 0: (...) -> (..., num_classes), int64; -1: the largest index plus 1.

    >>> import tallow
    >>> tallow.nn.functional.one_hot(tallow.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    whole("one_hot", "indices", tensor)
    if num_classes == -1:
        if not tensor.array.size:
            raise ArgumentError("one_hot: expected num_classes for an empty tensor, got -1")
        num_classes = int(tensor.max()) + 1
    check_range("one_hot", tensor, num_classes)
    return (tensor.unsqueeze(-1) == arange(num_classes, device=tensor.device)).long()
