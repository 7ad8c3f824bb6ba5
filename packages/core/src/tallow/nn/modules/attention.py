"""Multi-head attention."""

from tallow.creation import empty
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.modules.linear import NonDynamicallyQuantizableLinear
from tallow.nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in `num_heads` projections of `embed_dim / num_heads` (Vaswani et al., 2017).

    forward(query `(L, N, embed_dim)`, key `(S, N, kdim)`, value `(S, N, vdim)`), `(N, L, ...)` with
    `batch_first`, or without N, gives the output and the weights `(N, L, S)`, the mean of the
    heads' `(N, num_heads, L, S)` unless `average_attn_weights=False`; None without `need_weights`.
    `key_padding_mask` `(N, S)` and `attn_mask` `(L, S)` or `(N * num_heads, L, S)` are added to the
    scores or, if bool, say which keys are *not* seen. `add_bias_kv` adds a learned key and value,
    `add_zero_attn` zeros. `in_proj_weight` is `(3 * embed_dim, embed_dim)`: queries, keys, values.

    >>> attention = tallow.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = tallow.randn(3, 5, 8)
    >>> output, weights = attention(x, x, x)
    >>> tuple(output.shape), tuple(weights.shape)
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False,
        kdim=None, vdim=None, batch_first=False, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ArgumentError(
                "MultiheadAttention: expected embed_dim divisible by num_heads, got "
                f"{embed_dim} and {num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.add_zero_attn = add_zero_attn

        def register(name, shape, wanted=True):
            parameter = Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, parameter)

        same = self._qkv_same_embed_dim
        if same:
            register("in_proj_weight", (3 * embed_dim, embed_dim))
        register("q_proj_weight", (embed_dim, embed_dim), not same)
        register("k_proj_weight", (embed_dim, self.kdim), not same)
        register("v_proj_weight", (embed_dim, self.vdim), not same)
        if not same:
            self.register_parameter("in_proj_weight", None)
        register("in_proj_bias", (3 * embed_dim,), bias)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        register("bias_k", (1, 1, embed_dim), add_bias_kv)
        register("bias_v", (1, 1, embed_dim), add_bias_kv)
        self._reset_parameters()

    def _reset_parameters(self):
        """Draw the weights anew, but for the output's; all biases but those of keys are 0."""
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
        average_attn_weights=True, is_causal=False,
    ):  # fmt: skip
        batched = query.ndim == 3
        if self.batch_first and batched:
            query, key, value = _transposed(query, key, value)
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, training=self.training,
            key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight, k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )  # fmt: skip
        return output.transpose(0, 1) if self.batch_first and batched else output, weights


def _transposed(query, key, value):
    """Batch and sequence exchanged; one tensor stays one tensor."""
    if query is key is value:
        query = query.transpose(0, 1)
        return query, query, query
    return query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
