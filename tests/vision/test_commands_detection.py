"""python -m tallowvision detect and segment: what they print and draw."""

import json

import numpy as np
import PIL.Image
import pytest

import tallow
from tallowvision import __main__
from tallowvision.models import detection, segmentation


@pytest.fixture
def folder(tmp_path):
    """Two pictures, and small networks with the names of their classes."""
    rng = np.random.default_rng(0)
    for name, shape in (("a", (48, 64, 3)), ("b", (70, 50, 3))):
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "names.txt").write_text("nothing\ncup\nspoon\n")
    tallow.manual_seed(0)
    found = {
        "fcos_tiny": detection.fcos_tiny(num_classes=3),
        "lraspp_mobilenet_v3_large": segmentation.lraspp_mobilenet_v3_large(
            weights_backbone=None, num_classes=3
        ),
    }
    tallow.nn.init.constant_(found["fcos_tiny"].head.classification_head.cls_logits.bias, 2.0)
    for name, model in found.items():
        tallow.save(model.state_dict(), tmp_path / f"{name}.safetensors")
    return tmp_path


def run(folder, command, model, *arguments):
    weights = ("--model", model, "--weights", folder / f"{model}.safetensors")
    names = ("--categories", folder / "names.txt")
    return __main__.main([str(x) for x in (command, *arguments, *weights, *names)])


def pixels(path):
    with PIL.Image.open(path) as image:
        return np.asarray(image)


def test_things_as_json_and_drawn(folder, capsys):
    drawn = folder / "drawn"
    given = (folder / "a.png", folder / "b.png", "--json", "-o", drawn)
    assert run(folder, "detect", "fcos_tiny", *given) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["file"] for entry in found] == [str(folder / f"{name}.png") for name in "ab"]
    for entry, (width, height) in zip(found, ((64, 48), (50, 70)), strict=True):
        scores = [thing["score"] for thing in entry["things"]]
        assert scores and scores == sorted(scores, reverse=True) and scores[-1] >= 0.4
        for thing in entry["things"]:
            left, top, right, bottom = thing["box"]
            assert 0 <= left <= right <= width and 0 <= top <= bottom <= height
            assert thing["label"] in ("nothing", "cup", "spoon")
    for name in "ab":
        before, after = (pixels(x / f"{name}.png") for x in (folder, drawn))
        assert before.shape == after.shape and (before != after).any()


def test_nothing_to_be_seen(folder, capsys):
    given = (folder / "a.png", "--threshold", "1.1", "-o", folder / "out.png")
    assert run(folder, "detect", "fcos_tiny", *given) == 0
    assert capsys.readouterr().out.splitlines() == [str(folder / "a.png"), "  nothing"]
    assert pixels(folder / "out.png").shape == (48, 64, 3)


def test_parts_of_a_picture(folder, capsys):
    given = (folder / "a.png", "-o", folder / "out.png")
    assert run(folder, "segment", "lraspp_mobilenet_v3_large", *given) == 0
    path, *lines = capsys.readouterr().out.splitlines()
    assert path == str(folder / "a.png")
    shares = {line.split()[-1]: float(line.split("%")[0]) for line in lines}
    assert set(shares) <= {"nothing", "cup", "spoon"}
    assert abs(sum(shares.values()) - 100) < 0.3
    assert pixels(folder / "out.png").shape == (48, 64, 3)


def test_weights_of_another_number_of_classes(folder, capsys):
    (folder / "names.txt").write_text("nothing\ncup\n")
    assert run(folder, "detect", "fcos_tiny", folder / "a.png") == 1
    assert "cls_logits" in capsys.readouterr().err
