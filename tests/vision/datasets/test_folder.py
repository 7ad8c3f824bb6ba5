"""ImageFolder and DatasetFolder on folders that the tests make."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow.utils.data import DataLoader
from tallowvision import datasets, transforms
from tallowvision._pil import ImageFileError


@pytest.fixture
def root(tmp_path):
    """root/{cats,dogs}: three images and files that are none, one of them deeper."""
    for path, colour in (("cats/b.png", 1), ("cats/deep/a.JPG", 2), ("dogs/c.bmp", 3)):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("L", (4, 6), colour * 40).save(file)
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    return tmp_path


def test_samples_and_classes(root):
    data = datasets.ImageFolder(str(root))
    assert data.classes == ["cats", "dogs"]
    assert data.class_to_idx == {"cats": 0, "dogs": 1}
    names = [(path.removeprefix(str(root)), label) for path, label in data.imgs]
    assert names == [("/cats/b.png", 0), ("/cats/deep/a.JPG", 0), ("/dogs/c.bmp", 1)]
    assert data.targets == [0, 0, 1] and len(data) == 3
    image, label = data[2]
    assert (image.mode, image.size, label) == ("RGB", (4, 6), 1)
    assert image.getpixel((0, 0)) == (120, 120, 120)


def test_transforms_and_loading(root):
    data = datasets.ImageFolder(
        root,
        transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]),
        target_transform=lambda label: label + 10,
    )
    images, labels = next(iter(DataLoader(data, batch_size=3)))
    assert tuple(images.shape) == (3, 3, 6, 4) and images.dtype is tallow.float32
    assert labels.tolist() == [10, 10, 11]
    np.testing.assert_allclose(images[2].numpy(), 120 / 255 * 2 - 1, rtol=1e-6)


def test_repr(root):
    text = repr(datasets.ImageFolder(str(root), transforms.ToTensor()))
    assert text.splitlines() == [
        "Dataset ImageFolder",
        "    Number of datapoints: 3",
        f"    Root location: {root}",
        "    StandardTransform",
        "    Transform: ToTensor()",
    ]


def test_own_choice_of_files(root):
    chosen = datasets.ImageFolder(root, is_valid_file=lambda path: path.endswith("a.JPG"),
                                  allow_empty=True)  # fmt: skip
    assert chosen.targets == [0]
    texts = datasets.DatasetFolder(
        root, lambda path: Path(path).read_text(), extensions=(".txt",), allow_empty=True
    )
    assert texts[0] == ("no image", 0)


def test_a_class_without_images(root):
    (root / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="got none for empty"):
        datasets.ImageFolder(root)
    assert len(datasets.ImageFolder(root, allow_empty=True).classes) == 3


def test_no_classes(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder for each class"):
        datasets.ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        datasets.ImageFolder(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_a_bad_file_is_named(root, content):
    path = root / "dogs" / "c.bmp"
    path.write_bytes(path.read_bytes()[:40] if content is None else content)
    with pytest.raises(ImageFileError, match="dogs/c.bmp: expected a whole image"):
        datasets.ImageFolder(root)[2]


def test_transforms_exclude_each_other(root):
    with pytest.raises(ValueError, match="expected transforms, or transform"):
        datasets.VisionDataset(root, transforms=lambda x, y: (x, y), transform=abs)
