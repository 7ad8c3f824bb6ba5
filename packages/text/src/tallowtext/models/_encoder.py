"""The encoder of BERT and RoBERTa, with the names of torchtext's."""

import re

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowtext.models._layers import activation_named

FIELDS = {
    "vocab_size": "vocab_size", "embedding_dim": "hidden_size", "padding_idx": "pad_token_id",
    "ffn_dimension": "intermediate_size", "max_seq_len": "max_position_embeddings",
    "num_attention_heads": "num_attention_heads", "num_encoder_layers": "num_hidden_layers",
    "dropout": "hidden_dropout_prob", "layer_norm_eps": "layer_norm_eps",
    "type_vocab_size": "type_vocab_size", "activation": "hidden_act",
}  # fmt: skip

PARTS = """
    token_embedding.weight                 embeddings.word_embeddings.weight
    positional_embedding.embedding.weight  embeddings.position_embeddings.weight
    type_embedding.weight                  embeddings.token_type_embeddings.weight
    embedding_layer_norm.{}                embeddings.LayerNorm.{}
    layers.layers.*.self_attn.in_proj_{}   encoder.layer.*.attention.self.{query,key,value}.{}
    layers.layers.*.self_attn.out_proj.{}  encoder.layer.*.attention.output.dense.{}
    layers.layers.*.norm1.{}               encoder.layer.*.attention.output.LayerNorm.{}
    layers.layers.*.linear1.{}             encoder.layer.*.intermediate.dense.{}
    layers.layers.*.linear2.{}             encoder.layer.*.output.dense.{}
    layers.layers.*.norm2.{}               encoder.layer.*.output.LayerNorm.{}
"""

EARLIER = {  # names in the files that torchtext has published
    "attention.input_projection.": "self_attn.in_proj_",
    "attention.output_projection.": "self_attn.out_proj.",
    "residual_mlp.mlp.0.": "linear1.",
    "residual_mlp.mlp.3.": "linear2.",
    "attention_layer_norm.": "norm1.",
    "final_layer_norm.": "norm2.",
}


def layout(ours, theirs):
    """Lines of `Pretrained.layout` for an encoder that goes by these prefixes."""
    lines = []
    for line in PARTS.strip().splitlines():
        own, other = line.split()
        for kind in ("weight", "bias") if own.endswith("{}") else ("",):
            lines.append(f"{ours}{own.replace('{}', kind)} {theirs}{other.replace('{}', kind)}")
    return "\n".join(lines) + "\n"


class PositionalEmbedding(nn.Module):
    """Vectors of places: 0, 1, ..., or those after `pad_index`, counted without padding."""

    def __init__(self, num_embeddings, embedding_dim, pad_index=None):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim, pad_index)
        self.pad_index = pad_index

    def forward(self, input):
        if self.pad_index is None:
            return self.embedding(tallow.arange(input.shape[1], device=input.device))
        real = (input != self.pad_index).long()
        return self.embedding(real.cumsum(1) * real + self.pad_index)


class Encoder(nn.Module):
    """Tokens (N, L) to features (N, L, embedding_dim), by layers of `nn.TransformerEncoder`.

    `hidden` (N, L) is True for padding, by default `padding_idx`. `counts_padding`: places are
    counted from the start; if not, from behind `padding_idx`, without padding, as RoBERTa does.
    """

    def __init__(
        self, vocab_size, embedding_dim, ffn_dimension, padding_idx, max_seq_len,
        num_attention_heads, num_encoder_layers, dropout=0.1, normalize_before=False,
        layer_norm_eps=1e-5, type_vocab_size=0, activation="gelu", counts_padding=False,
    ):  # fmt: skip
        super().__init__()
        self.padding_idx = padding_idx
        self.longest = max_seq_len if counts_padding else max_seq_len - padding_idx - 1
        self.normalize_before = normalize_before
        self.token_embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx)
        layer = nn.TransformerEncoderLayer(
            embedding_dim, num_attention_heads, ffn_dimension, dropout,
            activation_named(activation), layer_norm_eps, batch_first=True,
            norm_first=normalize_before,
        )  # fmt: skip
        self.layers = nn.TransformerEncoder(layer, num_encoder_layers)
        self.positional_embedding = PositionalEmbedding(
            max_seq_len, embedding_dim, None if counts_padding else padding_idx
        )
        self.type_embedding = (
            nn.Embedding(type_vocab_size, embedding_dim) if type_vocab_size else None
        )
        self.embedding_layer_norm = nn.LayerNorm(embedding_dim, eps=layer_norm_eps)
        self.dropout = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.Embedding):  # as BERT: for training from nothing
                nn.init.normal_(module.weight, std=0.02)
                if module.padding_idx is not None:
                    nn.init.zeros_(module.weight.detach()[module.padding_idx])

    def forward(self, tokens, types=None, hidden=None):
        if tokens.ndim != 2 or not 0 < tokens.shape[1] <= self.longest:
            raise ArgumentError(
                f"encoder: expected tokens (batch, length) with a length from 1 to {self.longest}, "
                f"got {tuple(tokens.shape)}; cut longer texts with transforms.Truncate"
            )
        hidden = tokens == self.padding_idx if hidden is None else hidden
        x = self.token_embedding(tokens) + self.positional_embedding(tokens)
        if self.type_embedding is not None:
            x = x + self.type_embedding(tallow.zeros_like(tokens) if types is None else types)
        if not self.normalize_before:
            x = self.embedding_layer_norm(x)
        x = self.layers(self.dropout(x), src_key_padding_mask=hidden)
        return self.embedding_layer_norm(x) if self.normalize_before else x

    def _load_from_state_dict(self, state_dict, prefix, *args):
        for name in list(state_dict):
            layer = re.match(rf"{re.escape(prefix)}layers\.(\d+)\.(.*\.)(weight|bias)$", name)
            if layer and layer[2] in EARLIER:
                new = f"{prefix}layers.layers.{layer[1]}.{EARLIER[layer[2]]}{layer[3]}"
                state_dict[new] = state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, *args)
