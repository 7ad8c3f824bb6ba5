"""What tallowvision shows on the page of `python -m tallow.demo`."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tallowvision import demo

STROKES = {  # on a pad of 280 x 280
    "1": [(110, 80), (145, 50), (145, 230)],
    "4": [(160, 230), (160, 50), (80, 170), (205, 170)],
    "7": [(85, 55), (195, 55), (120, 230)],
}


def drawn(points, shift=0):
    pad = Image.new("L", (280, 280))
    ImageDraw.Draw(pad).line([(x + shift, y + shift) for x, y in points], 255, 28, "curve")
    return np.asarray(pad)


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("shift", [-40, 0, 30])
def test_a_digit_is_read_wherever_it_is_drawn(digit, shift):
    draw, _ = demo.tabs()
    (shares,) = draw.answer(drawn(STROKES[digit], shift))
    assert max(shares, key=shares.get) == digit and sum(shares.values()) == pytest.approx(1)


def test_a_digit_is_framed():
    ink = np.zeros((9, 12), np.uint8)
    ink[2:6, 5] = 200
    assert demo.framed(ink).tolist() == [[0, 200, 0, 0]] * 4
    assert demo.framed(ink.T).tolist() == [[0] * 4, [200] * 4, [0] * 4, [0] * 4]
    assert demo.framed(ink[2:3, 5:6]).tolist() == [[200]]


def test_a_picture_is_named(tmp_path):
    _, pictures = demo.tabs()
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    (shares,) = pictures.answer(str(tmp_path / "dot.png"))
    assert len(shares) == 10
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(OSError, match="text.png: expected a picture"):
        pictures.answer(str(tmp_path / "text.png"))
