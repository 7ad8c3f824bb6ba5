"""Measures of predictions: against numbers worked out by hand, and pycocotools' (goldens)."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError, OutOfRangeError, ShapeError
from tallowvision.evaluation import (
    accuracy,
    coco_metrics,
    confusion_matrix,
    intersection_over_union,
    voc_average_precision,
)

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("evaluation_cases", HERE / "evaluation_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)


def test_accuracy_of_the_best_and_of_the_k_best():
    scores = tallow.tensor([[0.1, 0.5, 0.4], [0.9, 0.05, 0.05], [0.2, 0.3, 0.5]])
    assert accuracy(scores, tallow.tensor([1, 2, 1])) == [1 / 3]
    assert accuracy(scores, tallow.tensor([2, 1, 0]), topk=(1, 2, 3)) == [0.0, 2 / 3, 1.0]
    assert accuracy(np.zeros((2, 4)), [0, 3], topk=(1, 3, 4)) == [0.5, 0.5, 1.0]  # all are equal
    with pytest.raises(ShapeError, match=r"accuracy: expected scores \(N, C\) and labels \(N\)"):
        accuracy(scores, tallow.tensor([1, 2]))


def test_confusion_and_overlap_of_pixels():
    labels = tallow.tensor([[0, 0, 1], [1, 2, 255]])
    predicted = tallow.tensor([[0, 1, 1], [1, 0, 0]])
    confusion = confusion_matrix(predicted, labels, 4, ignore_index=255)
    assert confusion.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(intersection_over_union(confusion), [1 / 3, 2 / 3, 0, np.nan])
    with pytest.raises(OutOfRangeError, match="expected labels from 0 to 3, got 0 to 255"):
        confusion_matrix(predicted, labels, 4)
    with pytest.raises(ShapeError, match="confusion_matrix"):
        confusion_matrix(predicted, labels[:1], 4)


@pytest.mark.parametrize("name", cases.CASES)
def test_the_numbers_of_coco_are_those_of_pycocotools(name):
    expected = json.loads((HERE / "golden" / "evaluation.json").read_text())[name]
    found = coco_metrics(*cases.made(*cases.CASES[name]))
    assert list(found) == [
        "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl",
    ]  # fmt: skip
    np.testing.assert_allclose(list(found.values()), expected, atol=1e-12)


def _image(boxes, labels, **columns):
    columns = {name: tallow.tensor(values) for name, values in columns.items()}
    boxes = tallow.tensor(boxes, dtype=tallow.float32).reshape(-1, 4)
    return {"boxes": boxes, "labels": tallow.tensor(labels, dtype=tallow.int64), **columns}


def test_average_precision_of_voc():
    square = [0, 0, 10, 10]
    targets = [_image([square, [20, 0, 30, 10]], [1, 1]), _image([square], [1])]
    predictions = [
        _image([square, [1, 0, 11, 10], [20, 0, 30, 10]], [1, 1, 1], scores=[0.9, 0.8, 0.5]),
        _image([[50, 50, 60, 60], square], [1, 2], scores=[0.7, 0.6]),
    ]
    # right, again, wrong, right: precisions 1 and 1/2 at recalls 1/3 and 2/3
    assert voc_average_precision(predictions, targets) == {1: pytest.approx((1 + 0.5) / 3)}
    found = voc_average_precision(predictions, targets, eleven_points=True)
    assert found == {1: pytest.approx((4 * 1 + 3 * 0.5) / 11)}
    assert voc_average_precision(predictions, targets, 0.0)[1] >= found[1]


def test_what_is_difficult_need_not_be_found():
    square, other = [0, 0, 10, 10], [20, 0, 30, 10]
    target = _image([square, other], [1, 1], difficult=[0, 1])
    missed = _image([square], [1], scores=[0.9])
    both = _image([other, square], [1, 1], scores=[0.95, 0.9])
    assert voc_average_precision([missed], [target]) == {1: 1.0}
    assert voc_average_precision([both], [target]) == {1: 1.0}


def test_nothing_to_find_and_nothing_found():
    nothing = _image([], [], scores=tallow.zeros(0).tolist())
    assert voc_average_precision([nothing], [_image([], [])]) == {}
    assert set(coco_metrics([nothing], [_image([], [])]).values()) == {-1.0}
    there = _image([[0, 0, 40, 40]], [3])
    assert voc_average_precision([nothing], [there]) == {3: 0.0}
    metrics = coco_metrics([nothing], [there])
    assert metrics["AP"] == metrics["APm"] == 0.0 and metrics["APs"] == -1.0
    assert coco_metrics([], []) == coco_metrics([nothing], [_image([], [])])


def test_predictions_and_targets_that_do_not_fit():
    one = _image([[0, 0, 4, 4]], [1], scores=[0.5])
    with pytest.raises(ArgumentError, match="a target for each of 1 images, got 2"):
        coco_metrics([one], [one, one])
    with pytest.raises(ShapeError, match="as many labels and scores as boxes, 1, got 1 and 2"):
        coco_metrics([_image([[0, 0, 4, 4]], [1], scores=[0.5, 0.5])], [one])
