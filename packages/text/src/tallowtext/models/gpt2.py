"""GPT-2: a decoder that writes text on (Radford et al., 2019)."""

from dataclasses import dataclass

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowtext.models._generation import Writer, reordering
from tallowtext.models._layers import Layer, cached_length, seen
from tallowtext.models._pretrained import Pretrained

__all__ = ["GPT2Conf", "GPT2Model"]


@dataclass
class GPT2Conf:
    """The shape of a GPT-2, by default the small one of 124 million parameters."""

    vocab_size: int = 50257
    embedding_dim: int = 768
    num_attention_heads: int = 12
    num_layers: int = 12
    max_seq_len: int = 1024
    ffn_dimension: int | None = None
    dropout: float = 0.1
    activation: str = "gelu_new"
    layer_norm_eps: float = 1e-5


class GPT2Model(Writer, Pretrained):
    """A language model: scores (N, L, vocabulary) of the token that follows each of (N, L).

    `attention_mask` (N, all tokens so far) is 0 for padding. A `cache`, at first a list of as many
    () as layers, keeps what the model has read, so that it goes on from there. Raises ArgumentError
    for more than `config.max_seq_len` tokens. The scores' matrix is that of the embeddings.

    >>> import tallow
    >>> from tallowtext.models import GPT2Conf, GPT2Model
    >>> model = GPT2Model(GPT2Conf(100, embedding_dim=16, num_attention_heads=2, num_layers=1))
    >>> tuple(model(tallow.tensor([[1, 2, 3]])).shape)
    (1, 3, 100)
    >>> tuple(model.eval().generate(tallow.tensor([[1, 2, 3]]), max_new_tokens=4).shape)
    (1, 7)
    """

    conf = GPT2Conf
    model_types = ("gpt2",)
    prefix = "transformer."
    fields = {
        "vocab_size": "vocab_size", "embedding_dim": "n_embd", "num_attention_heads": "n_head",
        "num_layers": "n_layer", "max_seq_len": "n_positions", "ffn_dimension": "n_inner",
        "dropout": "resid_pdrop", "activation": "activation_function",
        "layer_norm_eps": "layer_norm_epsilon",
    }  # fmt: skip
    layout = """
        token_embeddings.weight                transformer.wte.weight
        position_embeddings.weight             transformer.wpe.weight
        layers.*.norm1.weight                  transformer.h.*.ln_1.weight
        layers.*.norm1.bias                    transformer.h.*.ln_1.bias
        layers.*.self_attn.{q,k,v}_proj_weight transformer.h.*.attn.c_attn.weight.T
        layers.*.self_attn.{q,k,v}_proj_bias   transformer.h.*.attn.c_attn.bias
        layers.*.self_attn.out_proj.weight     transformer.h.*.attn.c_proj.weight.T
        layers.*.self_attn.out_proj.bias       transformer.h.*.attn.c_proj.bias
        layers.*.norm2.weight                  transformer.h.*.ln_2.weight
        layers.*.norm2.bias                    transformer.h.*.ln_2.bias
        layers.*.linear1.weight                transformer.h.*.mlp.c_fc.weight.T
        layers.*.linear1.bias                  transformer.h.*.mlp.c_fc.bias
        layers.*.linear2.weight                transformer.h.*.mlp.c_proj.weight.T
        layers.*.linear2.bias                  transformer.h.*.mlp.c_proj.bias
        norm.weight                            transformer.ln_f.weight
        norm.bias                              transformer.ln_f.bias
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        width = config.embedding_dim
        self.token_embeddings = nn.Embedding(config.vocab_size, width)
        self.position_embeddings = nn.Embedding(config.max_seq_len, width)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            Layer(
                width, config.num_attention_heads, config.ffn_dimension or 4 * width,
                eps=config.layer_norm_eps, activation=config.activation, dropout=config.dropout,
            )
            for _ in range(config.num_layers)
        )  # fmt: skip
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self._reset_parameters()

    def _reset_parameters(self):
        """Normal with deviation 0.02, less where layers add up (Radford et al., section 2.3)."""
        sums = 2 * self.config.num_layers
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                adds = name.endswith(("out_proj.weight", "linear2.weight"))
                nn.init.normal_(parameter, std=0.02 / (sums**0.5 if adds else 1))

    def forward(self, input_ids, attention_mask=None, cache=None):
        past, length = cached_length(cache), input_ids.shape[1]
        total = past + length
        if total > self.config.max_seq_len:
            raise ArgumentError(
                f"GPT2Model: expected up to {self.config.max_seq_len} tokens, got {total}; cut the "
                "text, or ask for fewer new tokens"
            )
        places, hidden = tallow.arange(past, total, device=input_ids.device), None
        if attention_mask is not None:
            places = (attention_mask.cumsum(1) - 1).clamp(0)[:, past:]
            hidden = attention_mask == 0
        x = self.dropout(self.token_embeddings(input_ids) + self.position_embeddings(places))
        mask = seen(length, total, True, hidden, input_ids.device)
        for i, layer in enumerate(self.layers):
            x, kept = layer(x, mask, past=cache[i] if cache else ())
            if cache is not None:
                cache[i] = kept
        return F.linear(self.norm(x), self.token_embeddings.weight)

    def _reader(self, tokens, mask, new, beams):
        """`read`, `reorder` and the first tokens for `_generation`."""
        cache = [()] * len(self.layers)
        if mask is not None:
            mask = F.pad(mask, (0, new), value=1).repeat_interleave(beams, 0)

        def read(following):
            so_far = cached_length(cache) + following.shape[1]
            return self(following, mask if mask is None else mask[:, :so_far], cache)[:, -1]

        return read, reordering(cache), tokens
