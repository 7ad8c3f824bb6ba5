"""Detectors in two steps: regions are proposed, then looked at."""

from tallowvision.models.detection._detector import Detector


class GeneralizedRCNN(Detector):
    """A backbone, a network that proposes regions, heads that look at them, and a transform."""

    def __init__(self, backbone, rpn, roi_heads, transform):
        super().__init__(backbone, transform)
        self.rpn = rpn
        self.roi_heads = roi_heads

    def detected(self, images, features, targets):
        proposals, of_proposals = self.rpn(images, features, targets)
        found, losses = self.roi_heads(features, proposals, images.image_sizes, targets)
        return losses | of_proposals, found
