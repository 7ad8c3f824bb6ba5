"""Attention: means of values, weighted by how well their keys fit the queries."""

from tallow.autograd.op import op
from tallow.ops.linalg import matmul
from tallow.ops.reduce import widened
from tallow.ops.shape import swap
from tallow.ops.softmax import softmax_grad


@op(materialize=False)
def attention(xp, q, k, v, bias, keep, *, scale, causal):
    """softmax(q @ k.T * scale + bias) @ v: (..., L, E), (..., S, E), (..., S, V) -> (..., L, V).

    bias is None, added to the scores, or bool: False hides a key. Where all are hidden the result
    is 0. Under `causal` query i sees the keys up to i. `keep` (None, or factors of the weights) is
    dropout. The second result are the weights (..., L, S), before that.
    """
    scores = (widened(xp, q) * scale) @ xp.swapaxes(widened(xp, k), -1, -2)
    if bias is not None:
        visible = bias.dtype.kind == "b"
        scores = xp.where(bias, scores, -xp.inf) if visible else scores + widened(xp, bias)
    if causal:
        scores = xp.where(xp.tri(*scores.shape[-2:], dtype=bool), scores, -xp.inf)
    if scores.size:
        top = xp.max(scores, axis=-1, keepdims=True)
        scores -= xp.where(top == -xp.inf, 0, top)
    weights = xp.exp(scores)
    total = xp.sum(weights, axis=-1, keepdims=True)
    weights /= xp.where(total == 0, 1, total)
    out = (weights if keep is None else weights * keep) @ widened(xp, v)
    return out.astype(q.dtype, copy=False), weights.astype(q.dtype, copy=False)


def _transposed(x):
    return swap(x, axis1=-1, axis2=-2)


@attention.joint_vjp
def _(g, q, k, v, keep, out, scale):
    (g, by_weights), (_, weights) = g, out
    by_v = None
    if g is not None:
        by_v = matmul(_transposed(weights if keep is None else weights * keep), g)
        by_kept = matmul(g, _transposed(v))
        by_kept = by_kept if keep is None else by_kept * keep
        by_weights = by_kept if by_weights is None else by_kept + by_weights
    by_scores = softmax_grad(by_weights, weights, axis=-1)
    by_q = matmul(by_scores, k) * scale
    by_k = matmul(_transposed(by_scores), q) * scale
    return by_q, by_k, by_v, by_scores, None
