"""The examples on pictures and videos run a few steps to their pictures."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    """The finished process of an example, which must warn of nothing."""
    for module in ("matplotlib", "tqdm"):
        pytest.importorskip(module)
    command = [sys.executable, "-W", "error:::tallow", EXAMPLES / name / "train.py", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture
def archive(tmp_path):
    """A zip file in VOC's format: three pictures, of squares and of nothing."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    path = tmp_path / "voc.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("a", "b", "c"):
            pixels = rng.integers(0, 99, (90, 120, 3), dtype=np.uint8)
            pixels[20:50, 30:60] = 255
            image.fromarray(pixels).save(tmp_path / "picture.jpg")
            file.write(tmp_path / "picture.jpg", f"shapes/JPEGImages/{name}.jpg")
            box = "<xmin>30</xmin><ymin>20</ymin><xmax>60</xmax><ymax>50</ymax>"
            thing = f"<object><name>square</name><bndbox>{box}</bndbox></object>"
            text = f"<filename>{name}.jpg</filename>{thing if name != 'c' else ''}"
            file.writestr(f"shapes/Annotations/{name}.xml", f"<annotation>{text}</annotation>")
        file.writestr("shapes/ImageSets/Main/train.txt", "a\nb\nc\n")
        file.writestr("shapes/ImageSets/Main/val.txt", "a\nc\n")
    return path


def check(found, out, printed):
    assert found.returncode == 0, found.stderr
    assert re.search(printed, found.stdout), found.stdout
    for picture in ("curves.png", "predictions.png"):
        with pytest.importorskip("PIL.Image").open(out / picture) as image:
            assert min(image.size) > 100 and len(set(image.convert("L").tobytes())) > 2
    assert (out / "model.safetensors").stat().st_size > 1000


@pytest.mark.parametrize(
    "name", ["finetune", "object_detection", "segmentation", "video_classification"]
)
def test_help(name):
    found = run(name, "--help")
    assert found.returncode == 0 and "python train.py" in found.stdout
    assert {"--seed", "--out"} <= set(re.findall(r"--\w+", found.stdout))


def test_detection_from_a_zip_file_goes_on_where_it_was(archive, tmp_path):
    given = ["--data", archive, "--train", "train", "--test", "val", "--out", tmp_path / "out"]
    found = run("object_detection", *given, "--epochs", "1")
    check(found, tmp_path / "out", r"square  [\d.]+\nmAP at an overlap of 0.5: [\d.]+")
    assert (tmp_path / "out" / "categories.txt").read_text() == "__background__\nsquare"
    again = run("object_detection", *given, "--epochs", "1")  # there is nothing left to train
    assert again.returncode == 0 and again.stdout == found.stdout


def test_detection_without_data(tmp_path):
    found = run("object_detection", "--data", tmp_path)
    assert found.returncode == 1 and "expected ImageSets/Main/*.txt" in found.stderr


def test_segmentation(tmp_path):
    found = run(
        "segmentation", "--count", "16", "--epochs", "1", "--size", "40", "--out", tmp_path / "out"
    )
    check(found, tmp_path / "out", r"mean IoU on 500 other pictures: [\d.]+")


def test_videos(tmp_path):
    found = run("video_classification", "--count", "32", "--epochs", "1", "--out", tmp_path / "out")
    check(found, tmp_path / "out", r"accuracy on 800 other videos: [\d.]+%")
    with pytest.importorskip("PIL.Image").open(tmp_path / "out" / "moving.gif") as video:
        assert video.n_frames == 8 and video.size == (96, 96)


def test_finetuning(tmp_path):
    out = tmp_path / "out"
    found = run("finetune", "--generated", "--epochs", "1", "--out", out)
    check(found, out, r"whole network trained: (100|[5-9]\d)[\d.]*%")
    assert (out / "classes.txt").read_text() == "dots\nsquares\nstripes"
    command = [
        sys.executable,
        "-m",
        "tallowvision",
        "classify",
        out / "pictures" / "dots" / "000.png",
    ]
    given = ["--weights", out / "model.safetensors", "--categories", out / "classes.txt"]
    said = subprocess.run([*command, *given], capture_output=True, text=True)
    assert said.returncode == 0 and {"dots", "stripes"} < set(said.stdout.split())
    again = run("finetune", "--data", out / "pictures", "--weights", out / "model.safetensors",
                "--epochs", "0", "--out", tmp_path / "again")  # fmt: skip
    check(again, tmp_path / "again", r"last layer trained: (100|[5-9]\d)[\d.]*%")


@pytest.fixture
def cifar(tmp_path):
    """A folder of pictures of two classes, as CIFAR-10 is where it is unpacked."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 4)):
        for level, name in ((60, "cat"), (180, "dog")):
            folder = tmp_path / "cifar" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(level, level + 60, (32, 32, 3), dtype=np.uint8)
                image.fromarray(pixels).save(folder / f"{number:04}.jpg")
    return tmp_path / "cifar"


def test_classification_of_a_folder_goes_on_where_it_was(cifar, tmp_path):
    out = tmp_path / "out"
    given = [
        "--dataset", "imagefolder", "--data", cifar, "--model", "mobilenet_tiny", "--amp",
        "--augment", "trivial", "--epochs", "2", "--batch-size", "8", "--out", out,
    ]  # fmt: skip
    found = run("image_classification", *given)
    check(found, out, r"24 images to learn from, 8 held out; [\d,]+ parameters\n(.*\n)+accuracy")
    assert re.search(r"cat +[\d.]+% +[\d.]+% +4\n", found.stdout)
    again = run("image_classification", *given)  # there is nothing left to train
    assert again.returncode == 0 and again.stdout == found.stdout
