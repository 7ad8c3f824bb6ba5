"""Grids and drawings: what torchvision has no golden for."""

import io
import math

import numpy as np
import PIL.Image
import pytest

import tallow
import tallowvision
from tallow.errors import TallowError
from tallowvision import utils

IMAGE = tallow.full((3, 20, 24), 90, dtype=tallow.uint8)


def test_save_image(tmp_path):
    pictures = tallow.linspace(0, 1, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    utils.save_image(pictures, tmp_path / "a.png", padding=1)
    saved = np.asarray(PIL.Image.open(tmp_path / "a.png"))
    assert saved.shape == (6, 13, 3)
    expected = np.floor(pictures[0].numpy().transpose(1, 2, 0) * 255 + 0.5)
    np.testing.assert_array_equal(saved[1:5, 1:6], expected)
    memory = io.BytesIO()
    utils.save_image(pictures[1] * 3 - 1, memory, format="bmp")  # numbers beyond [0, 1] are cut
    assert np.asarray(PIL.Image.open(memory)).max() == 255


def test_nothing_is_changed_in_place():
    before = IMAGE.clone()
    utils.draw_bounding_boxes(IMAGE, tallow.tensor([[1, 1, 5, 5]]), fill=True)
    utils.draw_segmentation_masks(IMAGE, IMAGE[0] > 0)
    utils.make_grid([IMAGE.float()] * 2, normalize=True)
    assert tallow.equal(IMAGE, before)


def test_turned_boxes():
    """The outline runs through the four corners, and the tint lies inside."""
    corners = tallow.tensor([[4, 4, 16, 4, 16, 14, 4, 14]])
    drawn = utils.draw_bounding_boxes(IMAGE, corners, colors="red", fill=True)
    for x, y in ((4, 4), (16, 4), (16, 14), (4, 14), (10, 4)):
        assert drawn[:, y, x].tolist() == [255, 0, 0]
    assert drawn[0, 9, 9] > 90 > drawn[1, 9, 9] and drawn[:, 18, 20].tolist() == [90] * 3


def test_nothing_to_draw():
    with pytest.warns(UserWarning, match="no boxes"):
        assert utils.draw_bounding_boxes(IMAGE, tallow.zeros(0, 4)) is IMAGE
    with pytest.warns(UserWarning, match="no masks"):
        masks = tallow.zeros(0, 20, 24, dtype=tallow.bool)
        assert utils.draw_segmentation_masks(IMAGE, masks) is IMAGE
    with pytest.warns(UserWarning, match="font_size counts with a font only"):
        utils.draw_bounding_boxes(IMAGE, tallow.tensor([[1, 1, 5, 5]]), font_size=9)


BOX = tallow.tensor([[1, 1, 5, 5]])
ERRORS = [
    (lambda: utils.make_grid("a"), TypeError, "tensor or a list of tensors, got str"),
    (lambda: utils.make_grid(tallow.zeros(3)), RuntimeError, r"got float32 \(3,\)"),
    (lambda: utils.draw_bounding_boxes(IMAGE.float(), BOX), ValueError,
     r"draw_bounding_boxes: expected floating-point pixels in \[0, 1\]"),
    (lambda: utils.draw_bounding_boxes(IMAGE.int(), BOX), ValueError, "uint8 or floating"),
    (lambda: utils.draw_bounding_boxes(IMAGE[:2], BOX), ValueError, "of 1 or 3 channels"),
    (lambda: utils.draw_bounding_boxes(IMAGE[None], BOX), ValueError, "one image"),
    (lambda: utils.draw_bounding_boxes(np.zeros(3), BOX), TypeError, "got ndarray"),
    (lambda: utils.draw_bounding_boxes(IMAGE, BOX[0]), ValueError, r"\(N, 4\) or \(N, 8\)"),
    (lambda: utils.draw_bounding_boxes(IMAGE, BOX.flip(1)), ValueError,
     "right or bottom comes first"),
    (lambda: utils.draw_bounding_boxes(IMAGE, BOX, ["a", "b"]), ValueError, "expected 1 labels"),
    (lambda: utils.draw_bounding_boxes(IMAGE, BOX, colors=[]), ValueError, "a list of 1 of them"),
    (lambda: utils.draw_bounding_boxes(IMAGE, BOX, colors=(1, 2)), ValueError, r"got \(1, 2\)"),
    (lambda: utils.draw_segmentation_masks(IMAGE[:1], IMAGE[0] > 0), ValueError, "of 3 channels"),
    (lambda: utils.draw_segmentation_masks(IMAGE, IMAGE[0]), ValueError, "bool masks .*got uint8"),
    (lambda: utils.draw_segmentation_masks(IMAGE, IMAGE[0, 1:] > 0), ValueError, "20, 24"),
    (lambda: utils.draw_keypoints(IMAGE, BOX), ValueError, r"\(N, K, 2\)"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, TallowError)


def test_flow_to_image():
    """Eight directions, each a longer step than the one before, in torchvision's colours."""
    angles = tallow.arange(8) * math.pi / 4 + 0.1
    lengths = tallow.linspace(0.3, 1, 8)
    flow = tallow.stack([angles.cos() * lengths, angles.sin() * lengths]).unsqueeze(1)
    colours = [
        [255, 182, 178], [255, 204, 153], [255, 249, 127], [102, 255, 106],
        [76, 208, 255], [51, 77, 255], [119, 25, 255], [237, 0, 255],
    ]  # fmt: skip
    image = utils.flow_to_image(flow)
    assert image.dtype is tallow.uint8 and image[:, 0].T.tolist() == colours
    assert utils.flow_to_image(flow.unsqueeze(0))[0].equal(image)
    for wrong in (flow.double(), flow[:1], flow[0]):
        with pytest.raises(ValueError, match="flow_to_image: expected"):
            utils.flow_to_image(wrong)


def test_the_image_backend_is_pillow():
    assert tallowvision.get_image_backend() == "PIL"
    tallowvision.set_image_backend("PIL")
    with pytest.raises(ValueError, match="expected 'PIL', got 'accimage'"):
        tallowvision.set_image_backend("accimage")
