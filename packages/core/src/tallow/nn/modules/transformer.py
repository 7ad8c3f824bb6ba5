"""The transformer: encoder and decoder, layers of attention and feed-forward networks.

Vaswani et al., "Attention is all you need", 2017. Sequences are `(L, N, E)`, `(N, L, E)` with
`batch_first`, or without N. Masks are as in `MultiheadAttention`; the `is_causal` arguments, hints
to PyTorch that a mask is causal, make no difference.
"""

import copy

from tallow.creation import full
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.modules.attention import MultiheadAttention
from tallow.nn.modules.container import ModuleList
from tallow.nn.modules.dropout import Dropout
from tallow.nn.modules.fused import dropped_sum
from tallow.nn.modules.linear import Linear
from tallow.nn.modules.normalization import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip


def _get_activation_fn(activation):
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(f"activation: expected 'relu' or 'gelu', got {activation!r}")
    return getattr(F, activation)


class _Layer(Module):
    """What encoder and decoder layers share: self-attention and a feed-forward network."""

    attentions: tuple[str, ...]

    def __init__(
        self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu,
        layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, device=None,
        dtype=None,
    ):  # fmt: skip
        super().__init__()
        where = {"device": device, "dtype": dtype}
        for name in self.attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        steps = range(1, len(self.attentions) + 2)
        for i in steps:
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where))
        for i in steps:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _get_activation_fn(activation)

    def _add(self, i, x, block, *args):
        """x plus what a block makes of it, normalized before or after."""
        norm = getattr(self, f"norm{i}")
        taken = norm(x) if self.norm_first else x
        if getattr(block, "__func__", None) in BLOCKS:
            out = block(taken, *args, residual=x)
        else:
            out = x + block(taken, *args)
        return out if self.norm_first else norm(out)

    def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False, residual=None):
        """Self-attention with its dropout, and the residual that it is added to.

        Programs override these blocks, which then know of no residual, and call them.
        """
        masks = {"attn_mask": attn_mask, "key_padding_mask": key_padding_mask}
        out = self.self_attn(x, x, x, need_weights=False, **masks)[0]
        return dropped_sum(residual, self.dropout1, out)

    def _ff_block(self, x, residual=None):
        """The feed-forward network with its dropout, the last of the layer's."""
        dropout = getattr(self, f"dropout{len(self.attentions) + 1}")
        out = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return dropped_sum(residual, dropout, out)


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feed-forward network, each added to its input and normalized.

    `norm_first` normalizes before rather than after.

    >>> layer = tallow.nn.TransformerEncoderLayer(d_model=16, nhead=4)
    >>> tuple(layer(tallow.randn(10, 2, 16)).shape)
    (10, 2, 16)
    """

    attentions = ("self_attn",)

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = self._add(1, src, self._sa_block, src_mask, src_key_padding_mask, is_causal)
        return self._add(2, x, self._ff_block)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to `memory`, and a feed-forward network, as in the encoder layer.

    >>> layer = tallow.nn.TransformerDecoderLayer(d_model=16, nhead=4)
    >>> tuple(layer(tallow.randn(7, 2, 16), tallow.randn(10, 2, 16)).shape)
    (7, 2, 16)
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
        memory_key_padding_mask=None, tgt_is_causal=False, memory_is_causal=False,
    ):  # fmt: skip
        x = self._add(1, tgt, self._sa_block, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        looked = memory, memory_mask, memory_key_padding_mask, memory_is_causal
        x = self._add(2, x, self._mha_block, *looked)
        return self._add(3, x, self._ff_block)

    def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False, residual=None):
        """Attention to the memory with its dropout."""
        masks = {"attn_mask": attn_mask, "key_padding_mask": key_padding_mask}
        out = self.multihead_attn(x, mem, mem, need_weights=False, **masks)[0]
        return dropped_sum(residual, self.dropout2, out)


# Those that add the residual themselves
BLOCKS = {_Layer._sa_block, _Layer._ff_block, TransformerDecoderLayer._mha_block}


class _Stack(Module):
    def __init__(self, layer, num_layers, norm=None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm


class TransformerEncoder(_Stack):
    """`num_layers` copies of an encoder layer, one after the other, and a last `norm` or None.

    >>> layer = tallow.nn.TransformerEncoderLayer(d_model=16, nhead=4)
    >>> encoder = tallow.nn.TransformerEncoder(layer, num_layers=2)
    >>> tuple(encoder(tallow.randn(10, 2, 16)).shape)
    (10, 2, 16)
    """

    def __init__(
        self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True
    ):
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """`num_layers` copies of a decoder layer, one after the other, and a last `norm` or None.

    >>> layer = tallow.nn.TransformerDecoderLayer(d_model=16, nhead=4)
    >>> decoder = tallow.nn.TransformerDecoder(layer, num_layers=2)
    >>> tuple(decoder(tallow.randn(7, 2, 16), tallow.randn(10, 2, 16)).shape)
    (7, 2, 16)
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
        memory_key_padding_mask=None, tgt_is_causal=None, memory_is_causal=False,
    ):  # fmt: skip
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of the source and a decoder of the target that attends to it.

    Weights of two and more dimensions start Xavier-uniform.

    >>> model = tallow.nn.Transformer(d_model=16, nhead=4, num_encoder_layers=1,
    ...                               num_decoder_layers=1, dim_feedforward=32)
    >>> tuple(model(tallow.randn(10, 2, 16), tallow.randn(7, 2, 16)).shape)
    (7, 2, 16)
    """

    def __init__(
        self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6,
        dim_feedforward=2048, dropout=0.1, activation=F.relu, custom_encoder=None,
        custom_decoder=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True,
        device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        how = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first)
        how += (norm_first, bias, device, dtype)

        def norm():
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)

        if custom_encoder is None:
            layer = TransformerEncoderLayer(*how)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*how)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm())
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self._reset_parameters()

    def _reset_parameters(self):
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """The mask `(sz, sz)` that hides later keys: -inf above the diagonal, else 0.

        >>> tallow.nn.Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        return full((sz, sz), float("-inf"), device=device, dtype=dtype).triu(1)

    def forward(
        self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
        tgt_key_padding_mask=None, memory_key_padding_mask=None, src_is_causal=None,
        tgt_is_causal=None, memory_is_causal=False,
    ):  # fmt: skip
        batch = 0 if self.batch_first else 1
        if {src.shape[-1], tgt.shape[-1]} != {self.d_model} or (
            src.ndim == 3 and src.shape[batch] != tgt.shape[batch]
        ):
            raise ShapeError(
                f"Transformer: expected src and tgt of one batch and {self.d_model} features, got "
                f"{describe(src)} and {describe(tgt)}; batch_first is {self.batch_first}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        )
