"""The parts of wav2vec 2.0 and its kin (Baevski et al., 2020)."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn.utils.parametrizations import weight_norm
from tallowaudio.models._common import check_lengths, check_waveforms, padding_mask

CONVOLUTIONS = [(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] * 2  # channels, kernel, stride


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (N, channels, time)."""

    def forward(self, input):
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class ConvLayerBlock(nn.Module):
    """A convolution, its normalisation if any, and a GELU, which also counts valid frames."""

    def __init__(self, in_channels, out_channels, kernel_size, stride, bias, layer_norm):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.layer_norm = layer_norm
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride, bias=bias)

    def forward(self, x, length):
        x = self.conv(x)
        if self.layer_norm is not None:
            x = self.layer_norm(x)
        if length is not None:
            length = ((length - self.kernel_size) // self.stride + 1).clamp(min=0)
        return nn.functional.gelu(x), length


class FeatureExtractor(nn.Module):
    """Convolutions over waveforms: (N, time) -> (N, frames, channels), and the valid frames."""

    def __init__(self, conv_layers):
        super().__init__()
        self.conv_layers = conv_layers

    def receptive_field(self):
        """How many samples one frame looks at."""
        samples = 1
        for layer in reversed(self.conv_layers):
            samples = (samples - 1) * layer.stride + layer.kernel_size
        return samples

    def forward(self, x, length):
        check_waveforms("wav2vec2", x, shortest=self.receptive_field())
        if length is not None:
            check_lengths("wav2vec2", length, *x.shape)
        x = x[:, None]
        for layer in self.conv_layers:
            x, length = layer(x, length)
        return x.transpose(1, 2), length


def feature_extractor(norm_mode, shapes, bias):
    """Of convolutions (channels, kernel, stride), the first or all of them normalised."""
    if norm_mode not in ("group_norm", "layer_norm"):
        raise ArgumentError(
            f"extractor_mode: expected 'group_norm' or 'layer_norm', got {norm_mode!r}"
        )
    blocks, inputs = [], 1
    for i, (outputs, kernel, stride) in enumerate(shapes):
        norm = None
        if norm_mode == "layer_norm":
            norm = ChannelNorm(outputs)
        elif i == 0:
            norm = nn.GroupNorm(outputs, outputs)
        blocks.append(ConvLayerBlock(inputs, outputs, kernel, stride, bias, norm))
        inputs = outputs
    return FeatureExtractor(nn.ModuleList(blocks))


class FeatureProjection(nn.Module):
    def __init__(self, in_features, out_features, dropout):
        super().__init__()
        self.layer_norm = nn.LayerNorm(in_features)
        self.projection = nn.Linear(in_features, out_features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.dropout(self.projection(self.layer_norm(x)))


class ConvolutionalPositionalEmbedding(nn.Module):
    """Where in the sound a frame is, as a wide convolution over (N, frames, embed_dim)."""

    def __init__(self, embed_dim, kernel_size, groups):
        super().__init__()
        self.embed_dim = embed_dim
        self.kernel_size = kernel_size
        convolution = nn.Conv1d(
            embed_dim, embed_dim, kernel_size, padding=kernel_size // 2, groups=groups
        )
        self.conv = weight_norm(convolution, dim=2)

    def forward(self, x):
        found = self.conv(x.transpose(1, 2))[..., : x.shape[1]]  # an even kernel gives one more
        return nn.functional.gelu(found).transpose(1, 2)


class FeedForward(nn.Module):
    def __init__(self, io_features, intermediate_features, intermediate_dropout, output_dropout):
        super().__init__()
        self.intermediate_dense = nn.Linear(io_features, intermediate_features)
        self.intermediate_dropout = nn.Dropout(intermediate_dropout)
        self.output_dense = nn.Linear(intermediate_features, io_features)
        self.output_dropout = nn.Dropout(output_dropout)

    def forward(self, x):
        x = self.intermediate_dropout(nn.functional.gelu(self.intermediate_dense(x)))
        return self.output_dropout(self.output_dense(x))


class EncoderLayer(nn.Module):
    """Attention and a feed-forward step, normalised before or after."""

    def __init__(self, attention, dropout, layer_norm_first, feed_forward):
        super().__init__()
        self.attention = attention
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(attention.embed_dim)
        self.layer_norm_first = layer_norm_first
        self.feed_forward = feed_forward
        self.final_layer_norm = nn.LayerNorm(attention.embed_dim)

    def forward(self, x, attention_mask=None, position_bias=None):
        heard = self.layer_norm(x) if self.layer_norm_first else x
        found, position_bias = self.attention(heard, attention_mask, position_bias)
        x = x + self.dropout(found)
        if self.layer_norm_first:
            return x + self.feed_forward(self.final_layer_norm(x)), position_bias
        x = self.layer_norm(x)
        return self.final_layer_norm(x + self.feed_forward(x)), position_bias


class Transformer(nn.Module):
    """Encoder layers over frames that know their place; `layer_drop` skips some in training."""

    def __init__(self, pos_conv_embed, dropout, layers, layer_norm_first, layer_drop):
        super().__init__()
        self.pos_conv_embed = pos_conv_embed
        self.layer_norm = nn.LayerNorm(pos_conv_embed.embed_dim)
        self.layer_norm_first = layer_norm_first
        self.layer_drop = layer_drop
        self.dropout = nn.Dropout(dropout)
        self.layers = layers

    def _placed(self, x):
        x = x + self.pos_conv_embed(x)
        return self.dropout(self.layer_norm(x) if self.layer_norm_first else x)

    def forward(self, x, attention_mask=None, position_bias=None):
        x = self._placed(x)
        for layer in self.layers:
            if not (self.training and tallow.rand(1).item() <= self.layer_drop):
                x, position_bias = layer(x, attention_mask, position_bias)
        return x if self.layer_norm_first else self.layer_norm(x)

    def get_intermediate_outputs(self, x, attention_mask=None, num_layers=None):
        """What each of the first `num_layers` layers gives, in a list; all layers unless told."""
        if num_layers is not None and not 0 < num_layers <= len(self.layers):
            raise ArgumentError(
                f"num_layers: expected 1 to {len(self.layers)} layers, got {num_layers}"
            )
        x, position_bias, found = self._placed(x), None, []
        for layer in self.layers[:num_layers]:
            x, position_bias = layer(x, attention_mask, position_bias)
            found.append(x)
        return found


class Encoder(nn.Module):
    """The transformer over projected features (N, frames, channels), padding left out."""

    def __init__(self, feature_projection, transformer):
        super().__init__()
        self.feature_projection = feature_projection
        self.transformer = transformer

    def prepare(self, features, lengths):
        """The projected features, 0 in the padding, and what attention adds to its scores."""
        x = self.feature_projection(features)
        if lengths is None:
            return x, None
        padding = padding_mask(lengths, x.shape[1])
        x = x.masked_fill(padding[..., None], 0.0)
        mask = padding[:, None, None, :].to(x.dtype) * -10000.0
        return x, mask.expand(-1, -1, x.shape[1], -1)

    def forward(self, features, lengths=None):
        x, mask = self.prepare(features, lengths)
        return self.transformer(x, mask)

    def extract_features(self, features, lengths=None, num_layers=None):
        x, mask = self.prepare(features, lengths)
        return self.transformer.get_intermediate_outputs(x, mask, num_layers)
