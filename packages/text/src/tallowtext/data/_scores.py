"""Predictions compared with what is right, as tensors."""

from typing import NamedTuple

import tallow
from tallow import nn
from tallow.errors import ArgumentError, describe


class Scores(NamedTuple):
    """Precision, recall and F1: numbers, or tensors with one for each class."""

    precision: object
    recall: object
    f1: object


def _labels(name, predictions, targets, ignore_index):
    """Numbers of classes as vectors, without those to ignore; scores (..., C) give the highest."""
    if predictions.is_floating_point():
        predictions = predictions.argmax(-1)
    if predictions.shape != targets.shape:
        raise ArgumentError(
            f"{name}: expected targets of the predictions' shape, got {describe(predictions)} and "
            f"{describe(targets)}"
        )
    kept = targets != ignore_index
    return predictions[kept], targets[kept]


def accuracy(predictions, targets, ignore_index=-100):
    """The share of predictions, classes (...) or scores (..., C), that are as the targets (...).

    >>> import tallow
    >>> from tallowtext.data.metrics import accuracy
    >>> accuracy(tallow.tensor([[0.1, 0.9], [0.8, 0.2]]), tallow.tensor([1, 1]))
    0.5
    """
    found, wanted = _labels("accuracy", predictions, targets, ignore_index)
    return (found == wanted).double().mean().item()


def precision_recall_f1(predictions, targets, num_classes, average="macro", ignore_index=-100):
    """Precision, recall and F1 of predictions, classes (...) or scores (..., C), for targets (...).

    `average`: "macro", the mean of the classes; "weighted" by how frequent they are; "micro", of
    all predictions together; "binary", that of class 1; None, a tensor (num_classes) each. What
    would be 0 / 0 is 0.

    >>> import tallow
    >>> from tallowtext.data.metrics import precision_recall_f1
    >>> found, wanted = tallow.tensor([0, 1, 1, 1]), tallow.tensor([0, 0, 1, 1])
    >>> round(precision_recall_f1(found, wanted, 2, "binary").precision, 4)
    0.6667
    """
    if average not in ("macro", "weighted", "micro", "binary", None):
        raise ArgumentError(
            "precision_recall_f1: expected average 'macro', 'weighted', 'micro', 'binary' or None, "
            f"got {average!r}"
        )
    found, wanted = _labels("precision_recall_f1", predictions, targets, ignore_index)
    right = tallow.bincount(wanted[found == wanted], minlength=num_classes).double()
    predicted = tallow.bincount(found, minlength=num_classes).double()
    frequent = tallow.bincount(wanted, minlength=num_classes).double()
    if average == "micro":
        right, predicted, frequent = (x.sum(0, keepdim=True) for x in (right, predicted, frequent))
    precision = right / predicted.clamp(min=1)
    recall = right / frequent.clamp(min=1)
    f1 = 2 * right / (predicted + frequent).clamp(min=1)
    scores = (precision, recall, f1)
    if average is None:
        return Scores(*scores)
    if average == "binary":
        return Scores(*(x[1].item() for x in scores))
    weights = frequent if average == "weighted" else tallow.ones_like(right)
    return Scores(*((x * weights).sum().item() / weights.sum().item() for x in scores))


def perplexity(scores, targets, ignore_index=-100):
    """The perplexity of scores (..., C), logits of a language model, on the tokens that came (...).

    It is exp of the mean cross entropy: among how many equally probable tokens one would have to
    guess as well.

    >>> import tallow
    >>> from tallowtext.data.metrics import perplexity
    >>> round(perplexity(tallow.zeros(2, 3, 10), tallow.ones(2, 3, dtype=tallow.long)), 4)
    10.0
    """
    if scores.shape[:-1] != targets.shape:
        raise ArgumentError(
            f"perplexity: expected scores (..., C) for targets (...), got {describe(scores)} and "
            f"{describe(targets)}"
        )
    flat = scores.reshape(-1, scores.shape[-1])
    loss = nn.functional.cross_entropy(flat, targets.reshape(-1), ignore_index=ignore_index)
    return loss.exp().item()
