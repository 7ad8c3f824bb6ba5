"""What the networks for segmentation share."""

from collections import OrderedDict

from tallow import nn
from tallow.errors import NotSupportedError
from tallow.nn import functional as F
from tallowvision.models._api import (
    for_weights,
    get_model,
    get_model_weights,
    register_model,
    verify,
    weights_enum,
)
from tallowvision.models._utils import IntermediateLayerGetter


class SegmentationModel(nn.Module):
    """Images (N, 3, H, W) to class scores of each pixel: {"out": (N, classes, H, W)}.

    The backbone gives a dict of maps, of which `classifier` takes "out", and `aux_classifier`,
    where there is one, "aux": its scores are there too, for a second loss.
    """

    def __init__(self, backbone, classifier, aux_classifier=None):
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x):
        maps = self.backbone(x)
        result = OrderedDict(out=enlarged(self.classifier(maps["out"]), x))
        if self.aux_classifier is not None:
            result["aux"] = enlarged(self.aux_classifier(maps["aux"]), x)
        return result


def enlarged(scores, like):
    """Scores (N, C, h, w) interpolated to the height and width of images."""
    return F.interpolate(scores, like.shape[-2:], mode="bilinear", align_corners=False)


class FCNHead(nn.Sequential):
    """Scores of classes, of a map: a convolution to a quarter of its channels, and one more."""

    def __init__(self, in_channels, channels):
        between = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, between, 3, padding=1, bias=False), nn.BatchNorm2d(between),
            nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(between, channels, 1),
        )  # fmt: skip


def on_resnet(network, model, head, num_classes, aux_loss):
    """A model of this class on a ResNet's last stage; with `aux_loss` on the one before, too."""
    layers = {"layer4": "out"} | ({"layer3": "aux"} if aux_loss else {})
    aux = FCNHead(1024, num_classes) if aux_loss else None
    return model(IntermediateLayerGetter(network, layers), head(2048, num_classes), aux)


def segmenter(stem, make, backbone, *, has_aux=True, **config):
    """A registered builder of `make(network, num_classes, aux_loss)`, and the enum of its weights.

    The network is the model called `backbone`, built with `config` and `weights_backbone`. All
    published weights but those of models without (`has_aux`) have those of a second classifier.
    """
    enum = weights_enum(f"{stem}_Weights", make.__module__)

    def builder(
        *, weights=None, progress=True, num_classes=None, aux_loss=None,
        weights_backbone="IMAGENET1K_V1", **kwargs,
    ):  # fmt: skip
        weights = verify(enum, weights, kwargs)
        if "pretrained_backbone" in kwargs:
            weights_backbone = "IMAGENET1K_V1" if kwargs.pop("pretrained_backbone") else None
        if num_classes is not None:
            kwargs["num_classes"] = num_classes
        if weights is not None:
            kwargs = for_weights(weights, kwargs)
            weights_backbone = None
            aux_loss = has_aux if aux_loss is None else aux_loss
        if aux_loss and not has_aux:
            raise NotSupportedError(f"{stem.lower()}: expected no aux_loss, got {aux_loss}")
        weights_backbone = get_model_weights(backbone).verify(weights_backbone)
        network = get_model(backbone, weights=weights_backbone, progress=progress, **config)
        model = make(network, kwargs.pop("num_classes", 21), aux_loss, **kwargs)
        if weights is not None:
            model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
        return model

    builder.__name__ = builder.__qualname__ = stem.lower()
    builder.__module__ = make.__module__
    builder.__annotations__ = {"weights": enum | None}
    builder.__doc__ = _DOC.format(make.__doc__, enum=enum.__name__, backbone=backbone)
    return register_model()(builder), enum


_DOC = """{}

    `weights` is of {enum} or None; `weights_backbone` are those of {backbone}, where there are no
    others. With `aux_loss` there is a second classifier, of an earlier map.
    """
