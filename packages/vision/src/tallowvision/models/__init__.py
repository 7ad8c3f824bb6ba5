"""Networks for images and videos, with torchvision's names, state dicts and published weights.

`resnet18(weights="DEFAULT")` downloads its weights once; `weights.transforms()` makes its inputs.
The module of a family is imported when one of its names is first used.

>>> from tallowvision import models
>>> model = models.resnet18(num_classes=10)
>>> models.ResNet18_Weights.DEFAULT.meta["num_params"]
11689512
"""

from tallowvision.models._api import (
    Weights,
    WeightsEnum,
    get_model,
    get_model_builder,
    get_model_weights,
    get_weight,
    lazy,
    list_models,
    register_model,
)

_FAMILIES = {
    "resnet": (
        "ResNet",
        "ResNet18 ResNet34 ResNet50 ResNet101 ResNet152 ResNeXt50_32X4D ResNeXt101_32X8D "
        "ResNeXt101_64X4D Wide_ResNet50_2 Wide_ResNet101_2",
    ),
    "resnet_cifar": ("CifarResNet", "ResNet20"),
}

__getattr__, _lazy = lazy(__name__, _FAMILIES)
__all__ = [
    "Weights", "WeightsEnum", "get_model", "get_model_builder", "get_model_weights", "get_weight",
    "list_models", "register_model", *_lazy,
]  # fmt: skip
