"""Embeddings: rows of a table by index."""

from importlib import import_module

from tallow import backend
from tallow.autograd.modes import state
from tallow.creation import arange, full_like
from tallow.errors import (
    ArgumentError,
    IndexValueError,
    NotSupportedError,
    ShapeError,
    describe,
)
from tallow.joining import cat
from tallow.nn.functional.common import whole
from tallow.ops.embedding import embedding as embedding_op
from tallow.shaping import repeat_interleave

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
    sparse=False,
):  # fmt: skip
    """weight[input]: input (...) of integers, weight (rows, width) -> (..., width).

    Row `padding_idx` gets no gradient. `max_norm`: rows that are taken and longer are first
    shortened, in place. `scale_grad_by_freq`: a row's gradient is divided by how often it was
    taken. With `sparse` the gradient of a table that is a leaf is a sparse COO tensor.

    >>> table = tallow.tensor([[0.0, 0.0], [1.0, 2.0]])
    >>> tallow.nn.functional.embedding(tallow.tensor([1, 0, 1]), table)
    tensor([[1., 2.],
            [0., 0.],
            [1., 2.]])
    """
    padding_idx = _check_table("embedding", input, weight, padding_idx)
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    return _rows("embedding", weight, input, padding_idx, scale_grad_by_freq, sparse)


def _rows(name, weight, input, padding_idx, by_frequency, sparse):
    """The rows of a table, with a gradient that is sparse if asked and the table a leaf."""
    if sparse and by_frequency:
        raise NotSupportedError(f"{name}: expected sparse or scale_grad_by_freq, got both")
    if sparse and weight.node is None and weight.requires_grad and state.enabled:
        return import_module("tallow.sparse.rows").embedding(weight, input, padding_idx)
    return embedding_op(weight, input, padding_idx=padding_idx, by_frequency=by_frequency)


def _check_table(name, input, weight, padding_idx):
    """Raise unless the table has these rows. padding_idx, counted from the start."""
    whole(name, "indices", input)
    if weight.array.ndim != 2:
        raise ShapeError(f"{name}: expected weight (rows, width), got {describe(weight)}")
    rows = weight.array.shape[0]
    check_range(name, input, rows)
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ArgumentError(
            f"{name}: expected padding_idx from {-rows} to {rows - 1}, got {padding_idx}"
        )
    return padding_idx % rows


def check_range(name, index, rows):
    """Raise IndexValueError, which names the first index that is not in [0, rows)."""
    array = index.array
    in_range = backend.for_array(array).in_range
    with backend.at(array):
        if in_range is not None:
            in_range(name, array, 0, rows)
        elif array.size and not (0 <= array.min() and array.max() < rows):
            position = ((array < 0) | (array >= rows)).reshape(-1).argmax()
            raise IndexValueError(
                f"{name}: expected indices from 0 to {rows - 1}, got "
                f"{array.reshape(-1)[position]} at position {position} of {describe(index)}"
            )


def _shorten(index, weight, max_norm, norm_type):
    weight = weight.detach()
    taken = index.reshape(-1).unique()
    length = weight[taken].norm(norm_type, dim=1, keepdim=True)
    factor = (max_norm / (length + 1e-7)).clamp(max=1)
    weight[taken] = weight[taken] * factor


def embedding_bag(
    input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean",
    sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None,
):  # fmt: skip
    """The sum, mean or maximum of the rows in each bag, 0 for an empty bag: -> (bags, width).

    input (bags, n), or (n,) with the `offsets` (bags,) at which bags begin, and with
    `include_last_offset` the end of the last one. Rows `padding_idx` are left out of the bags;
    `per_sample_weights`, of the input's shape, multiply the rows of sums; the rest is as in
    `embedding`.

    >>> table = tallow.tensor([[1.0], [2.0], [4.0]])
    >>> index, offsets = tallow.tensor([0, 2, 1]), tallow.tensor([0, 2])
    >>> tallow.nn.functional.embedding_bag(index, table, offsets, mode="sum")
    tensor([[5.],
            [2.]])
    """
    name = "embedding_bag"
    padding_idx = _check_table(name, input, weight, padding_idx)
    _check_bags(input, offsets, mode, scale_grad_by_freq, per_sample_weights)
    if sparse and mode == "max":
        raise ArgumentError(f"{name}: expected mode 'sum' or 'mean' with sparse, got 'max'")
    plain = padding_idx is None and max_norm is None and not sparse
    if input.array.ndim == 2 and input.array.size and plain:
        rows = embedding_op(weight, input, padding_idx=None, by_frequency=scale_grad_by_freq)
        if per_sample_weights is not None:
            rows = rows * per_sample_weights.unsqueeze(2)
        return {"sum": rows.sum, "mean": rows.mean, "max": rows.amax}[mode](1)
    if input.array.ndim == 2:
        offsets = arange(len(input) + 1, device=input.device) * input.array.shape[1]
        include_last_offset, input = True, input.reshape(-1)
    ends = offsets[1:]
    if not include_last_offset:
        ends = cat([ends, full_like(offsets[:1], input.array.size)])
    sizes = ends - offsets[: ends.array.size]
    if offsets.array.size and (offsets[0] != 0 or (sizes < 0).any()):
        raise ArgumentError(
            f"{name}: expected offsets that rise from 0 to at most {input.array.size}, got "
            f"{offsets.tolist()}"
        )
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1, 1)
    bag = repeat_interleave(sizes)
    if padding_idx is not None:
        kept = input != padding_idx
        input, bag = input[kept], bag[kept]
        factors = factors if factors is None else factors[kept]
    rows = _rows(name, weight, input, None, scale_grad_by_freq, sparse)
    return _pooled(rows if factors is None else rows * factors, bag, sizes.array.size, mode)


def _check_bags(input, offsets, mode, scale_grad_by_freq, per_sample_weights):
    name = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"{name}: expected mode 'sum', 'mean' or 'max', got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ArgumentError(f"{name}: expected no scale_grad_by_freq with mode 'max', got True")
    if input.array.ndim not in (1, 2) or (offsets is None) == (input.array.ndim == 1):
        raise ArgumentError(
            f"{name}: expected input (bags, n), or (n,) with offsets, got {describe(input)} "
            f"{'without' if offsets is None else 'with'} offsets"
        )
    if per_sample_weights is None:
        return
    if mode != "sum":
        raise NotSupportedError(
            f"{name}: expected mode 'sum' with per_sample_weights, got {mode!r}"
        )
    if per_sample_weights.array.shape != input.array.shape:
        raise ArgumentError(
            f"{name}: expected per_sample_weights {input.array.shape}, got "
            f"{describe(per_sample_weights)}"
        )


def _pooled(rows, bag, bags, mode):
    """The rows of each bag as one: rows (n, width), bag (n,) the number of each row's bag."""
    sizes = bag.bincount(minlength=bags)
    if mode != "max":
        total = rows.new_zeros(bags, rows.array.shape[1]).index_add(0, bag, rows)
        return total if mode == "sum" else total / sizes.clamp(min=1).unsqueeze(1).to(rows.dtype)
    widest = int(sizes.max()) if bags and rows.array.size else 0
    if not widest:
        return rows.new_zeros(bags, rows.array.shape[1])
    place = arange(widest, device=rows.device)
    inside = place < sizes.unsqueeze(1)
    first = sizes.cumsum(0) - sizes
    taken = rows[((first.unsqueeze(1) + place) * inside).long()]
    largest = taken.masked_fill(~inside.unsqueeze(2), float("-inf")).amax(1)
    return largest.masked_fill((sizes == 0).unsqueeze(1), 0)


def one_hot(tensor, num_classes=-1):
    """1 at the index, else 0: (...) -> (..., num_classes), int64; -1: the largest index plus 1.

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
