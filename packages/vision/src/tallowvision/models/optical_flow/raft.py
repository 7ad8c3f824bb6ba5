"""Recurrent all-pairs field transforms (Teed and Deng, 2020)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.ops.misc import Conv2dNormActivation

FACTOR = 8  # by which the encoders make images smaller


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut. All have biases: norms are frozen in some training."""

    def __init__(self, in_channels, out_channels, norm_layer, stride=1):
        super().__init__()
        common = {"norm_layer": norm_layer, "bias": True}
        self.convnormrelu1 = Conv2dNormActivation(in_channels, out_channels, 3, stride, **common)
        self.convnormrelu2 = Conv2dNormActivation(out_channels, out_channels, 3, **common)
        self.downsample = _shortcut(in_channels, out_channels, stride, common)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.downsample(x) + self.convnormrelu2(self.convnormrelu1(x)))


class BottleneckBlock(nn.Module):
    """A convolution between two of 1 x 1, beside a shortcut."""

    def __init__(self, in_channels, out_channels, norm_layer, stride=1):
        super().__init__()
        common = {"norm_layer": norm_layer, "bias": True}
        width = out_channels // 4
        self.convnormrelu1 = Conv2dNormActivation(in_channels, width, 1, **common)
        self.convnormrelu2 = Conv2dNormActivation(width, width, 3, stride, **common)
        self.convnormrelu3 = Conv2dNormActivation(width, out_channels, 1, **common)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride, common)

    def forward(self, x):
        y = self.convnormrelu3(self.convnormrelu2(self.convnormrelu1(x)))
        return self.relu(self.downsample(x) + y)


def _shortcut(in_channels, out_channels, stride, common):
    if stride == 1:
        return nn.Identity()
    return Conv2dNormActivation(
        in_channels, out_channels, 1, stride, activation_layer=None, **common
    )


class FeatureEncoder(nn.Module):
    """Images (N, 3, H, W) to features (N, layers[-1], H/8, W/8)."""

    def __init__(
        self, block=ResidualBlock, layers=(64, 64, 96, 128, 256), strides=(2, 1, 2, 2),
        norm_layer=nn.BatchNorm2d,
    ):  # fmt: skip
        super().__init__()
        self.convnormrelu = Conv2dNormActivation(
            3, layers[0], 7, strides[0], norm_layer=norm_layer, bias=True
        )
        pairs = zip(layers[:3], layers[1:4], strides[1:], strict=True)
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(block(before, after, norm_layer, stride), block(after, after, norm_layer))
            for before, after, stride in pairs
        )
        self.conv = nn.Conv2d(layers[3], layers[4], 1)
        self.output_dim = layers[-1]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.conv(self.layer3(self.layer2(self.layer1(self.convnormrelu(x)))))


class MotionEncoder(nn.Module):
    """The flow (N, 2, H, W) and the correlations near it to (N, out_channels, H, W)."""

    def __init__(
        self, in_channels_corr, corr_layers=(256, 192), flow_layers=(128, 64), out_channels=128
    ):
        super().__init__()
        self.convcorr1 = _active(in_channels_corr, corr_layers[0], 1)
        self.convcorr2 = _active(*corr_layers, 3) if len(corr_layers) == 2 else nn.Identity()
        self.convflow1 = _active(2, flow_layers[0], 7)
        self.convflow2 = _active(*flow_layers, 3)
        self.conv = _active(corr_layers[-1] + flow_layers[-1], out_channels - 2, 3)
        self.out_channels = out_channels

    def forward(self, flow, corr_features):
        corr = self.convcorr2(self.convcorr1(corr_features))
        moved = self.convflow2(self.convflow1(flow))
        return tallow.cat([self.conv(tallow.cat([corr, moved], 1)), flow], 1)


def _active(in_channels, out_channels, kernel_size):
    return Conv2dNormActivation(in_channels, out_channels, kernel_size, norm_layer=None)


class ConvGRU(nn.Module):
    """A gated recurrent unit whose products are convolutions."""

    def __init__(self, input_size, hidden_size, kernel_size, padding):
        super().__init__()
        channels = hidden_size + input_size
        self.convz = nn.Conv2d(channels, hidden_size, kernel_size, padding=padding)
        self.convr = nn.Conv2d(channels, hidden_size, kernel_size, padding=padding)
        self.convq = nn.Conv2d(channels, hidden_size, kernel_size, padding=padding)

    def forward(self, h, x):
        both = tallow.cat([h, x], 1)
        z, r = self.convz(both).sigmoid(), self.convr(both).sigmoid()
        q = self.convq(tallow.cat([r * h, x], 1)).tanh()
        return (1 - z) * h + z * q


class RecurrentBlock(nn.Module):
    """One recurrent unit, or one along rows and one along columns."""

    def __init__(
        self, input_size, hidden_size, kernel_size=((1, 5), (5, 1)), padding=((0, 2), (2, 0))
    ):
        super().__init__()
        units = zip(kernel_size, padding, strict=True)
        for number, (kernel, frame) in enumerate(units, start=1):
            unit = ConvGRU(input_size, hidden_size, kernel, frame)
            self.add_module(f"convgru{number}", unit)
        self.hidden_size = hidden_size

    def forward(self, h, x):
        for unit in self.children():
            h = unit(h, x)
        return h


class FlowHead(nn.Module):
    """The hidden state to a change of the flow (N, 2, H, W)."""

    def __init__(self, in_channels, hidden_size):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_size, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden_size, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.conv2(self.relu(self.conv1(x)))


class UpdateBlock(nn.Module):
    """One step: another hidden state, and a change of the flow."""

    def __init__(self, motion_encoder, recurrent_block, flow_head):
        super().__init__()
        self.motion_encoder = motion_encoder
        self.recurrent_block = recurrent_block
        self.flow_head = flow_head
        self.hidden_state_size = recurrent_block.hidden_size

    def forward(self, hidden_state, context, corr_features, flow):
        motion = self.motion_encoder(flow, corr_features)
        hidden_state = self.recurrent_block(hidden_state, tallow.cat([context, motion], 1))
        return hidden_state, self.flow_head(hidden_state)


class MaskPredictor(nn.Module):
    """Weights of the 9 neighbours for each of the 8 x 8 pixels that one becomes."""

    def __init__(self, in_channels, hidden_size, multiplier=0.25):
        super().__init__()
        self.convrelu = _active(in_channels, hidden_size, 3)
        self.conv = nn.Conv2d(hidden_size, FACTOR * FACTOR * 9, 1)
        self.multiplier = multiplier

    def forward(self, x):
        return self.multiplier * self.conv(self.convrelu(x))


class CorrBlock(nn.Module):
    """How alike any pixel of one image and any of the other are, at `num_levels` sizes.

    `index_pyramid` looks them up in the squares of side 2 `radius` + 1 around given places.
    """

    def __init__(self, num_levels=4, radius=4):
        super().__init__()
        self.num_levels = num_levels
        self.radius = radius
        self.out_channels = num_levels * (2 * radius + 1) ** 2
        self.corr_pyramid = []

    def build_pyramid(self, fmap1, fmap2):
        n, channels, height, width = fmap1.shape
        least = 2**self.num_levels
        if min(height, width) < least:
            least *= FACTOR
            raise ShapeError(
                f"RAFT: expected images of at least {least} x {least}, got {height * FACTOR} x "
                f"{width * FACTOR}"
            )
        corr = fmap1.flatten(2).transpose(1, 2) @ fmap2.flatten(2) / math.sqrt(channels)
        corr = corr.reshape(n * height * width, 1, height, width)
        self.corr_pyramid = [corr]
        for _ in range(self.num_levels - 1):
            corr = F.avg_pool2d(corr, 2, 2)
            self.corr_pyramid.append(corr)

    def index_pyramid(self, centroids_coords):
        n, _, height, width = centroids_coords.shape
        steps = tallow.arange(-self.radius, self.radius + 1.0, device=centroids_coords.device)
        around = tallow.stack(tallow.meshgrid(steps, steps, indexing="ij"), -1)
        places = centroids_coords.permute(0, 2, 3, 1).reshape(n * height * width, 1, 1, 2)
        found = []
        for corr in self.corr_pyramid:
            found.append(_sample(corr, places + around).reshape(n, height, width, -1))
            places = places / 2
        return tallow.cat(found, -1).permute(0, 3, 1, 2)


def _sample(image, places):
    """`grid_sample` at places in pixels: x, y."""
    height, width = image.shape[-2:]
    size = tallow.tensor([width - 1.0, height - 1.0], device=image.device)
    return F.grid_sample(image, 2 * places / size - 1, align_corners=True)


def _upsample(flow, mask):
    """A flow 8 times the size, and 8 times as far: by weights of neighbours, or interpolated."""
    n, channels, height, width = flow.shape
    size = (height * FACTOR, width * FACTOR)
    if mask is None:
        return FACTOR * F.interpolate(flow, size=size, mode="bilinear", align_corners=True)
    mask = mask.reshape(n, 1, 9, FACTOR, FACTOR, height, width).softmax(2)
    near = F.unfold(FACTOR * flow, 3, padding=1).reshape(n, channels, 9, 1, 1, height, width)
    return (mask * near).sum(2).permute(0, 1, 4, 2, 5, 3).reshape(n, channels, *size)


class RAFT(nn.Module):
    """Two images (N, 3, H, W), in [-1, 1], to a list of flows (N, 2, H, W) in pixels: x, y.

    The last flow is the best. H and W are multiples of 8, of 128 at least. `context_encoder` gives
    the first hidden state and what is known of the first image; without `mask_predictor` the flow
    is interpolated.
    """

    def __init__(
        self, feature_encoder, context_encoder, corr_block, update_block, mask_predictor=None
    ):
        super().__init__()
        self.feature_encoder = feature_encoder
        self.context_encoder = context_encoder
        self.corr_block = corr_block
        self.update_block = update_block
        self.mask_predictor = mask_predictor

    def forward(self, image1, image2, num_flow_updates=12):
        n, _, height, width = image1.shape
        if image1.shape != image2.shape or height % FACTOR or width % FACTOR:
            raise ArgumentError(
                "RAFT: expected images of the same size, multiples of 8, got "
                f"{tuple(image1.shape)} and {tuple(image2.shape)}"
            )
        features = self.feature_encoder(tallow.cat([image1, image2])).chunk(2)
        self.corr_block.build_pyramid(*features)
        hidden = self.update_block.hidden_state_size
        known = self.context_encoder(image1)
        state, context = known[:, :hidden].tanh(), known[:, hidden:].relu()

        axes = [tallow.arange(float(s // FACTOR), device=image1.device) for s in (width, height)]
        start = tallow.stack(tallow.meshgrid(*axes, indexing="xy"))[None].repeat(n, 1, 1, 1)
        places, flows = start, []
        for _ in range(num_flow_updates):
            places = places.detach()
            near = self.corr_block.index_pyramid(places)
            state, change = self.update_block(state, context, near, places - start)
            places = places + change
            mask = None if self.mask_predictor is None else self.mask_predictor(state)
            flows.append(_upsample(places - start, mask))
        return flows


def _raft(block, layers, context, norm, radius, motion, hidden, kernels, head, masked):
    """The network with encoders of `layers`, and of other channels at the end for the context."""
    feature_encoder = FeatureEncoder(block, layers, norm_layer=nn.InstanceNorm2d)
    context_encoder = FeatureEncoder(block, (*layers[:-1], context), norm_layer=norm)
    corr_block = CorrBlock(radius=radius)
    motion_encoder = MotionEncoder(corr_block.out_channels, *motion)
    padding = [tuple(k // 2 for k in kernel) for kernel in kernels]
    size = motion_encoder.out_channels + context - hidden
    recurrent = RecurrentBlock(size, hidden, kernels, padding)
    update_block = UpdateBlock(motion_encoder, recurrent, FlowHead(hidden, head))
    mask_predictor = MaskPredictor(hidden, 256) if masked else None
    return RAFT(feature_encoder, context_encoder, corr_block, update_block, mask_predictor)


raft_large, Raft_Large_Weights = variant(
    "Raft_Large",
    _raft,
    block=ResidualBlock,
    layers=(64, 64, 96, 128, 256),
    context=256,
    norm=nn.BatchNorm2d,
    radius=4,
    motion=((256, 192), (128, 64), 128),
    hidden=128,
    kernels=((1, 5), (5, 1)),
    head=256,
    masked=True,
)
raft_small, Raft_Small_Weights = variant(
    "Raft_Small",
    _raft,
    block=BottleneckBlock,
    layers=(32, 32, 64, 96, 128),
    context=160,
    norm=None,
    radius=3,
    motion=((96,), (64, 32), 82),
    hidden=96,
    kernels=((3, 3),),
    head=128,
    masked=False,
)
