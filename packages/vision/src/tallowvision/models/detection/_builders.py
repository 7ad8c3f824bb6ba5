"""Registered builders of detectors, with weights for them or for the network below."""

from tallowvision.models._api import (
    for_weights,
    register_model,
    verify,
    weights_enum,
)
from tallowvision.models.detection._utils import overwrite_eps
from tallowvision.models.detection.backbone_utils import Backbone


def detector(
    stem, make, backbone, *, weights_backbone="IMAGENET1K_V1", frozen_norms=True, most=5, layers=3,
    classes=91, exact_norms=False,
):  # fmt: skip
    """A registered builder of `make(Backbone, num_classes, **kwargs)`, and the enum of its weights.

    `backbone` is the name of the network below, which has `most` parts, of which `layers` are
    trained by default; its norms are frozen if it was trained before. `exact_norms`: the published
    weights were trained with norms that add nothing to the variance.
    """
    enum = weights_enum(f"{stem}_Weights", make.__module__)
    default = weights_backbone

    def builder(
        *, weights=None, progress=True, num_classes=None, weights_backbone=default,
        trainable_backbone_layers=None, **kwargs,
    ):  # fmt: skip
        weights = verify(enum, weights, kwargs)
        if "pretrained_backbone" in kwargs:
            weights_backbone = default if kwargs.pop("pretrained_backbone") else None
        if num_classes is not None:
            kwargs["num_classes"] = num_classes
        if weights is not None:
            kwargs = for_weights(weights, kwargs)
            weights_backbone = None
        below = Backbone(
            backbone, weights_backbone, progress, trained=weights is not None,
            layers=trainable_backbone_layers, default=layers, most=most, frozen_norms=frozen_norms,
        )  # fmt: skip
        model = make(below, kwargs.pop("num_classes", classes), **kwargs)
        if weights is not None:
            model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
            if exact_norms and weights.name == "COCO_V1":
                overwrite_eps(model, 0.0)
        return model

    builder.__name__ = builder.__qualname__ = stem.lower()
    builder.__module__ = make.__module__
    builder.__annotations__ = {"weights": enum | None}
    builder.__doc__ = _DOC.format(make.__doc__, enum=enum.__name__, backbone=backbone)
    return register_model()(builder), enum


_DOC = """{}

    `weights` is of {enum} or None; `weights_backbone` are those of {backbone}, where there are no
    others, and `trainable_backbone_layers` says how many of its last parts are trained if it has
    weights. What else the detector takes is given as keywords.

    Called with a list of images (C, H, W) in [0, 1], of any sizes, it gives a dict for each: boxes
    (N, 4), labels (N) and scores (N). In training it takes a list of dicts with boxes and labels,
    too, and gives a dict of losses.
    """
