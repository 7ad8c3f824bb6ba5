"""Attention: each query gets the mean of values, weighted by how well their keys fit it."""

from math import sqrt

from tallow import dtypes
from tallow.creation import zeros
from tallow.errors import ArgumentError, DtypeError, ShapeError, describe
from tallow.joining import cat
from tallow.nn.functional.common import same_dtype
from tallow.nn.functional.linear import linear
from tallow.nn.functional.padding import pad
from tallow.ops.attention import attend, attend_dropping, attention
from tallow.ops.dropout import by_position, dropout_mask, kept, next_place
from tallow.shaping import broadcast_shapes

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(query @ key.T * scale) @ value: (..., L, E), (..., S, E), (..., S, V) -> (..., L, V).

    `attn_mask` (broadcast to (..., L, S)) is added to the scores or, if bool, says which keys a
    query sees; with `is_causal` query i sees those up to i. A query that sees none gets zeros.
    `scale` is 1 / sqrt(E) unless told. `enable_gqa`: fewer heads (dim -3) of keys and values than
    of queries, each for several in a row. Vaswani et al., "Attention is all you need", 2017.

    >>> q, k, v = tallow.zeros(1, 2), tallow.zeros(2, 2), tallow.tensor([[1.0], [3.0]])
    >>> tallow.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[2.]])
    """
    name = "scaled_dot_product_attention"
    _check(name, query, key, value, attn_mask, is_causal)
    scale = 1 / sqrt(max(query.array.shape[-1], 1)) if scale is None else scale
    grouped = enable_gqa and query.array.shape[-3] != key.array.shape[-3]
    if grouped:
        query, key, value, attn_mask = _grouped(name, query, key, value, attn_mask)
    out, _ = _attend(query, key, value, attn_mask, dropout_p, scale, is_causal, False)
    return out.flatten(-4, -3) if grouped else out


def _check(name, query, key, value, attn_mask, is_causal):
    q, k, v = query.array.shape, key.array.shape, value.array.shape
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"{name}: expected query (..., L, E), key (..., S, E) and value (..., S, V), got "
            f"{describe(query)}, {describe(key)} and {describe(value)}"
        )
    same_dtype(name, query, key, value)
    if attn_mask is None:
        return
    if is_causal:
        raise ShapeError(f"{name}: expected no attn_mask with is_causal, got {describe(attn_mask)}")
    if attn_mask.dtype not in (dtypes.bool_, query.dtype):
        raise DtypeError(
            f"{name}: expected attn_mask of bool or {query.dtype}, got {describe(attn_mask)}"
        )


def _grouped(name, query, key, value, attn_mask):
    """Heads of queries in groups (..., H, G, L, E), one for each head of keys and values."""
    heads, groups = query.array.shape[-3], key.array.shape[-3]
    if not groups or heads % groups or value.array.shape[-3] != groups:
        raise ShapeError(
            f"{name}: expected heads of queries that those of keys and values divide, got "
            f"{describe(query)}, {describe(key)} and {describe(value)}"
        )
    if attn_mask is not None and attn_mask.array.ndim > 2:
        many = attn_mask.array.shape[-3] == heads
        attn_mask = attn_mask.unflatten(-3, (groups, -1)) if many else attn_mask.unsqueeze(-3)
    return query.unflatten(-3, (groups, -1)), key.unsqueeze(-3), value.unsqueeze(-3), attn_mask


def _attend(query, key, value, mask, dropout_p, scale, causal, need_weights):
    """The result, and if needed the weights it was made with, in which dropout has put zeros."""
    without = not need_weights and (mask is None or not mask.requires_grad)
    if dropout_p and without and by_position(query):
        seed, offset, move = next_place(query)
        how = {"scale": scale, "causal": causal, "drops": (dropout_p, seed, offset)}
        return attend_dropping(query, key, value, mask, move, **how)[0], None
    keep = None
    if dropout_p:
        batch = broadcast_shapes(query.array.shape[:-2], key.array.shape[:-2])
        shape = (*batch, query.array.shape[-2], key.array.shape[-2])
        keep = kept(query, shape=shape, p=dropout_p)
        keep = dropout_mask(query, keep, p=dropout_p)
    if without:
        return attend(query, key, value, mask, keep, scale=scale, causal=causal)[0], None
    out, weights = attention(query, key, value, mask, keep, scale=scale, causal=causal)
    return out, weights if keep is None else weights * keep


def multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v,
    add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None,
    need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None,
    k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True,
    is_causal=False,
):  # fmt: skip
    """What `nn.MultiheadAttention` computes: the result (L, N, E), and the weights or None.

    query (L, N, E), key (S, N, EK), value (S, N, EV), or all without N. `key_padding_mask` (N, S)
    and `attn_mask` (L, S) or (N * heads, L, S) are added to the scores or, if bool, say which keys
    are *not* seen. `static_k` and `static_v` (N * heads, S, E / heads) replace the projected ones.
    """
    name = "multi_head_attention_forward"
    single = query.array.ndim == 2
    if single:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    _check_heads(name, query, key, value, embed_dim_to_check, num_heads)
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
    else:
        weights = in_proj_weight
    q, k, v = _project(query, key, value, weights, in_proj_bias)
    length, batch, width = q.array.shape
    if is_causal and attn_mask is None:
        raise ArgumentError(f"{name}: expected an attn_mask with is_causal, got None")
    if bias_k is not None:
        k = cat([k, bias_k.expand(1, batch, width)])
        v = cat([v, bias_v.expand(1, batch, width)])
    q = _split(q, num_heads)
    k = _split(k, num_heads) if static_k is None else static_k.unflatten(0, (batch, num_heads))
    v = _split(v, num_heads) if static_v is None else static_v.unflatten(0, (batch, num_heads))
    if add_zero_attn:
        k, v = pad(k, (0, 0, 0, 1)), pad(v, (0, 0, 0, 1))
    mask = _joined(name, q, k, attn_mask, key_padding_mask)
    scale = 1 / sqrt(width // num_heads)
    dropout_p = dropout_p if training else 0.0
    out, weights = _attend(q, k, v, mask, dropout_p, scale, False, need_weights)
    out = out.permute(2, 0, 1, 3).reshape(length, batch, width)
    out = linear(out, out_proj_weight, out_proj_bias)
    out = out.squeeze(1) if single else out
    if not need_weights:
        return out, None
    weights = weights.mean(1) if average_attn_weights else weights
    return out, weights.squeeze(0) if single else weights


def _check_heads(name, query, key, value, width, num_heads):
    q, k, v = query.array.shape, key.array.shape, value.array.shape
    if not len(q) == len(k) == len(v) == 3 or q[2] != width or k[:2] != v[:2] or k[1] != q[1]:
        raise ShapeError(
            f"{name}: expected query (L, N, {width}), key (S, N, EK) and value (S, N, EV), or all "
            f"without N, got {describe(query)}, {describe(key)} and {describe(value)}"
        )
    if width % num_heads:
        raise ArgumentError(f"{name}: expected a width that {num_heads} heads divide, got {width}")


def _project(query, key, value, weights, bias):
    """Queries, keys and values; one product where all come from one tensor and one weight."""
    if not isinstance(weights, tuple) and query is key and key is value:
        return linear(query, weights, bias).chunk(3, -1)
    weights = weights if isinstance(weights, tuple) else weights.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    triples = zip((query, key, value), weights, biases, strict=True)
    return [linear(x, weight, b) for x, weight, b in triples]


def _split(x, heads):
    """(L, N, E) -> (N, heads, L, E / heads)."""
    return x.unflatten(2, (heads, -1)).permute(1, 2, 0, 3)


def _joined(name, q, k, attn_mask, padding_mask):
    """Both masks as one (N, heads, L, S) that is added, or None; keys added since are seen."""
    batch, heads, length, _ = q.array.shape
    total = k.array.shape[2]
    mask = None
    if attn_mask is not None:
        mask = _additive(q, attn_mask)
        shape = mask.array.shape
        if len(shape) == 3 and shape[0] == batch * heads:
            mask = mask.unflatten(0, (batch, heads))
        elif len(shape) != 2 or shape[0] != length:
            raise ShapeError(
                f"{name}: expected attn_mask (L, S) or (N * heads, L, S), got {describe(attn_mask)}"
            )
        mask = pad(mask, (0, total - shape[-1]))
    if padding_mask is not None:
        if padding_mask.array.ndim != 2 or len(padding_mask.array) != batch:
            raise ShapeError(
                f"{name}: expected key_padding_mask (N, S), got {describe(padding_mask)}"
            )
        hidden = _additive(q, padding_mask).unsqueeze(1).unsqueeze(1)
        hidden = pad(hidden, (0, total - padding_mask.array.shape[1]))
        mask = hidden if mask is None else mask + hidden
    return mask


def _additive(q, mask):
    """A mask to be added: -inf where a bool one is True."""
    if mask.dtype != dtypes.bool_:
        return mask
    return zeros(*mask.array.shape, dtype=q.dtype, device=q.device).masked_fill(mask, float("-inf"))
