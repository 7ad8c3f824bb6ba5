"""Attention: means of values, weighted by how well their keys fit the queries."""

from tallow.autograd.op import op
from tallow.ops.dropout import dropout_mask, keep_by_position
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


@op(materialize=False)
def attend(xp, q, k, v, bias, keep, *, scale, causal):
    """The result of `attention` for a bias that has no gradient, and the level (..., L, 1).

    That is the logarithm of the sum of the exponentials of the scores, from which they are made
    anew for the gradient, in float32 at least; where all keys are hidden it is inf.
    """
    scores = fits(xp, q, k, bias, scale, causal)
    top = xp.max(scores, axis=-1, keepdims=True, initial=-xp.inf)
    top = xp.where(top == -xp.inf, xp.zeros_like(top), top)
    weights = xp.exp(scores - top)
    total = xp.sum(weights, axis=-1, keepdims=True)
    level = xp.where(total == 0, xp.inf, xp.log(total) + top)
    weights /= xp.where(total == 0, 1, total)
    out = _dropped(weights, keep) @ widened(xp, v)
    return out.astype(q.dtype, copy=False), level


@op
def attend_grad(xp, g, q, k, v, bias, keep, out, level, *, scale, causal):
    """The gradients of `attend`, whose results may be given or None, by q, k and v."""
    weights = attention(q, k, v, bias, None, scale=scale, causal=causal)[1]
    by_weights = _dropped(matmul(g, _transposed(v)), keep)
    by_scores = softmax_grad(by_weights, weights, axis=-1)
    by_q = matmul(by_scores, k) * q.dtype.type(scale)
    by_k = matmul(_transposed(by_scores), q) * q.dtype.type(scale)
    return by_q, by_k, matmul(_transposed(_dropped(weights, keep)), g)


@attend.joint_vjp
def _(g, q, k, v, bias, keep, out, scale, causal):
    grads = attend_grad(g[0], q, k, v, bias, keep, *out, scale=scale, causal=causal)
    return *grads, None, None


def _along_keys(x):
    return sum(x, axis=(len(x.shape) - 1,), keepdims=True)


@attend_grad.joint_vjp
def _second(c, g, q, k, v, bias, keep, scale, causal):
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
        None, None, None, None,
    )  # fmt: skip


# With dropout by position: a kernel makes what is kept where it needs it


def _kept_factors(q, k, move, drops):
    """The factors of the weights (..., L, S): 0 with a probability p, else 1 / (1 - p)."""
    rank = max(len(q.shape), len(k.shape)) - 2
    left, right = ((1,) * (rank + 2 - len(x.shape)) + tuple(x.shape[:-2]) for x in (q, k))
    batch = tuple(m if n == 1 else n for n, m in zip(left, right, strict=True))
    p, seed, offset = drops
    shape = (*batch, q.shape[-2], k.shape[-2])
    return dropout_mask(
        q, keep_by_position(q, move, shape=shape, p=p, seed=seed, offset=offset), p=p
    )


@op(materialize=False)
def attend_dropping(q, k, v, bias, move, *, scale, causal, drops):
    """`attend` where the weights are dropped: `drops` is (p, seed, offset).

    What is kept is that of `keep_by_position`, which says what `move` is.
    """
    keep = _kept_factors(q, k, move, drops)
    return attend(q, k, v, bias, keep, scale=scale, causal=causal)


@op
def attend_dropping_grad(g, q, k, v, bias, move, out, level, *, scale, causal, drops):
    """The gradients of `attend_dropping` by q, k and v."""
    keep = _kept_factors(q, k, move, drops)
    return attend_grad(g, q, k, v, bias, keep, out, level, scale=scale, causal=causal)


@attend_dropping.joint_vjp
def _(g, q, k, v, bias, move, out, scale, causal, drops):
    how = {"scale": scale, "causal": causal, "drops": drops}
    return *attend_dropping_grad(g[0], q, k, v, bias, move, *out, **how), None, None


@attend_dropping_grad.joint_vjp
def _(c, g, q, k, v, bias, move, scale, causal, drops):
    keep = _kept_factors(q, k, move, drops)
    return (*_second(c, g, q, k, v, bias, keep, scale, causal)[:4], None, None, None, None)
