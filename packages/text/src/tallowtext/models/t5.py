"""T5: text to text, by an encoder and a decoder (Raffel et al., 2020), with torchtext's names."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import tallow
from tallow import nn
from tallow.errors import ArgumentError, TypeMismatchError
from tallowtext.models._generation import Writer, reordering
from tallowtext.models._layers import Layer, cached_length, seen
from tallowtext.models._pretrained import Pretrained

__all__ = ["T5Conf", "T5Model"]


@dataclass
class T5Conf:
    """The shape of a T5, by default the base one.

    `feed_forward_proj` is "relu", or "gated-gelu" as in T5 1.1 and FLAN-T5. `qkv_dim` is the width
    of a head. `scale_decoder_outputs`: what the head is given is divided by sqrt(embedding_dim), as
    it is in models whose head and embeddings are one.
    """

    encoder_only: bool = False
    linear_head: bool = False
    embedding_dim: int = 768
    qkv_dim: int = 64
    num_attention_heads: int = 12
    num_encoder_layers: int = 12
    num_decoder_layers: int = 12
    ffn_dimension: int = 3072
    dropout: float = 0.1
    activation: str | Callable = "relu"
    layer_norm_eps: float = 1e-6
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    padding_idx: int = 0
    max_seq_len: int = 512
    vocab_size: int = 32128
    training: bool = False
    feed_forward_proj: str | None = None
    is_gated_act: bool = False
    scale_decoder_outputs: bool = True

    def __post_init__(self):
        if self.feed_forward_proj:
            gated, _, self.activation = self.feed_forward_proj.rpartition("-")
            if gated not in ("", "gated"):
                raise ArgumentError(
                    "T5Conf: expected feed_forward_proj like 'relu' or 'gated-gelu', got "
                    f"{self.feed_forward_proj!r}"
                )
            self.is_gated_act = bool(gated)
            if self.feed_forward_proj == "gated-gelu":
                self.activation = "gelu_new"


class RelativeBias(nn.Embedding):
    """What a head adds to scores for how far apart query and key are: (1, heads, L, S).

    Near distances have a bucket each, farther ones share some, up to `farthest` (section 2.1).
    """

    def __init__(self, buckets, heads, farthest, both_ways):
        super().__init__(buckets, heads)
        self.farthest, self.both_ways = farthest, both_ways

    def forward(self, length, total):
        keys = tallow.arange(total, device=self.weight.device)
        distance = keys - keys[total - length :, None]
        count, bucket = self.num_embeddings, 0
        if self.both_ways:
            count //= 2
            bucket = (distance > 0).long() * count
            distance = distance.abs()
        else:
            distance = (-distance).clamp(0)
        near = count // 2
        share = tallow.log(distance.clamp(1) / near) / math.log(self.farthest / near)
        far = (near + (share * (count - near)).long()).clamp(max=count - 1)
        bucket = bucket + tallow.where(distance < near, distance, far)
        return super().forward(bucket).permute(2, 0, 1)[None]


class T5Stack(nn.Module):
    """The layers of T5's encoder, or of its decoder if they look up a memory."""

    def __init__(self, config, decoder, embeddings=None):
        super().__init__()
        if embeddings is not None:
            self.token_embeddings = embeddings
        dropout = config.dropout if config.training else 0.0
        count = config.num_decoder_layers if decoder else config.num_encoder_layers
        self.layers = nn.ModuleList(
            Layer(
                config.embedding_dim, config.num_attention_heads, config.ffn_dimension,
                config.qkv_dim, nn.RMSNorm, config.layer_norm_eps, config.activation,
                config.is_gated_act, decoder, bias=False, dropout=dropout, scale=1.0,
            )
            for _ in range(count)
        )  # fmt: skip
        self.layers[0].self_attn.relative_attention_bias = RelativeBias(
            config.relative_attention_num_buckets, config.num_attention_heads,
            config.relative_attention_max_distance, not decoder,
        )  # fmt: skip
        self.norm = nn.RMSNorm(config.embedding_dim, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(dropout)
        self.decoder = decoder

    def forward(self, x, mask=None, hidden=None, memory=None, memory_hidden=None, cache=None):
        """Features of x (N, L, width), those of all layers, and the new cache.

        `hidden` (N, all keys) and `memory_hidden` (N, S) are true for padding; `mask` (L, all keys)
        is true where a query may not look, or is added to the scores.
        """
        length, past = x.shape[1], cached_length(cache)
        bias = self.layers[0].self_attn.relative_attention_bias(length, past + length)
        visible = seen(length, past + length, self.decoder and mask is None, hidden, x.device)
        if visible is not None:
            bias = bias.masked_fill(~visible, -tallow.inf)
        if mask is not None:
            bias = bias.masked_fill(mask, -tallow.inf) if mask.dtype == tallow.bool else bias + mask
        memory_mask = None if memory_hidden is None else ~memory_hidden[:, None, None, :]
        x, kept, states = self.dropout(x), [], []
        for i, layer in enumerate(self.layers):
            states.append(x)
            x, keys = layer(x, bias, memory, memory_mask, cache[i] if cache else ())
            kept.append(keys)
        x = self.dropout(self.norm(x))
        return x, [*states, x], kept


SIDE = """
    SIDE.layers.*.norm1.weight              SIDE.block.*.layer.0.layer_norm.weight
    SIDE.layers.*.self_attn.q_proj_weight   SIDE.block.*.layer.0.SelfAttention.q.weight
    SIDE.layers.*.self_attn.k_proj_weight   SIDE.block.*.layer.0.SelfAttention.k.weight
    SIDE.layers.*.self_attn.v_proj_weight   SIDE.block.*.layer.0.SelfAttention.v.weight
    SIDE.layers.*.self_attn.out_proj.weight SIDE.block.*.layer.0.SelfAttention.o.weight
    SIDE.layers.0.self_attn.BIAS            SIDE.block.0.layer.0.SelfAttention.BIAS
    SIDE.layers.*.norm3.weight              SIDE.block.*.layer.1.layer_norm.weight
    SIDE.layers.*.cross_attn.q_proj_weight  SIDE.block.*.layer.1.EncDecAttention.q.weight
    SIDE.layers.*.cross_attn.k_proj_weight  SIDE.block.*.layer.1.EncDecAttention.k.weight
    SIDE.layers.*.cross_attn.v_proj_weight  SIDE.block.*.layer.1.EncDecAttention.v.weight
    SIDE.layers.*.cross_attn.out_proj.weight SIDE.block.*.layer.1.EncDecAttention.o.weight
    SIDE.layers.*.norm2.weight              SIDE.block.*.layer.LAST.layer_norm.weight
    SIDE.layers.*.linear1.weight            SIDE.block.*.layer.LAST.DenseReluDense.wi.weight
    SIDE.layers.*.linear1_0.weight          SIDE.block.*.layer.LAST.DenseReluDense.wi_0.weight
    SIDE.layers.*.linear1_1.weight          SIDE.block.*.layer.LAST.DenseReluDense.wi_1.weight
    SIDE.layers.*.linear2.weight            SIDE.block.*.layer.LAST.DenseReluDense.wo.weight
    SIDE.norm.weight                        SIDE.final_layer_norm.weight
""".replace("BIAS", "relative_attention_bias.weight")


class T5Model(Writer, Pretrained):
    """Tokens (N, S) to a dictionary of features, and of the decoder's output for (N, L) more.

    "encoder_output" (N, S, embedding_dim), "encoder_hidden_states", and unless `encoder_only`
    "decoder_output" (N, L, embedding_dim), or scores (N, L, vocabulary) with `linear_head`,
    "decoder_hidden_states", and for `return_past_key_values` "past_key_values", which make the
    decoder go on from there. Padding masks are true for padding, by default `padding_idx`.

    >>> import tallow
    >>> from tallowtext.models import T5Conf, T5Model
    >>> conf = T5Conf(False, True, 16, 8, 2, 1, 1, 32, vocab_size=50)
    >>> model = T5Model(conf).eval()
    >>> tokens = tallow.tensor([[7, 8, 9, 1]])
    >>> tuple(model(tokens)["decoder_output"].shape)
    (1, 1, 50)
    >>> tuple(model.generate(tokens, max_new_tokens=5).shape)
    (1, 6)
    """

    conf = T5Conf
    model_types = ("t5", "mt5")
    fields = {
        "embedding_dim": "d_model", "qkv_dim": "d_kv", "num_attention_heads": "num_heads",
        "num_encoder_layers": "num_layers", "num_decoder_layers": "num_decoder_layers",
        "ffn_dimension": "d_ff", "dropout": "dropout_rate", "layer_norm_eps": "layer_norm_epsilon",
        "relative_attention_num_buckets": "relative_attention_num_buckets",
        "relative_attention_max_distance": "relative_attention_max_distance",
        "padding_idx": "pad_token_id", "vocab_size": "vocab_size",
        "feed_forward_proj": "feed_forward_proj", "scale_decoder_outputs": "scale_decoder_outputs",
    }  # fmt: skip
    layout = SIDE.replace("SIDE", "encoder").replace("LAST", "1")
    layout += SIDE.replace("SIDE", "decoder").replace("LAST", "2")
    layout += """
        token_embeddings.weight          shared.weight
        encoder.token_embeddings.weight  shared.weight
        lm_head.weight                   lm_head.weight
    """

    def __init__(self, config, freeze=False, device=None, dtype=None):
        super().__init__()
        if not isinstance(config, T5Conf):
            raise TypeMismatchError(f"T5Model: expected a T5Conf, got {type(config).__name__}")
        self.config = config
        self.padding_idx = config.padding_idx
        self.token_embeddings = nn.Embedding(
            config.vocab_size, config.embedding_dim, config.padding_idx
        )
        self.encoder = T5Stack(config, False, self.token_embeddings)
        self.decoder = None if config.encoder_only else T5Stack(config, True)
        self.lm_head = None
        if config.linear_head:
            self.lm_head = nn.Linear(config.embedding_dim, config.vocab_size, bias=False)
        self.to(device=device, dtype=dtype)
        self.requires_grad_(not freeze)

    def forward(
        self, encoder_tokens=None, decoder_tokens=None, encoder_mask=None, decoder_mask=None,
        encoder_padding_mask=None, decoder_padding_mask=None, encoder_outputs=None,
        past_key_values=None, return_past_key_values=False,
    ):  # fmt: skip
        if encoder_outputs is None:
            if encoder_tokens is not None and encoder_padding_mask is None:
                encoder_padding_mask = encoder_tokens == self.padding_idx
            encoder_outputs = self._encode(encoder_tokens, encoder_padding_mask, encoder_mask)
        if self.decoder is None:
            return encoder_outputs
        memory = encoder_outputs["encoder_output"]
        if decoder_tokens is None:
            decoder_tokens = self._first_tokens(memory)
        if decoder_padding_mask is None and past_key_values is None:
            decoder_padding_mask = decoder_tokens == self.padding_idx
            decoder_padding_mask[:, 0] = False  # the first token is padding, and is seen
        x, states, cache = self.decoder(
            self.token_embeddings(decoder_tokens), decoder_mask, decoder_padding_mask, memory,
            encoder_padding_mask, past_key_values,
        )  # fmt: skip
        if self.lm_head is not None:
            scale = self.config.embedding_dim**-0.5 if self.config.scale_decoder_outputs else 1.0
            x = self.lm_head(x * scale)
        found = {"decoder_output": x, "decoder_hidden_states": states}
        found["past_key_values"] = cache if return_past_key_values else None
        return encoder_outputs | found

    def _encode(self, tokens, hidden, mask=None):
        if tokens is None or tokens.ndim != 2 or not tokens.numel():
            shape = None if tokens is None else tuple(tokens.shape)
            raise ArgumentError(f"T5Model: expected encoder_tokens (batch, length), got {shape}")
        x, states, _ = self.encoder(self.token_embeddings(tokens), mask, hidden)
        return {"encoder_output": x, "encoder_hidden_states": states}

    def _first_tokens(self, memory):
        shape = (len(memory), 1)
        return tallow.full(shape, self.padding_idx, dtype=tallow.long, device=memory.device)

    @classmethod
    def _from_config(cls, config, weights):
        conf = cls._conf(
            {"scale_decoder_outputs": config.get("tie_word_embeddings", True)} | config
        )
        named = " ".join(config.get("architectures") or ())
        conf.linear_head = "lm_head.weight" in weights or "ConditionalGeneration" in named
        conf.encoder_only = "decoder.final_layer_norm.weight" not in weights
        if conf.linear_head:
            weights.setdefault("lm_head.weight", weights["shared.weight"])
        return cls(conf)

    def _reader(self, tokens, mask, new, beams):
        """`read`, `reorder` and the first tokens for `_generation`."""
        if self.lm_head is None or self.decoder is None:
            raise ArgumentError("generate: expected a T5Conf with linear_head and a decoder")
        hidden = tokens == self.padding_idx if mask is None else mask == 0
        encoded = self._encode(tokens, hidden)
        first = self._first_tokens(tokens)
        encoded["encoder_output"] = encoded["encoder_output"].repeat_interleave(beams, 0)
        hidden = hidden.repeat_interleave(beams, 0)
        cache = [()] * len(self.decoder.layers)

        def read(following):
            found = self(
                decoder_tokens=following, encoder_padding_mask=hidden, encoder_outputs=encoded,
                past_key_values=cache, return_past_key_values=True,
            )  # fmt: skip
            cache[:] = found["past_key_values"]
            return found["decoder_output"][:, -1]

        return read, reordering(cache), first
