"""Linear and bilinear maps of the last dim."""

from math import prod

from tallow.errors import DtypeError, NotSupportedError, ShapeError, describe
from tallow.joining import cat, stack
from tallow.nn.functional.common import same_dtype
from tallow.ops.linalg import linear as linear_op
from tallow.promotion import to_dtype

__all__ = ["bilinear", "grouped_mm", "linear"]


def linear(input, weight, bias=None):
    """input @ weight.T + bias: (..., in), (out, in), (out,) or None -> (..., out).

    >>> tallow.nn.functional.linear(tallow.ones(2, 3), tallow.ones(1, 3), tallow.zeros(1))
    tensor([[3.],
            [3.]])
    """
    x, w = input.array, weight.array
    if x.dtype != w.dtype or not x.shape or x.shape[-1] != w.shape[-1]:
        _explain(input, weight)
    if w.ndim == 1:
        return input @ weight if bias is None else input @ weight + bias
    return linear_op(input, weight, bias)


def _explain(input, weight):
    shape, features = input.array.shape, weight.array.shape[-1]
    if shape[-1:] != (features,):
        hint = f"the weight is {describe(weight)}, (out_features, in_features)"
        if len(shape) > 1 and prod(shape) == features:
            hint = "a sample without a batch: add that dim first, with .unsqueeze(0), then flatten"
        elif len(shape) > 2 and prod(shape[1:]) == features:
            hint = "flatten it first, with .flatten(1) or nn.Flatten()"
        elif features in shape:
            axis = shape.index(features)
            hint = f"dim {axis} has that many: bring it to the end with .movedim({axis}, -1)"
        raise ShapeError(
            f"linear: expected input with {features} features in its last dimension, got "
            f"{describe(input)}; {hint}"
        )
    raise DtypeError(
        f"linear: expected input of the weight's dtype {weight.dtype}, got {describe(input)}; "
        f"convert one with .to({weight.dtype})"
    )


def bilinear(input1, input2, weight, bias=None):
    """input1 (..., n) @ weight (out, n, m) @ input2 (..., m), plus bias (out,) -> (..., out)."""
    outputs, size1, size2 = weight.array.shape
    shape1, shape2 = input1.array.shape, input2.array.shape
    if shape1[-1:] != (size1,) or shape2[-1:] != (size2,) or shape1[:-1] != shape2[:-1]:
        raise ShapeError(
            f"bilinear: expected inputs (..., {size1}) and (..., {size2}) of one leading shape, "
            f"got {describe(input1)} and {describe(input2)}"
        )
    same_dtype("bilinear", input1, input2, weight, bias)
    left = input1.reshape(-1, size1) @ weight.permute(1, 0, 2).reshape(size1, outputs * size2)
    left = left.reshape(-1, outputs, size2)
    out = (left @ input2.reshape(-1, size2, 1)).reshape(*shape1[:-1], outputs)
    return out if bias is None else out + bias


def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """A matrix product for each group; a 2-d operand holds those of all groups, ending at `offs`.

    (G, M, K) @ (G, K, N) -> (G, M, N). mat_a (rows, K), or mat_b (K, columns), holds each group's
    rows or columns in turn, as then does the result. With both 2-d, (M, K) and (K, N), the groups
    divide K: -> (G, M, N).
    """
    if bias is not None:
        raise NotSupportedError("grouped_mm: expected no bias, got one; add it to the result")
    same_dtype("grouped_mm", mat_a, mat_b)
    dims = mat_a.array.ndim, mat_b.array.ndim
    if (offs is None) != (dims == (3, 3)):
        raise ShapeError(
            "grouped_mm: expected offs, for groups in a 2-d operand, or two 3-d operands, got "
            f"{describe(mat_a)} and {describe(mat_b)}, {'no' if offs is None else 'with'} offs"
        )
    if dims == (3, 3):
        out = mat_a @ mat_b
    else:
        ends = offs.tolist()
        groups = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        if dims == (2, 2):
            out = stack([mat_a[:, group] @ mat_b[group] for group in groups])
        elif dims == (2, 3):
            out = cat([mat_a[group] @ b for group, b in zip(groups, mat_b, strict=True)])
        else:
            out = cat([a @ mat_b[:, group] for group, a in zip(groups, mat_a, strict=True)], 1)
    return out if out_dtype is None else to_dtype(out, out_dtype)
