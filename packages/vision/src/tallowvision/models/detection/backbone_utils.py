"""The networks for images that detectors look through: their maps, with a pyramid on them."""

import warnings

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import get_model, get_model_weights
from tallowvision.models._utils import IntermediateLayerGetter
from tallowvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from tallowvision.ops.feature_pyramid_network import LastLevelMaxPool


class BackboneWithFPN(nn.Module):
    """A feature pyramid on some layers of a network: {name: (N, out_channels, H, W)}.

    `return_layers` is {child of the network: name}, with `in_channels_list` channels.
    """

    def __init__(
        self, backbone, return_layers, in_channels_list, out_channels, extra_blocks=None,
        norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers)
        self.fpn = FeaturePyramidNetwork(
            in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer
        )
        self.out_channels = out_channels

    def forward(self, x):
        return self.fpn(self.body(x))


def resnet_fpn_backbone(
    *, backbone_name, weights, norm_layer=FrozenBatchNorm2d, trainable_layers=3,
    returned_layers=None, extra_blocks=None,
):  # fmt: skip
    """A ResNet with a pyramid of 256 channels on its stages `returned_layers`, of 1 to 4.

    The last `trainable_layers` of its five parts are trained, the others stay as they are.

    >>> import tallow
    >>> from tallowvision.models.detection.backbone_utils import resnet_fpn_backbone
    >>> backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    >>> {name: tuple(x.shape[1:]) for name, x in backbone(tallow.rand(1, 3, 64, 64)).items()}
    {'0': (256, 16, 16), '1': (256, 8, 8), '2': (256, 4, 4), '3': (256, 2, 2), 'pool': (256, 1, 1)}
    """
    network = get_model(backbone_name, weights=weights, norm_layer=norm_layer)
    return _resnet_fpn_extractor(network, trainable_layers, returned_layers, extra_blocks)


def _resnet_fpn_extractor(
    backbone, trainable_layers, returned_layers=None, extra_blocks=None, norm_layer=None
):
    check_layers(trainable_layers, 5)
    parts = ["layer4", "layer3", "layer2", "layer1", "conv1", "bn1"]
    trained = tuple(parts if trainable_layers == 5 else parts[:trainable_layers])
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(name.startswith(trained) if trained else False)
    stages = returned_layers or [1, 2, 3, 4]
    if not 1 <= min(stages) <= max(stages) <= 4:
        raise ArgumentError(f"returned_layers: expected some of 1 to 4, got {returned_layers}")
    first = backbone.inplanes // 8
    return BackboneWithFPN(
        backbone, {f"layer{stage}": str(i) for i, stage in enumerate(stages)},
        [first * 2 ** (stage - 1) for stage in stages], 256, extra_blocks, norm_layer,
    )  # fmt: skip


def mobilenet_backbone(
    *, backbone_name, weights, fpn, norm_layer=FrozenBatchNorm2d, trainable_layers=2,
    returned_layers=None, extra_blocks=None,
):  # fmt: skip
    """A MobileNet with 256 channels, with a pyramid on some of its stages or without."""
    network = get_model(backbone_name, weights=weights, norm_layer=norm_layer)
    return _mobilenet_extractor(network, fpn, trainable_layers, returned_layers, extra_blocks)


def stages_of(features):
    """The numbers of the blocks of a MobileNet that halve the size; the first and the last, too."""
    halving = [i for i, block in enumerate(features) if getattr(block, "_is_cn", False)]
    return [0, *halving, len(features) - 1]


def freeze(features, stages, trainable_layers):
    """Freeze the blocks before the last `trainable_layers` stages, which begin at `stages`."""
    check_layers(trainable_layers, len(stages))
    end = stages[len(stages) - trainable_layers] if trainable_layers else len(features)
    for block in features[:end]:
        block.requires_grad_(False)


def _mobilenet_extractor(
    backbone, fpn, trainable_layers, returned_layers=None, extra_blocks=None, norm_layer=None
):
    features = backbone.features
    stages = stages_of(features)
    freeze(features, stages, trainable_layers)
    if not fpn:
        last = nn.Conv2d(features[-1].out_channels, 256, 1)
        network = nn.Sequential(features, last)
        network.out_channels = 256
        return network
    wanted = returned_layers or [len(stages) - 2, len(stages) - 1]
    if not 0 <= min(wanted) <= max(wanted) < len(stages):
        raise ArgumentError(
            f"returned_layers: expected some of 0 to {len(stages) - 1}, got {returned_layers}"
        )
    return BackboneWithFPN(
        features, {str(stages[k]): str(i) for i, k in enumerate(wanted)},
        [features[stages[k]].out_channels for k in wanted], 256, extra_blocks, norm_layer,
    )  # fmt: skip


def check_layers(trainable_layers, most):
    """ArgumentError unless it is from 0 to `most`."""
    if not 0 <= trainable_layers <= most:
        raise ArgumentError(f"trainable_layers: expected 0 to {most}, got {trainable_layers}")


class Backbone:
    """The network below a detector, as the arguments of the detector's builder ask for it."""

    def __init__(self, name, weights, progress, *, trained, layers, default, most, frozen_norms):
        weights = get_model_weights(name).verify(weights)
        trained = trained or weights is not None
        if not trained:
            if layers is not None:
                warnings.warn(
                    "trainable_backbone_layers counts with weights only; all layers are trained",
                    stacklevel=4,
                )
            layers = most
        self.name = name
        self.layers = default if layers is None else layers
        self.has_weights = weights is not None
        self.options = {"weights": weights, "progress": progress}
        if frozen_norms:
            self.options["norm_layer"] = FrozenBatchNorm2d if trained else nn.BatchNorm2d
        check_layers(self.layers, most)

    def network(self, **kwargs):
        """The network itself, with more arguments of its own."""
        return get_model(self.name, **{**self.options, **kwargs})

    def resnet_fpn(self, **kwargs):
        """A ResNet with a pyramid."""
        return _resnet_fpn_extractor(self.network(), self.layers, **kwargs)

    def mobilenet_fpn(self):
        """A MobileNet with a pyramid."""
        return _mobilenet_extractor(self.network(), True, self.layers)
