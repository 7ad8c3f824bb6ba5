"""The examples on pictures with boxes or masks run a few steps to their pictures."""

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


@pytest.mark.parametrize("name", ["object_detection", "segmentation"])
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
