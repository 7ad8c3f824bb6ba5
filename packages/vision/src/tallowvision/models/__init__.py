"""Networks for images and videos, with torchvision's names, state dicts and published weights.

`resnet18(weights="DEFAULT")` downloads its weights once; `weights.transforms()` makes its inputs.
The module of a family is imported when one of its names is first used.

>>> from tallowvision import models
>>> model = models.resnet18(num_classes=10)
>>> models.ResNet18_Weights.DEFAULT.meta["num_params"]
11689512
"""

from tallowvision.models import detection, optical_flow, segmentation, video
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

# Their modules have the names of their builders: imported later, they would take their places.
from tallowvision.models.alexnet import AlexNet, AlexNet_Weights, alexnet
from tallowvision.models.googlenet import (
    GoogLeNet,
    GoogLeNet_Weights,
    GoogLeNetOutputs,
    googlenet,
)

_FAMILIES = {  # module: (classes, what its builders and weights are called after)
    "convnext": ("ConvNeXt", "ConvNeXt_Tiny ConvNeXt_Small ConvNeXt_Base ConvNeXt_Large"),
    "densenet": ("DenseNet", "DenseNet121 DenseNet161 DenseNet169 DenseNet201"),
    "efficientnet": (
        "EfficientNet",
        "EfficientNet_B0 EfficientNet_B1 EfficientNet_B2 EfficientNet_B3 EfficientNet_B4 "
        "EfficientNet_B5 EfficientNet_B6 EfficientNet_B7 EfficientNet_V2_S EfficientNet_V2_M "
        "EfficientNet_V2_L",
    ),
    "feature_extraction": ("", ""),
    "inception": ("Inception3 InceptionOutputs", "Inception_V3"),
    "lenet": ("LeNet", "LeNet_Digits"),
    "maxvit": ("MaxVit", "MaxVit_T"),
    "mnasnet": ("MNASNet", "MNASNet0_5 MNASNet0_75 MNASNet1_0 MNASNet1_3"),
    "mobilenet": ("", ""),
    "mobilenet_cifar": ("MobileNetTiny", "MobileNet_Tiny"),
    "mobilenetv2": ("MobileNetV2", "MobileNet_V2"),
    "mobilenetv3": ("MobileNetV3", "MobileNet_V3_Large MobileNet_V3_Small"),
    "regnet": (
        "RegNet",
        "RegNet_Y_400MF RegNet_Y_800MF RegNet_Y_1_6GF RegNet_Y_3_2GF RegNet_Y_8GF RegNet_Y_16GF "
        "RegNet_Y_32GF RegNet_Y_128GF RegNet_X_400MF RegNet_X_800MF RegNet_X_1_6GF RegNet_X_3_2GF "
        "RegNet_X_8GF RegNet_X_16GF RegNet_X_32GF",
    ),
    "resnet": (
        "ResNet",
        "ResNet18 ResNet34 ResNet50 ResNet101 ResNet152 ResNeXt50_32X4D ResNeXt101_32X8D "
        "ResNeXt101_64X4D Wide_ResNet50_2 Wide_ResNet101_2",
    ),
    "resnet_cifar": ("CifarResNet", "ResNet20"),
    "shufflenetv2": (
        "ShuffleNetV2",
        "ShuffleNet_V2_X0_5 ShuffleNet_V2_X1_0 ShuffleNet_V2_X1_5 ShuffleNet_V2_X2_0",
    ),
    "squeezenet": ("SqueezeNet", "SqueezeNet1_0 SqueezeNet1_1"),
    "swin_transformer": (
        "SwinTransformer",
        "Swin_T Swin_S Swin_B Swin_V2_T Swin_V2_S Swin_V2_B",
    ),
    "vgg": ("VGG", "VGG11 VGG11_BN VGG13 VGG13_BN VGG16 VGG16_BN VGG19 VGG19_BN"),
    "vision_transformer": ("VisionTransformer", "ViT_B_16 ViT_B_32 ViT_L_16 ViT_L_32 ViT_H_14"),
}

__getattr__, _lazy = lazy(__name__, _FAMILIES)
__all__ = [
    "AlexNet", "AlexNet_Weights", "GoogLeNet", "GoogLeNetOutputs", "GoogLeNet_Weights", "Weights",
    "WeightsEnum", "alexnet", "detection", "get_model", "get_model_builder", "get_model_weights",
    "get_weight", "googlenet", "list_models", "optical_flow", "register_model", "segmentation",
    "video", *_lazy,
]  # fmt: skip
