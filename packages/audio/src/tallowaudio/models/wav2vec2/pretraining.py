"""HuBERT's pre-training: clusters of masked frames are predicted (Hsu et al., 2021)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError, NotSupportedError, ShapeError
from tallowaudio.models._common import padding_mask
from tallowaudio.models.wav2vec2 import components
from tallowaudio.models.wav2vec2.attention import SelfAttention
from tallowaudio.models.wav2vec2.model import wav2vec2_model

TEMPERATURE = 0.1


def _span_lengths(kind, count, length, other):
    """The lengths of `count` spans: all the same, or drawn."""
    if kind == "static":
        return tallow.full((count,), length)
    if kind == "uniform":
        return tallow.randint(int(other), length * 2 + 1, (count,))
    if kind == "normal":
        drawn = tallow.normal(float(length), float(other), (count,))
        return drawn.round().clamp(min=1).long()
    if kind == "poisson":
        return tallow.poisson(tallow.full((count,), float(length))).long()
    raise ArgumentError(
        f"mask_selection: expected 'static', 'uniform', 'normal' or 'poisson', got {kind!r}"
    )


def mask_spans(shape, padding, prob, length, kind="static", other=0.0, min_masks=0):
    """A random mask (rows, width) of spans that may overlap, as many True in each row.

    A row has prob * width / length spans, rounded up or down at random; none begins in the
    `padding` (rows, width).
    """
    rows, width = shape

    def how_many(valid):
        return max(min_masks, int(prob * valid / length + tallow.rand(1).item()))

    usual, chosen = how_many(width), []
    for row in range(rows):
        valid = width if padding is None else width - int(padding[row].sum())
        count = usual if padding is None else how_many(valid)
        lengths = _span_lengths(kind, count, length, other)
        if int(lengths.sum()) == 0:
            lengths[0] = min(length, valid - 1)
        shortest = int(lengths.min())
        if valid - shortest <= count:
            shortest = valid - count - 1
        starts = tallow.randperm(valid - shortest)[:count]
        steps = tallow.arange(int(lengths.max()))
        within = (steps < lengths[: len(starts), None]) & (starts[:, None] + steps < valid)
        chosen.append((starts[:, None] + steps)[within].unique())
    fewest = min(map(len, chosen))
    mask = tallow.zeros(rows, width, dtype=tallow.bool)
    for row, places in enumerate(chosen):
        if len(places) > fewest:
            places = places[tallow.randperm(len(places))[:fewest]]
        mask[row, places] = True
    return mask


class MaskGenerator(nn.Module):
    """Puts a learnt vector in place of spans of frames, and 0 in place of spans of channels."""

    def __init__(
        self, encoder_embed_dim, mask_prob, mask_selection, mask_other, mask_length,
        no_mask_overlap, mask_min_space, mask_channel_prob, mask_channel_selection,
        mask_channel_other, mask_channel_length, no_mask_channel_overlap, mask_channel_min_space,
    ):  # fmt: skip
        super().__init__()
        if no_mask_overlap or no_mask_channel_overlap:
            raise NotSupportedError("MaskGenerator: expected spans that may overlap, got without")
        self.frames = mask_prob, mask_length, mask_selection, mask_other, 2
        self.channels = (
            mask_channel_prob, mask_channel_length, mask_channel_selection, mask_channel_other,
        )  # fmt: skip
        self.mask_embedding = nn.Parameter(tallow.empty(encoder_embed_dim).uniform_())

    def forward(self, x, padding_mask):
        """Masked features (N, frames, dim), and where (N, frames), None for a mask_prob of 0."""
        mask = None
        if self.frames[0] > 0:
            mask = mask_spans(x.shape[:2], padding_mask, *self.frames).to(x.device)
            x = tallow.where(mask[..., None], self.mask_embedding.to(x.dtype), x)
        if self.channels[0] > 0:
            channels = mask_spans((len(x), x.shape[2]), None, *self.channels).to(x.device)
            x = x.masked_fill(channels[:, None], 0.0)
        return x, mask


class LogitGenerator(nn.Module):
    """Scores of labels by how similar their embeddings are to what frames are projected to."""

    def __init__(self, encoder_embed_dim, num_classes, final_dim, skip_masked, skip_nomask):
        super().__init__()
        self.label_embeddings = nn.Parameter(tallow.empty(num_classes, final_dim).uniform_())
        self.final_proj = nn.Linear(encoder_embed_dim, final_dim)
        self.skip_masked = skip_masked
        self.skip_nomask = skip_nomask

    def _scores(self, x, labels):
        """(frames, 1 + classes): the label's, then all, -inf where they are the label's."""
        embeddings = self.label_embeddings
        similar = nn.functional.normalize(x, dim=-1) @ nn.functional.normalize(embeddings, dim=-1).T
        own = (embeddings[labels][:, None] == embeddings).all(-1)
        others = similar.masked_fill(own, float("-inf"))
        return tallow.cat([similar.gather(1, labels[:, None]), others], 1) / TEMPERATURE

    def forward(self, x, label, mask_m, mask_u):
        projected, label = self.final_proj(x), label.long()
        masked = None if self.skip_masked else self._scores(projected[mask_m], label[mask_m])
        unmasked = None if self.skip_nomask else self._scores(projected[mask_u], label[mask_u])
        return masked, unmasked


class HuBERTPretrainModel(nn.Module):
    """Scores of the clusters that masked and unmasked frames belong to.

    Hsu et al., "HuBERT: Self-Supervised Speech Representation Learning by Masked Prediction of
    Hidden Units", 2021. Gradients of the convolutions are scaled by `feature_grad_mult`.
    """

    def __init__(self, wav2vec2, mask_generator, logit_generator, feature_grad_mult):
        super().__init__()
        if feature_grad_mult is not None and not 0.0 < feature_grad_mult < 1.0:
            raise ArgumentError(
                f"feature_grad_mult: expected None or 0 < value < 1, got {feature_grad_mult}"
            )
        self.wav2vec2 = wav2vec2
        self.mask_generator = mask_generator
        self.logit_generator = logit_generator
        self.feature_grad_mult = feature_grad_mult

    def forward(self, waveforms, labels, audio_lengths=None):
        """Scores of masked and of unmasked frames (frames, 1 + classes), the label's first, and the
        features' mean square. `labels` (N, frames) are clusters.
        """
        encoder = self.wav2vec2.encoder
        x, lengths = self.wav2vec2.feature_extractor(waveforms, audio_lengths)
        if self.feature_grad_mult is not None:
            x = x.detach() + (x - x.detach()) * self.feature_grad_mult
        penalty = x.float().square().mean()
        padding = None if lengths is None else padding_mask(lengths, x.shape[1])
        x, attention_mask = encoder.prepare(x, lengths)
        x, mask = self.mask_generator(x, padding)
        x = encoder.transformer(x, attention_mask)
        if x.shape[:2] != labels.shape:
            raise ShapeError(
                f"HuBERTPretrainModel: expected labels {tuple(x.shape[:2])}, one a frame, got "
                f"{tuple(labels.shape)}"
            )
        valid = tallow.ones_like(mask) if padding is None else ~padding
        masked, unmasked = self.logit_generator(x, labels, valid & mask, valid & ~mask)
        return masked, unmasked, penalty


def _initialise(module):
    """The paper's initial weights of one module."""
    init = nn.init
    if isinstance(module, components.ConvLayerBlock):
        init.kaiming_normal_(module.conv.weight)
    elif isinstance(module, components.ConvolutionalPositionalEmbedding):
        spread = math.sqrt(4.0 / (module.embed_dim * module.kernel_size))
        module.conv.weight = init.normal_(tallow.empty(module.conv.weight.shape), 0.0, spread)
        init.zeros_(module.conv.bias)
    elif isinstance(module, SelfAttention):
        for layer in (module.k_proj, module.v_proj, module.q_proj):
            init.xavier_uniform_(layer.weight, gain=1 / math.sqrt(2))
        init.xavier_uniform_(module.out_proj.weight)
        init.zeros_(module.out_proj.bias)
    elif isinstance(module, components.Transformer):
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                init.normal_(layer.weight, 0.0, 0.02)
                init.zeros_(layer.bias)


def hubert_pretrain_model(
    extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
    encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
    encoder_num_layers, encoder_num_heads, encoder_attention_dropout, encoder_ff_interm_features,
    encoder_ff_interm_dropout, encoder_dropout, encoder_layer_norm_first, encoder_layer_drop,
    mask_prob, mask_selection, mask_other, mask_length, no_mask_overlap, mask_min_space,
    mask_channel_prob, mask_channel_selection, mask_channel_other, mask_channel_length,
    no_mask_channel_overlap, mask_channel_min_space, skip_masked, skip_nomask, num_classes,
    final_dim, feature_grad_mult,
):  # fmt: skip
    """A `HuBERTPretrainModel` of any size.

    The arguments up to `encoder_layer_drop` are those of `wav2vec2_model`. Spans of `mask_length`
    frames cover about `mask_prob` of them; `mask_selection` is "static", "uniform", "normal" or
    "poisson", of parameter `mask_other`; the same for channels. Frames get scores of `num_classes`
    in `final_dim` dimensions.
    """
    model = wav2vec2_model(
        extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
        encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
        encoder_num_layers, encoder_num_heads, encoder_attention_dropout,
        encoder_ff_interm_features, encoder_ff_interm_dropout, encoder_dropout,
        encoder_layer_norm_first, encoder_layer_drop, None,
    )  # fmt: skip
    masks = MaskGenerator(
        encoder_embed_dim, mask_prob, mask_selection, mask_other, mask_length, no_mask_overlap,
        mask_min_space, mask_channel_prob, mask_channel_selection, mask_channel_other,
        mask_channel_length, no_mask_channel_overlap, mask_channel_min_space,
    )  # fmt: skip
    logits = LogitGenerator(encoder_embed_dim, num_classes, final_dim, skip_masked, skip_nomask)
    return HuBERTPretrainModel(model, masks, logits, feature_grad_mult).apply(_initialise)
