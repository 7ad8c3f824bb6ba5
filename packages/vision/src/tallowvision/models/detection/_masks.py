"""Masks of regions: what they should be, how far they are from that, and where they belong."""

import tallow
from tallow.nn import functional as F
from tallowvision.ops import roi_align


def maskrcnn_inference(x, labels):
    """The probabilities (L, 1, M, M) of the masks of the found classes, split by image."""
    counts = [len(own) for own in labels]
    chosen = x.sigmoid()[tallow.arange(len(x), device=x.device), tallow.cat(list(labels))]
    return chosen[:, None].split(counts)


def project_masks_on_boxes(gt_masks, boxes, matched_idxs, M):
    """The part of a target's mask in each box, M pixels square: (L, M, M)."""
    regions = tallow.cat([matched_idxs.to(boxes)[:, None], boxes], 1)
    return roi_align(gt_masks[:, None].to(boxes), regions, (M, M))[:, 0]


def maskrcnn_loss(mask_logits, proposals, gt_masks, gt_labels, mask_matched_idxs):
    """Cross entropy of the masks (L, classes, M, M) of the true classes; lists are by image."""
    size = mask_logits.shape[-1]
    labels = tallow.cat([
        own[matched] for own, matched in zip(gt_labels, mask_matched_idxs, strict=True)
    ])  # fmt: skip
    wanted = tallow.cat([
        project_masks_on_boxes(*each, size)
        for each in zip(gt_masks, proposals, mask_matched_idxs, strict=True)
    ])  # fmt: skip
    if not wanted.numel():
        return mask_logits.sum() * 0
    own = mask_logits[tallow.arange(len(labels), device=labels.device), labels]
    return F.binary_cross_entropy_with_logits(own, wanted)


def _grown(boxes, scale):
    """Boxes (N, 4) with the same centres and sides `scale` times as long."""
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale
    centres = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    return tallow.cat([centres - half, centres + half], 1)


def paste_masks_in_image(masks, boxes, img_shape, padding=1):
    """Masks (N, 1, M, M) of boxes (N, 4) in an image of (height, width): (N, 1, height, width).

    `padding` pixels are put around each first, so that it fades at its edge.
    """
    size = masks.shape[-1]
    masks = F.pad(masks, (padding,) * 4)
    boxes = _grown(boxes, (size + 2 * padding) / size).to(tallow.int64)
    height, width = img_shape
    out = masks.new_zeros(len(masks), 1, height, width)
    for place, mask, (left, top, right, bottom) in zip(out, masks, boxes.tolist(), strict=True):
        size = (max(bottom - top + 1, 1), max(right - left + 1, 1))
        mask = F.interpolate(mask[None], size=size, mode="bilinear", align_corners=False)[0]
        rows = slice(max(top, 0), min(bottom + 1, height))
        columns = slice(max(left, 0), min(right + 1, width))
        place[:, rows, columns] = mask[
            :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
    return out
