"""What detectors share: codes of boxes, matches with targets, samples of them, rows of maps."""

import math

import tallow
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowvision.ops import (
    FrozenBatchNorm2d,
    box_iou,
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
)


def rows(x, columns):
    """A map (N, A * columns, H, W) as (N, H * W * A, columns): a row for each anchor."""
    n, _, height, width = x.shape
    return x.reshape(n, -1, columns, height, width).permute(0, 3, 4, 1, 2).reshape(n, -1, columns)


def apply_to_convolutions(module, draw):
    """Draw the weights of all convolutions in a module by `draw`; their biases are 0."""
    for part in module.modules():
        if isinstance(part, tallow.nn.Conv2d):
            draw(part.weight)
            if part.bias is not None:
                tallow.nn.init.zeros_(part.bias)


# Codes

_CLIP = math.log(1000.0 / 16)  # as in Detectron


def _centres_and_sides(boxes):
    sides = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + 0.5 * sides, sides


class BoxCoder:
    """Boxes as steps from others: of the centre in sides, and the logarithm of the ratio of sides.

    The four numbers are multiplied by `weights`. Growth is cut at `bbox_xform_clip` in `decode`.
    Girshick et al., "Rich feature hierarchies" (2014), appendix C.

    >>> import tallow
    >>> from tallowvision.models.detection._utils import BoxCoder
    >>> BoxCoder((1.0, 1.0, 1.0, 1.0)).encode_single(
    ...     tallow.tensor([[1.0, 0, 5, 2]]), tallow.tensor([[0.0, 0, 4, 2]])
    ... )
    tensor([[0.2500, 0.0000, 0.0000, 0.0000]])
    """

    def __init__(self, weights, bbox_xform_clip=_CLIP):
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(self, reference_boxes, proposals):
        """The codes (L, 4) of the reference boxes of each image, as steps from the proposals."""
        counts = [len(boxes) for boxes in reference_boxes]
        codes = self.encode_single(tallow.cat(list(reference_boxes)), tallow.cat(list(proposals)))
        return codes.split(counts)

    def encode_single(self, reference_boxes, proposals):
        """`encode` for the boxes (L, 4) of one image."""
        centres, sides = _centres_and_sides(proposals)
        wanted, wanted_sides = _centres_and_sides(reference_boxes)
        steps = tallow.cat([(wanted - centres) / sides, (wanted_sides / sides).log()], 1)
        return steps * steps.new_tensor(self.weights)

    def decode(self, rel_codes, boxes):
        """The boxes (L, K, 4) that codes (L, 4 * K) lead to from a list of boxes, L in all."""
        start = tallow.cat(list(boxes))
        found = self.decode_single(rel_codes.reshape(len(start), rel_codes.shape[-1]), start)
        return found.reshape(len(start), rel_codes.shape[-1] // 4, 4)

    def decode_single(self, rel_codes, boxes):
        """`decode` from the boxes (L, 4) of one image: (L, 4 * K)."""
        centres, sides = (x[:, None] for x in _centres_and_sides(boxes.to(rel_codes.dtype)))
        steps = rel_codes.reshape(len(rel_codes), rel_codes.shape[1] // 4, 4)
        steps = steps / steps.new_tensor(self.weights)
        centres = steps[..., :2] * sides + centres
        half = 0.5 * (steps[..., 2:].clamp(max=self.bbox_xform_clip).exp() * sides)
        return tallow.cat([centres - half, centres + half], -1).reshape(rel_codes.shape)


class BoxLinearCoder:
    """Boxes as the distances of their four sides from the centres of others, in sides of these.

    In pixels, without `normalize_by_size`. Tian et al., "FCOS" (2019).
    """

    def __init__(self, normalize_by_size=True):
        self.normalize_by_size = normalize_by_size

    def _centres_and_units(self, boxes):
        centres = 0.5 * (boxes[..., :2] + boxes[..., 2:])
        return centres, boxes[..., 2:] - boxes[..., :2] if self.normalize_by_size else 1.0

    def encode(self, reference_boxes, proposals):
        """The distances (..., 4) of the proposals' sides from the centres of reference boxes."""
        centres, units = self._centres_and_units(reference_boxes)
        before, after = centres - proposals[..., :2], proposals[..., 2:] - centres
        return tallow.cat([before / units, after / units], -1)

    def decode(self, rel_codes, boxes):
        """The boxes (..., 4) at these distances from the centres of `boxes`."""
        centres, units = self._centres_and_units(boxes.to(rel_codes.dtype))
        return tallow.cat(
            [centres - rel_codes[..., :2] * units, centres + rel_codes[..., 2:] * units], -1
        )


# Matches


class Matcher:
    """Which target each prediction is for, of a matrix of how well they match (targets, N): (N).

    It is the best one if it matches by `high_threshold` or more; else -1, or -2 from
    `low_threshold` on. With `allow_low_quality_matches`, the predictions that match a target best
    of all are for it, too.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold, low_threshold, allow_low_quality_matches=False):
        if low_threshold > high_threshold:
            raise ArgumentError(
                f"Matcher: expected low_threshold up to {high_threshold}, got {low_threshold}"
            )
        self.high_threshold = high_threshold
        self.low_threshold = low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix):
        quality = match_quality_matrix
        if not quality.numel():
            missing = "boxes of targets" if not len(quality) else "predictions"
            raise ArgumentError(f"Matcher: expected {missing}, got none")
        values, best = quality.max(0)
        low = values < self.low_threshold
        matches = tallow.where(values < self.high_threshold, self.BETWEEN_THRESHOLDS, best)
        matches = tallow.where(low, self.BELOW_LOW_THRESHOLD, matches)
        if self.allow_low_quality_matches:
            is_best = (quality == quality.max(1, keepdim=True).values).any(0)
            matches = tallow.where(is_best, best, matches)
        return matches


class SSDMatcher(Matcher):
    """A `Matcher` that gives each target the one prediction which matches it best."""

    def __init__(self, threshold):
        super().__init__(threshold, threshold)

    def __call__(self, match_quality_matrix):
        matches = super().__call__(match_quality_matrix)
        best = match_quality_matrix.max(1).indices
        matches[best] = tallow.arange(len(best), device=best.device)
        return matches


def match_with(matcher, boxes, anchors):
    """The number (A) of the box (N, 4) that each anchor (A, 4) is for, by their overlap.

    All are -1 where there are no boxes.
    """
    if not len(boxes):
        return tallow.full((len(anchors),), -1, dtype=tallow.int64, device=anchors.device)
    return matcher(box_iou(boxes, anchors))


class BalancedPositiveNegativeSampler:
    """Random samples of predictions, some with a target (1 or more), some without (0).

    Called with a list of labels (N) for each image; gives two lists of masks (N), of those chosen
    with and without. There are `batch_size_per_image` in all, at most the fraction
    `positive_fraction` of them with a target.
    """

    def __init__(self, batch_size_per_image, positive_fraction):
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(self, matched_idxs):
        most = int(self.batch_size_per_image * self.positive_fraction)
        chosen = []
        for labels in matched_idxs:
            positive, count = _some(labels >= 1, most)
            chosen.append((positive, _some(labels == 0, self.batch_size_per_image - count)[0]))
        return tuple(map(list, zip(*chosen, strict=True)))


def _some(mask, most):
    """A mask of up to `most` of the true places of one, drawn at random, and how many these are."""
    places = tallow.where(mask)[0]
    drawn = places[tallow.randperm(len(places), device=places.device)[:most]]
    chosen = tallow.zeros_like(mask)
    chosen[drawn] = True
    return chosen, len(drawn)


def box_loss(kind, box_coder, anchors, targets, codes):
    """The sum of a loss of boxes (L, 4) that `codes` lead to from anchors, or of the codes."""
    if kind in _CODE_LOSSES:
        return _CODE_LOSSES[kind](codes, box_coder.encode_single(targets, anchors), reduction="sum")
    if kind in _BOX_LOSSES:
        return _BOX_LOSSES[kind](
            box_coder.decode_single(codes, anchors), targets, reduction="sum", eps=1e-7
        )
    known = ", ".join((*_CODE_LOSSES, *_BOX_LOSSES))
    raise ArgumentError(f"box_loss: expected one of {known}, got {kind!r}")


_CODE_LOSSES = {"l1": F.l1_loss, "smooth_l1": F.smooth_l1_loss}
_BOX_LOSSES = {
    "ciou": complete_box_iou_loss, "diou": distance_box_iou_loss, "giou": generalized_box_iou_loss,
}  # fmt: skip


def overwrite_eps(model, eps):
    """Set `eps` of all frozen batch norms, as the first weights on COCO were trained."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps


@tallow.no_grad()
def retrieve_out_channels(model, size):
    """The channels of each map that a backbone gives for an image of `size` (width, height)."""
    was_training = model.training
    model.eval()
    maps = model(tallow.zeros(1, 3, size[1], size[0], device=next(model.parameters()).device))
    model.train(was_training)
    return [x.shape[1] for x in (maps.values() if isinstance(maps, dict) else [maps])]
