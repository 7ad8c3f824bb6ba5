"""Attention: means of values, weighted by how well their keys fit the queries."""

from tallow.autograd.op import op
from tallow.ops.linalg import matmul
from tallow.ops.reduce import sum, widened
from tallow.ops.shape import swap
from tallow.ops.softmax import softmax_grad


def fits(xp, q, k, bias, scale, causal):
    """How well each key fits each query: (..., L, S), -inf where it is hidden."""
    scores = (widened(xp, q) * scale) @ xp.swapaxes(widened(xp, k), -1, -2)
    if bias is not None:
        visible = bias.dtype.kind == "b"
        scores = xp.where(bias, scores, -xp.inf) if visible else scores + widened(xp, bias)
    if causal:
        scores = xp.where(xp.tri(*scores.shape[-2:], dtype=bool), scores, -xp.inf)
    return scores


@op(materialize=False)
def attention(xp, q, k, v, bias, keep, *, scale, causal):
    """softmax(q @ k.T * scale + bias) @ v: (..., L, E), (..., S, E), (..., S, V) -> (..., L, V).

    bias is None, added to the scores, or bool: False hides a key. Where all are hidden the result
    is 0. Under `causal` query i sees the keys up to i. `keep` (None, or factors of the weights) is
    dropout. The second result are the weights (..., L, S), before that.
    """
    scores = fits(xp, q, k, bias, scale, causal)
    if scores.size:
        top = xp.max(scores, axis=-1, keepdims=True)
        scores -= xp.where(top == -xp.inf, 0, top)
    weights = xp.exp(scores)
    total = xp.sum(weights, axis=-1, keepdims=True)
    weights /= xp.where(total == 0, 1, total)
    out = _dropped(weights, keep) @ widened(xp, v)
    return out.astype(q.dtype, copy=False), weights.astype(q.dtype, copy=False)


def _transposed(x):
    return swap(x, axis1=-1, axis2=-2)


def _dropped(weights, keep):
    return weights if keep is None else weights * keep


@attention.joint_vjp
def _(g, q, k, v, keep, out, scale):
    (g, by_weights), (_, weights) = g, out
    by_v = None
    if g is not None:
        by_v = matmul(_transposed(_dropped(weights, keep)), g)
        by_kept = _dropped(matmul(g, _transposed(v)), keep)
        by_weights = by_kept if by_weights is None else by_kept + by_weights
    by_scores = softmax_grad(by_weights, weights, axis=-1)
    by_q = matmul(by_scores, k) * scale
    by_k = matmul(_transposed(by_scores), q) * scale
    return by_q, by_k, by_v, by_scores, None


# Without the weights, which a kernel then need not keep


@op(materialize=False, differentiable=1)
def attend(xp, q, k, v, bias, keep, *, scale, causal):
    """The result of `attention` for a bias that has no gradient, and the level (..., L, 1).

    That is the logarithm of the sum of the exponentials of the scores, from which they are made
    anew for the gradient; where all keys are hidden it is inf.
    """
    scores = fits(xp, q, k, bias, scale, causal)
    top = xp.max(scores, axis=-1, keepdims=True, initial=-xp.inf)
    top = xp.where(top == -xp.inf, xp.zeros_like(top), top)
    weights = xp.exp(scores - top)
    total = xp.sum(weights, axis=-1, keepdims=True)
    level = xp.where(total == 0, xp.inf, xp.log(total) + top)
    weights /= xp.where(total == 0, 1, total)
    out = _dropped(weights, keep) @ widened(xp, v)
    return out.astype(q.dtype, copy=False), level.astype(q.dtype, copy=False)


@op
def attend_grad(xp, g, q, k, v, bias, keep, level, *, scale, causal):
    """The gradients of `attend`, whose level may be given or None, by q, k and v."""
    weights = attention(q, k, v, bias, None, scale=scale, causal=causal)[1]
    by_weights = _dropped(matmul(g, _transposed(v)), keep)
    by_scores = softmax_grad(by_weights, weights, axis=-1)
    by_q = matmul(by_scores, k) * q.dtype.type(scale)
    by_k = matmul(_transposed(by_scores), q) * q.dtype.type(scale)
    return by_q, by_k, matmul(_transposed(_dropped(weights, keep)), g)


@attend.joint_vjp
def _(g, q, k, v, bias, keep, out, scale, causal):
    (level,) = out
    grads = attend_grad(g[0], q, k, v, bias, keep, level, scale=scale, causal=causal)
    return *grads, None, None


def _along_keys(x):
    return sum(x, axis=(len(x.shape) - 1,), keepdims=True)


@attend_grad.joint_vjp
def _(c, g, q, k, v, bias, keep, scale, causal):
    """With weights W and the gradients by them, dW, and by the scores, dS = W (dW - sum(W dW))."""
    on_q, on_k, on_v = c
    weights = attention(q, k, v, bias, None, scale=scale, causal=causal)[1]
    by_weights = _dropped(matmul(g, _transposed(v)), keep)
    by_scores = softmax_grad(by_weights, weights, axis=-1)
    on_scores = (matmul(on_q, _transposed(k)) + matmul(q, _transposed(on_k))) * scale  # of dS
    on_by_weights = softmax_grad(on_scores, weights, axis=-1)  # of dW
    on_weights = (
        on_scores * (by_weights - _along_keys(by_weights * weights))
        - by_weights * _along_keys(on_scores * weights)
        + _dropped(matmul(g, _transposed(on_v)), keep)
    )
    through = softmax_grad(on_weights, weights, axis=-1)  # of the scores
    on_by_kept, kept = _dropped(on_by_weights, keep), _dropped(weights, keep)
    return (
        matmul(on_by_kept, v) + matmul(kept, on_v),
        (matmul(by_scores, on_k) + matmul(through, k)) * scale,
        (matmul(_transposed(by_scores), on_q) + matmul(_transposed(through), q)) * scale,
        matmul(_transposed(on_by_kept), g),
        None, None, None,
    )  # fmt: skip
