"""wav2vec 2.0, HuBERT and WavLM, and their sizes."""

from tallow import nn
from tallowaudio.models.wav2vec2 import components
from tallowaudio.models.wav2vec2.attention import SelfAttention, WavLMSelfAttention


class Wav2Vec2Model(nn.Module):
    """Speech features of waveforms (N, time) at 16 kHz, and with `aux` scores of labels.

    Built by `wav2vec2_base` and the other functions. Baevski et al., "wav2vec 2.0: A Framework for
    Self-Supervised Learning of Speech Representations", 2020.
    """

    def __init__(self, feature_extractor, encoder, aux=None):
        super().__init__()
        self.feature_extractor = feature_extractor
        self.encoder = encoder
        self.aux = aux

    def extract_features(self, waveforms, lengths=None, num_layers=None):
        """The outputs (N, frames, dim) of the first `num_layers` layers in a list, and the valid
        frames of each waveform if `lengths` (N,), in samples, are given.
        """
        x, lengths = self.feature_extractor(waveforms, lengths)
        return self.encoder.extract_features(x, lengths, num_layers), lengths

    def forward(self, waveforms, lengths=None):
        """Scores (N, frames, labels), and the valid frames if `lengths` in samples are given."""
        x, lengths = self.feature_extractor(waveforms, lengths)
        x = self.encoder(x, lengths)
        return (x if self.aux is None else self.aux(x)), lengths


def encoder(
    in_features, attention, embed_dim, projection_dropout, pos_conv_kernel, pos_conv_groups,
    num_layers, ff_interm_features, ff_interm_dropout, dropout, layer_norm_first, layer_drop,
):  # fmt: skip
    """The transformer over features; `attention(i)` makes the attention of layer i."""
    layers = []
    for i in range(num_layers):
        forward = components.FeedForward(embed_dim, ff_interm_features, ff_interm_dropout, dropout)
        layers.append(components.EncoderLayer(attention(i), dropout, layer_norm_first, forward))
    position = components.ConvolutionalPositionalEmbedding(
        embed_dim, pos_conv_kernel, pos_conv_groups
    )
    return components.Encoder(
        components.FeatureProjection(in_features, embed_dim, projection_dropout),
        components.Transformer(
            position, dropout, nn.ModuleList(layers), not layer_norm_first, layer_drop
        ),
    )


def _assemble(
    attention, extractor_mode, convolutions, conv_bias, embed_dim, aux_num_out, *sizes, **more
):
    convolutions = components.CONVOLUTIONS if convolutions is None else convolutions
    return Wav2Vec2Model(
        components.feature_extractor(extractor_mode, convolutions, conv_bias),
        encoder(convolutions[-1][0], attention, embed_dim, *sizes, **more),
        None if aux_num_out is None else nn.Linear(embed_dim, aux_num_out),
    )


def wav2vec2_model(
    extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
    encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
    encoder_num_layers, encoder_num_heads, encoder_attention_dropout, encoder_ff_interm_features,
    encoder_ff_interm_dropout, encoder_dropout, encoder_layer_norm_first, encoder_layer_drop,
    aux_num_out,
):  # fmt: skip
    """A `Wav2Vec2Model` of any size, wav2vec 2.0's or HuBERT's.

    `extractor_mode` is "group_norm" (the first convolution is normalised) or "layer_norm" (all
    are); `extractor_conv_layer_config` lists (channels, kernel, stride), None being the papers'
    seven. `aux_num_out` labels are scored, None gives features.

    >>> import tallow
    >>> from tallowaudio.models import wav2vec2_model
    >>> model = wav2vec2_model(
    ...     "group_norm", [(32, 10, 5), (32, 3, 2)], False, 32, 0.1, 16, 4, 2, 4, 0.1, 64, 0.1, 0.1,
    ...     False, 0.1, aux_num_out=29).eval()
    >>> scores, frames = model(tallow.rand(2, 400), tallow.tensor([400, 250]))
    >>> scores.shape, frames
    (tallow.Size([2, 39, 29]), tensor([39, 24]))
    """
    return _assemble(
        lambda i: SelfAttention(encoder_embed_dim, encoder_num_heads, encoder_attention_dropout),
        extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
        aux_num_out, encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
        encoder_num_layers, encoder_ff_interm_features, encoder_ff_interm_dropout, encoder_dropout,
        encoder_layer_norm_first, encoder_layer_drop,
    )  # fmt: skip


def wavlm_model(
    extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
    encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
    encoder_num_layers, encoder_num_heads, encoder_num_buckets, encoder_max_distance,
    encoder_attention_dropout, encoder_ff_interm_features, encoder_ff_interm_dropout,
    encoder_dropout, encoder_layer_norm_first, encoder_layer_drop, aux_num_out,
):  # fmt: skip
    """A `Wav2Vec2Model` with WavLM's attention, which knows the distance of frames.

    As `wav2vec2_model`, with distances in `encoder_num_buckets` up to `encoder_max_distance`.
    Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training", 2022.
    """
    return _assemble(
        lambda i: WavLMSelfAttention(
            encoder_embed_dim, encoder_num_heads, encoder_attention_dropout,
            has_relative_attention_bias=i == 0, num_buckets=encoder_num_buckets,
            max_distance=encoder_max_distance,
        ),
        extractor_mode, extractor_conv_layer_config, extractor_conv_bias, encoder_embed_dim,
        aux_num_out, encoder_projection_dropout, encoder_pos_conv_kernel, encoder_pos_conv_groups,
        encoder_num_layers, encoder_ff_interm_features, encoder_ff_interm_dropout, encoder_dropout,
        encoder_layer_norm_first, encoder_layer_drop,
    )  # fmt: skip
