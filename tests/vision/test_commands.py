"""python -m tallowvision: what it prints, its exit status, its messages."""

import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

import tallow
from tallowvision import __main__, models
from tallowvision.commands import _shared


@pytest.fixture
def folder(tmp_path):
    """Pictures of several kinds, a text file, and weights of a small network of four classes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    (tmp_path / "more").mkdir()
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    PIL.Image.fromarray(pixels[..., 0]).save(tmp_path / "more" / "grey.jpg")
    PIL.Image.new("RGB", (1, 1)).save(tmp_path / "dot.bmp")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "names.txt").write_text("one\ntwo\nthree\nfour\n")
    tallow.manual_seed(0)
    tallow.save(models.resnet20(num_classes=4).state_dict(), tmp_path / "w.safetensors")
    return tmp_path


def run(*arguments):
    return __main__.main([str(argument) for argument in arguments])


def test_classes_of_a_picture(folder, capsys):
    weights = ("--weights", folder / "w.safetensors")
    assert run("classify", folder / "a.png", *weights, "--categories", folder / "names.txt") == 0
    path, *lines = capsys.readouterr().out.splitlines()
    assert path == str(folder / "a.png") and len(lines) == 4
    shares = [float(line.split("%")[0]) for line in lines]
    assert shares == sorted(shares, reverse=True) and abs(sum(shares) - 100) < 0.3
    assert {line.split()[-1] for line in lines} == {"one", "two", "three", "four"}


def test_folders_and_patterns_as_json(folder, capsys):
    weights = ("--weights", folder / "w.safetensors", "--json", "--top-k", 2)
    assert run("classify", folder / "more", folder / "*.bmp", *weights) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["file"][len(str(folder)) + 1 :] for entry in found] == [
        "more/grey.jpg",
        "dot.bmp",
    ]
    for entry in found:
        assert len(entry["classes"]) == 2
        assert entry["classes"][0]["label"] == f"class {entry['classes'][0]['index']}"
        assert 0 < entry["classes"][1]["probability"] <= entry["classes"][0]["probability"] < 1


def test_what_cannot_be_read_is_passed_over(folder, capsys):
    weights = ("--weights", folder / "w.safetensors")
    status = run("classify", folder / "text.png", folder / "gone.png", folder / "a.png", *weights)
    assert status == 1
    out, err = capsys.readouterr()
    assert out.startswith(str(folder / "a.png"))
    assert "text.png: expected a picture, got a file of another kind" in err
    assert "gone.png" in err and "Traceback" not in err


def test_pictures_are_turned_as_the_camera_says(folder):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    PIL.Image.new("L", (20, 10)).save(folder / "turned.jpg", exif=exif)
    picture = _shared.open_picture(folder / "turned.jpg")
    assert picture.size == (10, 20) and picture.mode == "RGB"


def test_a_truncated_picture_is_named(folder):
    data = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(OSError, match="cut.png"):
        _shared.open_picture(folder / "cut.png")


def test_states_that_scripts_save(folder, capsys):
    state = models.resnet20(num_classes=3).state_dict()
    tallow.save({"state_dict": state, "epoch": 3}, folder / "run.pth")
    assert run("classify", folder / "a.png", "--weights", folder / "run.pth", "--top-k", 9) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "resnet19"], "got 'resnet19'; did you mean resnet"),
        (["--model", "resnet18", "--weights", "nothing.pth"], "got 'nothing.pth'"),
        (["--model", "squeezenet1_1", "--weights", "w.safetensors"], "missing keys"),
        (["--weights", "a.png"], "a.png"),
        (["--categories", "gone.txt"], "gone.txt"),
    ],
)
def test_errors_are_a_line(folder, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    if "--weights" not in arguments:
        arguments = [*arguments, "--weights", "w.safetensors"]
    assert run("classify", "a.png", *arguments) == 1
    out, err = capsys.readouterr()
    assert not out and err.startswith("tallowvision classify: ") and message in err


@pytest.mark.parametrize("pattern", ["*.gif", "empty"])
def test_no_pictures(folder, capsys, monkeypatch, pattern):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    assert run("classify", pattern, "--weights", "w.safetensors") == 1
    assert "expected" in capsys.readouterr().err


def test_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        run("paint")
    assert stopped.value.code == 2 and "classify" in capsys.readouterr().err


def test_a_process_of_its_own(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tallowvision", "classify", "a.png", "--weights", "w.safetensors"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("a.png\n") and not done.stderr
