"""Keypoints of regions: where they are on square maps, and back."""

import tallow
from tallow.errors import ArgumentError, describe
from tallow.nn import functional as F


def keypoints_to_heatmap(keypoints, rois, heatmap_size):
    """Points (L, K, 3) in boxes (L, 4) as numbers of pixels of square maps, and which count.

    Both are int64 (L, K). A point counts that is visible and within its box.
    """
    first, last = rois[:, None, :2], rois[:, None, 2:]
    at_end = keypoints[..., :2] == last
    pixel = ((keypoints[..., :2] - first) * (heatmap_size / (last - first))).floor().long()
    pixel = tallow.where(at_end, heatmap_size - 1, pixel)
    inside = ((pixel >= 0) & (pixel < heatmap_size)).all(-1)
    valid = (inside & (keypoints[..., 2] > 0)).long()
    return (pixel[..., 1] * heatmap_size + pixel[..., 0]) * valid, valid


def keypointrcnn_loss(keypoint_logits, proposals, gt_keypoints, keypoint_matched_idxs):
    """Cross entropy of maps (L, K, S, S) over their pixels; lists are by image."""
    size = keypoint_logits.shape[-1]
    if keypoint_logits.shape[-2] != size:
        raise ArgumentError(f"keypoints: expected square maps, got {describe(keypoint_logits)}")
    made = [
        keypoints_to_heatmap(points[matched], boxes, size)
        for points, boxes, matched in zip(
            gt_keypoints, proposals, keypoint_matched_idxs, strict=True
        )
    ]
    wanted, valid = (tallow.cat([x.flatten() for x in part]) for part in zip(*made, strict=True))
    valid = tallow.where(valid > 0)[0]
    if not len(valid):
        return keypoint_logits.sum() * 0
    return F.cross_entropy(keypoint_logits.flatten(0, 1).flatten(1)[valid], wanted[valid])


def heatmaps_to_keypoints(maps, rois):
    """The peaks (L, K, 3) of maps (L, K, S, S) in boxes (L, 4), with 1 at the end, and scores.

    A map is resized to its box first, so that a peak can lie between its pixels.
    """
    sides = (rois[:, 2:] - rois[:, :2]).clamp(min=1)
    pixels = sides.ceil()
    places, scores = [], []
    for one, (width, height) in zip(maps, pixels.to(tallow.int64).tolist(), strict=True):
        large = F.interpolate(one[None], (height, width), mode="bicubic", align_corners=False)
        best = large[0].flatten(1).max(1)
        scores.append(best.values)
        places.append(tallow.stack([best.indices % width, best.indices // width], 1))
    if not places:
        return maps.new_zeros(0, maps.shape[1], 3), maps.new_zeros(0, maps.shape[1])
    place = (tallow.stack(places) + 0.5) * (sides / pixels)[:, None] + rois[:, None, :2]
    return tallow.cat([place, tallow.ones_like(place[..., :1])], -1), tallow.stack(scores)


def keypointrcnn_inference(x, boxes):
    """`heatmaps_to_keypoints` for each image: lists of points and of scores."""
    parts = x.split([len(own) for own in boxes])
    found = [heatmaps_to_keypoints(*each) for each in zip(parts, boxes, strict=True)]
    return tuple(map(list, zip(*found, strict=True)))
