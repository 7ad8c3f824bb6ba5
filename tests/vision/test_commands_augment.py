"""python -m tallowvision augment: the sheet, the texts that stand for transforms, its messages."""

import numpy as np
import PIL.Image
import pytest

from tallow.errors import ArgumentError
from tallowvision import __main__, transforms
from tallowvision.commands.augment import parsed


@pytest.fixture
def picture(tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
    image = PIL.Image.fromarray(levels).resize((320, 200))
    image.save(tmp_path / "a.png")
    image.convert("L").save(tmp_path / "b.jpg")
    return tmp_path / "a.png"


def run(*arguments):
    return __main__.main(["augment", *map(str, arguments)])


def sheet(path):
    with PIL.Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_sheet_begins_with_the_picture_as_it_is(picture, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    given = (picture, "--count", 3, "--columns", 2, "-o", out, "-t")
    assert run(*given, "RandomHorizontalFlip(1.0)") == 0
    assert "3 times augmented" in capsys.readouterr().out
    levels = sheet(out)  # 2 x 2 pictures of 160 x 256 with 4 pixels between
    assert levels.shape == (3 * 4 + 2 * 160, 3 * 4 + 2 * 256, 3)
    first, second = levels[4:164, 4:260], levels[4:164, 264:520]
    assert np.abs(first - second[:, ::-1]).max() <= 1 and first.std() > 20
    assert run(*given, "RandomRotation(45)", "-t", "ToTensor", "--seed", 5) == 0
    assert (sheet(out)[4:164, 4:260] == first).all() and (sheet(out) != levels).any()
    again = sheet(out)
    assert run(*given, "RandomRotation(45)", "-t", "ToTensor", "--seed", 5) == 0
    assert (sheet(out) == again).all()


def test_pictures_of_other_sizes_are_framed_and_several_go_to_a_folder(picture, tmp_path):
    assert run(tmp_path / "*.???", "-t", "CenterCrop(60)", "--count", 1, "-o", tmp_path / "o") == 0
    levels = sheet(tmp_path / "o" / "b.png")
    assert levels.shape == (168, 524, 3) and (levels[10, 300] == 255).all()
    assert (tmp_path / "o" / "a.png").exists()


def test_texts_of_transforms():
    made = parsed(" RandomApply([ColorJitter(0.4, hue=0.1), RandomGrayscale], p=0.3)")
    assert isinstance(made, transforms.RandomApply) and made.p == 0.3
    assert repr(parsed("RandomErasing(value=(1, 2, 3))")).startswith("RandomErasing")
    assert isinstance(parsed("TrivialAugmentWide"), transforms.TrivialAugmentWide)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RandomRotaton(3)", "got 'RandomRotaton'; did you mean RandomRotation"),
        ("Image", "expected a transform, got 'Image'"),
        ("ColorJitter(0.4", "expected a transform like ColorJitter"),
        ("open('x')", "expected a transform, got 'open'"),
        ("a.b(1)", "a transform like"),
        ("CenterCrop(__import__('os'))", "expected a transform, got '__import__'"),
        ("CenterCrop(sise=3)", r"CenterCrop\(sise=3\): .*unexpected keyword"),
        ("RandomHorizontalFlip(7)", "RandomHorizontalFlip"),
    ],
)
def test_other_texts(text, message, picture, capsys):
    with pytest.raises(ArgumentError, match=message):
        parsed(text)
    assert run(picture, "-t", text) == 1
    assert capsys.readouterr().err.startswith("tallowvision augment: ")


def test_what_gives_no_picture(picture, tmp_path, capsys):
    assert run(picture, "-t", "FiveCrop(30)", "-o", tmp_path / "x.png") == 1
    assert "expected a picture of FiveCrop(30), got tuple" in capsys.readouterr().err
    assert run(picture, "-t", "ToTensor", "--count", 0) == 1
    with pytest.raises(SystemExit) as left:
        run(picture)
    assert left.value.code == 2
