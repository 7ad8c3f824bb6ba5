"""How good predictions are: of classes, of pixels, and of boxes as VOC and COCO measure them.

All take tensors or arrays and give floats or NumPy arrays.
"""

from dataclasses import dataclass

import numpy as np

import tallow
from tallow.errors import ArgumentError, OutOfRangeError, ShapeError, describe

__all__ = [
    "accuracy", "coco_metrics", "confusion_matrix", "intersection_over_union",
    "voc_average_precision",
]  # fmt: skip


def _array(x):
    return x.detach().cpu().numpy() if isinstance(x, tallow.Tensor) else np.asarray(x)


def accuracy(scores, labels, topk=(1,)):
    """The parts of rows of scores (N, C) whose label (N) is among the k highest, for each k.

    >>> from tallowvision.evaluation import accuracy
    >>> accuracy([[0.1, 0.9, 0.0], [0.5, 0.3, 0.2]], [1, 2], topk=(1, 2, 3))
    [0.5, 0.5, 1.0]
    """
    scores, labels = _array(scores), _array(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise ShapeError(
            f"accuracy: expected scores (N, C) and labels (N), got {describe(scores)} and "
            f"{describe(labels)}"
        )
    own = np.take_along_axis(scores, labels[:, None], 1)
    place = np.arange(scores.shape[1])
    ahead = (scores > own) | ((scores == own) & (place < labels[:, None]))  # the first of equals
    rank = ahead.sum(1)
    return [float((rank < k).mean()) for k in topk]


def confusion_matrix(predicted, labels, num_classes, ignore_index=None):
    """How many labels of each class (rows) were taken for each class (columns): (C, C).

    Of arrays of any one shape; labels equal to `ignore_index` do not count.

    >>> from tallowvision.evaluation import confusion_matrix
    >>> confusion_matrix([0, 1, 1, 1], [0, 0, 1, 255], 2, ignore_index=255).tolist()
    [[1, 1], [0, 1]]
    """
    predicted, labels = _array(predicted), _array(labels)
    if predicted.shape != labels.shape:
        raise ShapeError(
            f"confusion_matrix: expected labels {predicted.shape}, got {describe(labels)}"
        )
    counts = labels != ignore_index
    predicted, labels = predicted[counts], labels[counts]
    for name, x in (("predicted", predicted), ("labels", labels)):
        if x.size and not 0 <= x.min() <= x.max() < num_classes:
            raise OutOfRangeError(
                f"confusion_matrix: expected {name} from 0 to {num_classes - 1}, got {x.min()} to "
                f"{x.max()}"
            )
    flat = labels.astype(np.int64) * num_classes + predicted
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def intersection_over_union(confusion):
    """The overlap of each class (C) from a confusion matrix (C, C); nan for those that never occur.

    Its `np.nanmean` is the mean IoU of semantic segmentation.

    >>> from tallowvision.evaluation import intersection_over_union
    >>> intersection_over_union([[3, 1], [0, 4]]).tolist()
    [0.75, 0.8]
    """
    confusion = _array(confusion).astype(np.float64)
    shared = confusion.diagonal()
    with np.errstate(invalid="ignore"):
        return shared / (confusion.sum(0) + confusion.sum(1) - shared)


# Boxes


def _overlaps(boxes, others, crowd):
    """The overlaps (..., N, M) of boxes (..., N, 4) and (..., M, 4).

    With a crowd (..., M) it is the part of the box itself that lies in it.
    """
    ones, others = boxes[..., :, None, :], others[..., None, :, :]
    sides = np.minimum(ones[..., 2:], others[..., 2:]) - np.maximum(ones[..., :2], others[..., :2])
    shared = sides.clip(0).prod(-1)
    area, other_area = ((x[..., 2:] - x[..., :2]).prod(-1) for x in (ones, others))
    whole = np.where(crowd[..., None, :], area, area + other_area - shared)
    return shared / np.maximum(whole, 1e-12)


@dataclass
class _Rows:
    """Boxes of all images in one table: whose image, class, score or flag each has."""

    image: np.ndarray
    label: np.ndarray
    boxes: np.ndarray
    score: np.ndarray  # of detections; of targets: whether they do not have to be found
    area: np.ndarray

    def __getitem__(self, key):
        return _Rows(*(getattr(self, name)[key] for name in vars(self)))


def _table(items, key):
    """A list of dicts as one `_Rows`; `key` is the name of what is in `score`."""
    boxes = [_array(item["boxes"]).astype(np.float64).reshape(-1, 4) for item in items]
    counts = [len(own) for own in boxes]
    table = np.concatenate([np.zeros((0, 4)), *boxes])

    def column(name, default):
        parts = [_array(item[name]) if name in item else default(own)
                 for item, own in zip(items, boxes, strict=True)]  # fmt: skip
        return np.concatenate([np.zeros(0), *parts])

    label = column("labels", lambda own: own[:0])
    score = column(key, lambda own: np.zeros(len(own)))
    area = column("area", lambda own: (own[:, 2:] - own[:, :2]).prod(1))
    if not len(label) == len(score) == len(area) == len(table):
        raise ShapeError(
            f"evaluation: expected as many labels and {key} as boxes, {len(table)}, got "
            f"{len(label)} and {len(score)}"
        )
    image = np.repeat(np.arange(len(items)), counts)
    return _Rows(image, label.astype(np.int64), table, score, area)


def _tables(predictions, targets, ignored):
    if len(predictions) != len(targets):
        raise ArgumentError(
            f"evaluation: expected a target for each of {len(predictions)} images, got "
            f"{len(targets)}"
        )
    found = _table(predictions, "scores")
    return found[np.argsort(-found.score, kind="stable")], _table(targets, ignored)


def voc_average_precision(predictions, targets, iou_threshold=0.5, eleven_points=False):
    """The average precision of each class: {label: value}; their mean is VOC's mAP.

    `predictions` are dicts as detectors give them, `targets` dicts with `boxes` (N, 4), `labels`
    (N) and, perhaps, `difficult` (N): these need not be found. A detection is right if it overlaps
    by `iou_threshold` with the box it overlaps with most, and is the best one of that box. It is
    the area under the curve of precision over recall (VOC 2010), or the mean of `eleven_points`
    (VOC 2007). Everingham et al., "The Pascal visual object classes challenge" (2010).

    >>> import numpy as np
    >>> from tallowvision.evaluation import voc_average_precision
    >>> truth = {"boxes": np.array([[0, 0, 4, 4], [6, 6, 9, 9]]), "labels": np.array([1, 1])}
    >>> found = {"boxes": truth["boxes"][:1], "labels": np.array([1]), "scores": np.array([0.9])}
    >>> voc_average_precision([found], [truth])
    {1: 0.5}
    """
    found, wanted = _tables(predictions, targets, "difficult")
    result = {}
    for label in np.unique(wanted.label).tolist():
        own, truth = found[found.label == label], wanted[wanted.label == label]
        best, overlap = _best_targets(own, truth)
        claims = np.where(overlap >= iou_threshold, best, -1)
        first = np.zeros(len(claims), bool)
        first[np.unique(claims, return_index=True)[1]] = True
        difficult = truth.score.astype(bool)
        counts = ~((claims >= 0) & difficult[best])  # what finds a difficult one does not count
        right = (claims >= 0) & first
        result[label] = _area_under(right[counts], (~difficult).sum(), eleven_points)
    return result


def _best_targets(found, truth):
    """The number of the target that each detection overlaps with most, and by how much."""
    start, end = (np.searchsorted(truth.image, found.image, side) for side in ("left", "right"))
    counts = end - start
    own = np.repeat(np.arange(len(counts)), counts)  # all pairs of one image
    there = np.arange(len(own)) + np.repeat(start - (np.cumsum(counts) - counts), counts)
    boxes, others = found.boxes[own][:, None], truth.boxes[there][:, None]
    overlaps = _overlaps(boxes, others, np.zeros((len(own), 1), bool)).reshape(-1)
    order = np.lexsort((-overlaps, own))
    ones, first = np.unique(own[order], return_index=True)
    best, overlap = np.zeros(len(counts), int), np.full(len(counts), -1.0)
    best[ones], overlap[ones] = there[order][first], overlaps[order][first]
    return best, overlap


def _area_under(right, count, eleven_points):
    """The average precision of detections in order, of which some are right, of `count` targets."""
    if not count:
        return float("nan")
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # of this recall or more
    if eleven_points:
        reached = np.searchsorted(hits / count, np.linspace(0, 1, 11))
        return float(np.append(precision, 0.0)[np.minimum(reached, len(right))].mean())
    return float(precision[right].sum() / count)


# COCO

_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_AREAS = {"": (0, 1e10), "s": (0, 32**2), "m": (32**2, 96**2), "l": (96**2, 1e10)}  # in pixels
_CHUNK = 200  # pairs of an image and a class that are matched at once


def coco_metrics(predictions, targets):
    """COCO's twelve numbers for boxes, as a dict; -1 where there is nothing to find.

    AP, AP50, AP75: mean average precision over overlaps of 0.5 to 0.95, or at one of them; APs,
    APm, APl: of boxes of less than 32 squared, up to 96 squared, and of more pixels; AR1, AR10,
    AR100: recall with so many detections for each image; ARs, ARm, ARl: of boxes by size.

    `predictions` are dicts as detectors give them, `targets` dicts with `boxes` (N, 4), `labels`
    (N) and, perhaps, `iscrowd` and `area` (N). Lin et al., "Microsoft COCO" (2014).

    >>> import numpy as np
    >>> from tallowvision.evaluation import coco_metrics
    >>> truth = {"boxes": np.array([[0, 0, 4, 4]]), "labels": np.array([1])}
    >>> coco_metrics([truth | {"scores": np.array([0.9])}], [truth])["AP50"]
    1.0
    """
    found, wanted = _tables(predictions, targets, "iscrowd")
    precisions, recalls = [], []
    for label in np.unique(wanted.label).tolist():
        of_label = _of_class(found[found.label == label], wanted[wanted.label == label])
        precisions.append(of_label[0])
        recalls.append(of_label[1])
    shape = (0, len(_AREAS), len(_THRESHOLDS))
    precision = np.concatenate([np.full(shape, -1.0), *(x[None] for x in precisions)])
    recall = np.concatenate([np.full((*shape, 3), -1.0), *(x[None] for x in recalls)])
    result = {"AP": _mean(precision[:, 0])}
    result |= {f"AP{name}": _mean(precision[:, 0, t]) for name, t in (("50", 0), ("75", 5))}
    result |= {f"AP{name}": _mean(precision[:, a]) for a, name in enumerate(_AREAS) if name}
    result |= {f"AR{most}": _mean(recall[:, 0, :, i]) for i, most in enumerate((1, 10, 100))}
    by_area = {name: recall[:, a, :, 2] for a, name in enumerate(_AREAS) if name}
    return result | {f"AR{name}": _mean(x) for name, x in by_area.items()}


def _mean(x):
    x = x[x > -1]
    return float(x.mean()) if x.size else -1.0


def _of_class(found, truth):
    """Average precision (areas, thresholds), and recall (areas, thresholds, 3), of one class."""
    rank = _rank(found.image)
    found, rank = found[rank < 100], rank[rank < 100]
    low, high = np.array(list(_AREAS.values())).T[..., None]
    outside = (truth.area < low) | (truth.area > high)  # (areas, M)
    ignored = outside | truth.score.astype(bool)
    hit, passed = _matched(found, rank, truth, ignored)
    # what matches nothing and is of another size does not count against the detector
    passed |= ~hit & ((found.area < low) | (found.area > high))[:, None]
    count = (~ignored).sum(1)[:, None]
    precision = np.full(hit.shape[:2], -1.0)
    recall = np.full((*hit.shape[:2], 3), -1.0)
    some = count[:, 0] > 0
    for i, most in enumerate((1, 10, 100)):
        counted = (rank < most) & ~passed
        hits = np.cumsum(hit & counted, -1)
        reached = hits[..., -1] if hits.shape[-1] else np.zeros(hits.shape[:2])
        recall[some, :, i] = (reached / np.maximum(count, 1))[some]
    misses = np.cumsum(~hit & counted, -1)
    for a in np.flatnonzero(some):
        for t in range(hits.shape[1]):
            precision[a, t] = _at_recalls(hits[a, t], misses[a, t], count[a, 0])
    return precision, recall


def _at_recalls(hits, misses, count):
    """The mean of the precisions at 101 recalls."""
    precision = hits / np.maximum(hits + misses, np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(hits / count, _RECALLS)
    return np.append(precision, 0.0)[reached].mean()


def _rank(group):
    """The number of earlier elements of the same group, for each."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    start = np.searchsorted(ordered, ordered)
    rank = np.empty(len(group), int)
    rank[order] = np.arange(len(group)) - start
    return rank


def _matched(found, rank, truth, ignored):
    """Which detections match a target, and which match one that is ignored: (areas, T, N) both."""
    shape = (len(ignored), len(_THRESHOLDS), len(found.image))
    hit, passed = np.zeros(shape, bool), np.zeros(shape, bool)
    images = np.intersect1d(found.image, truth.image)
    place = _rank(truth.image)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        own = np.flatnonzero(np.isin(found.image, chunk))
        there = np.flatnonzero(np.isin(truth.image, chunk))
        group = np.searchsorted(chunk, found.image[own]), rank[own]
        target = np.searchsorted(chunk, truth.image[there]), place[there]
        boxes = np.zeros((len(chunk), group[1].max() + 1, 4))
        boxes[group] = found.boxes[own]
        shape = (len(chunk), target[1].max() + 1)
        true_boxes, crowd = np.zeros((*shape, 4)), np.zeros(shape, bool)
        absent = np.ones(shape, bool)
        true_boxes[target], crowd[target] = truth.boxes[there], truth.score[there]
        absent[target] = False
        skipped = np.zeros((len(ignored), *shape), bool)
        skipped[:, *target] = ignored[:, there]
        overlaps = np.where(absent[:, None], -1.0, _overlaps(boxes, true_boxes, crowd))
        for part, whole in zip(_greedy(overlaps, crowd, skipped), (hit, passed), strict=True):
            whole[:, :, own] = part[:, :, *group]
    return hit, passed


def _greedy(overlaps, crowd, skipped):
    """Detections (G, D) of G images matched in order with targets (G, M): (areas, T, G, D) both.

    Each takes the free target that it overlaps with most, of those that are not skipped if there
    is one; a crowd is always free.
    """
    skipped = skipped[:, None]  # (areas, 1, G, M)
    free = np.ones((len(skipped), len(_THRESHOLDS), *crowd.shape), bool)
    results = []
    for d in range(overlaps.shape[1]):
        own = overlaps[:, d]
        enough = (own >= _THRESHOLDS[:, None, None] - 1e-10) & (free | crowd)
        value = np.where(enough, own - 2.0 * skipped, -np.inf)  # those that are skipped come last
        best = value.shape[-1] - 1 - value[..., ::-1].argmax(-1, keepdims=True)
        is_hit = np.take_along_axis(enough, best, -1)
        was_skipped = np.take_along_axis(np.broadcast_to(skipped, value.shape), best, -1)
        taken = np.take_along_axis(free, best, -1) & ~is_hit
        np.put_along_axis(free, best, taken, -1)
        results.append((is_hit[..., 0], (is_hit & was_skipped)[..., 0]))
    return tuple(np.stack(part, -1) for part in zip(*results, strict=True))
