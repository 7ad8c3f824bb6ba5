"""Fully convolutional networks (Long et al., 2015), on dilated ResNets."""

from functools import partial

from tallowvision.models.segmentation._utils import FCNHead as FCNHead
from tallowvision.models.segmentation._utils import SegmentationModel, on_resnet, segmenter


class FCN(SegmentationModel):
    __doc__ = SegmentationModel.__doc__


def _fcn(network, num_classes, aux_loss):
    """A fully convolutional network on a dilated ResNet."""
    return on_resnet(network, FCN, FCNHead, num_classes, aux_loss)


_variant = partial(segmenter, make=_fcn, replace_stride_with_dilation=[False, True, True])
fcn_resnet50, FCN_ResNet50_Weights = _variant("FCN_ResNet50", backbone="resnet50")
fcn_resnet101, FCN_ResNet101_Weights = _variant("FCN_ResNet101", backbone="resnet101")
