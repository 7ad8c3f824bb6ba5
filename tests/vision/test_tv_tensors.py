"""The typed tensors: making, wrapping, copying."""

import copy
import pickle

import PIL.Image
import pytest

import tallow
from tallowvision import tv_tensors


@pytest.fixture
def boxes():
    return tv_tensors.BoundingBoxes([[1.0, 2, 3, 4]], format="xyxy", canvas_size=[8, 9])


def test_making():
    assert tuple(tv_tensors.Image(PIL.Image.new("RGB", (4, 3))).shape) == (3, 3, 4)
    assert tuple(tv_tensors.Mask(PIL.Image.new("L", (4, 3))).shape) == (1, 3, 4)
    assert tv_tensors.Image([[1, 2]], dtype=tallow.float64).dtype is tallow.float64
    assert tv_tensors.Image([[1.0]], requires_grad=True).requires_grad
    assert tuple(tv_tensors.Video(tallow.zeros(2, 3, 4, 5)).shape) == (2, 3, 4, 5)


def test_results_are_plain_and_wrap_types_them(boxes):
    doubled = boxes * 2
    assert type(doubled) is tallow.Tensor
    again = tv_tensors.wrap(doubled, like=boxes, canvas_size=(16, 18))
    assert type(again) is tv_tensors.BoundingBoxes
    assert (again.canvas_size, again.format.name) == ((16, 18), "XYXY")
    assert again.tolist() == [[2, 4, 6, 8]]


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x.to(tallow.float64),
        lambda x: x.clone(),
        lambda x: x.detach(),
        copy.deepcopy,
        lambda x: pickle.loads(pickle.dumps(x)),
        lambda x: x.requires_grad_(),
    ],
)
def test_copies_keep_the_type(boxes, same):
    made = same(boxes)
    assert type(made) is tv_tensors.BoundingBoxes
    assert (made.canvas_size, made.format.name, made.clamping_mode) == ((8, 9), "XYXY", "soft")
    assert made.tolist() == boxes.tolist()


def test_gradients_pass_through():
    x = tallow.ones(1, 2, 2, requires_grad=True)
    (tv_tensors.Image(x * 3) * 2).sum().backward()
    assert x.grad.tolist() == [[[6, 6], [6, 6]]]


def test_repr(boxes):
    assert repr(boxes) == (
        "BoundingBoxes([[1., 2., 3., 4.]], format=BoundingBoxFormat.XYXY, canvas_size=(8, 9), "
        "clamping_mode=soft)"
    )


def test_turned_boxes_need_floats():
    with pytest.raises(RuntimeError, match="floating-point numbers for XYWHR"):
        tv_tensors.BoundingBoxes([[1, 2, 3, 4, 5]], format="XYWHR", canvas_size=(2, 2))


@pytest.mark.parametrize(("format", "numbers"), [("XYXY", 4), ("CXCYWHR", 5), ("XYXYXYXY", 8)])
def test_boxes_have_the_numbers_of_their_format(format, numbers):
    expected = f"BoundingBoxes: expected {numbers} numbers for each box of {format}, got float32"
    with pytest.raises(RuntimeError, match=expected):
        tv_tensors.BoundingBoxes(tallow.ones(2, 3), format=format, canvas_size=(2, 2))
