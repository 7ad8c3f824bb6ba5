"""The weights that come with the package: whole, small, described, and doing what they should."""

import hashlib
import json

import numpy as np
import pytest

import tallow
from tallowvision import models
from tallowvision.models._api import FOLDER, PACKAGED
from tallowvision.ops import box_iou

SHIPPED = {
    name: entry
    for enum in json.loads((FOLDER / "shipped.json").read_text()).values()
    for name, entry in [(enum["DEFAULT"], enum[enum["DEFAULT"]])]
}


@pytest.mark.parametrize("name", SHIPPED)
def test_files(name):
    entry = SHIPPED[name]
    path = FOLDER / entry["url"].removeprefix(PACKAGED)
    assert path.stat().st_size <= 3_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    card = (FOLDER / entry["card"]).read_text()
    for part in ("**File**", "terms**", "**Recipe**", "**Metric**", "python tools/", "**Limits**"):
        assert part in card
    assert f"{entry['num_params']:,} parameters" in card and entry["sha256"] in card


def test_lenet_digits():
    weights = models.LeNet_Digits_Weights.DEFAULT
    model = models.lenet_digits(weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    datasets = pytest.importorskip("sklearn.datasets")
    pixels, labels = datasets.load_digits(return_X_y=True)
    images = tallow.from_numpy(pixels).float().view(-1, 1, 8, 8) / 16
    found = model(weights.transforms()(images)).argmax(1)
    assert (found.numpy() == labels).mean() > 0.99


def blood_smear():
    """A picture of five red cells and a white one, as discs (3, 240, 320), and the red ones."""
    y, x = np.mgrid[:240, :320]

    def disc(down, across, radius, colour):
        nonlocal image
        inside = np.hypot(y - down, x - across) < radius
        image = np.where(inside, np.array(colour)[:, None, None], image)

    image = np.broadcast_to(np.array([0.8, 0.78, 0.74])[:, None, None], (3, 240, 320))
    cells = [(60, 60), (60, 160), (60, 260), (170, 60), (180, 270)]
    for down, across in cells:
        disc(down, across, 24, (0.75, 0.52, 0.5))
        disc(down, across, 8, (0.82, 0.6, 0.57))
    disc(165, 165, 46, (0.72, 0.68, 0.85))
    disc(160, 160, 28, (0.42, 0.3, 0.62))
    return tallow.from_numpy(image.astype(np.float32)), cells


def test_fcos_tiny():
    weights = models.get_weight("FCOS_Tiny_Weights.DEFAULT")
    model = models.detection.fcos_tiny(weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    picture, cells = blood_smear()
    with tallow.inference_mode():
        (found,) = model([picture])
    labels = [weights.meta["categories"][label] for label in found["labels"].tolist()]
    sure = labels[:6]
    assert sorted(sure) == ["RBC"] * 5 + ["WBC"] and (found["scores"][6:] < 0.5).all()
    for down, across in cells:
        box = tallow.tensor([[across - 24.0, down - 24, across + 24, down + 24]])
        assert box_iou(box, found["boxes"][:6]).max() > 0.5


@pytest.mark.parametrize("name, recorded, said", [
    ("ResNet20", [-1.113, -0.199, 2.025, 0.066, 0.696, -1.277, 3.498, -1.81, -2.012, 0.126],
     "frog"),
    ("MobileNet_Tiny", [-0.161, -1.848, 2.659, 0.359, 1.861, -2.666, 1.968, -2.259, 1.571, -1.566],
     "bird"),
])  # fmt: skip
def test_classifiers_of_cifar(name, recorded, said):
    """The scores of noise hold the weights and the preparation of pictures in place."""
    weights = models.get_weight(f"{name}_Weights.DEFAULT")
    model = models.get_model(name, weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    tallow.manual_seed(0)
    scores = model(weights.transforms()(tallow.rand(1, 3, 32, 32)))[0]
    assert scores.tolist() == pytest.approx(recorded, abs=0.01)
    assert weights.meta["categories"][scores.argmax()] == said


def test_unet_tiny():
    weights = models.get_weight("UNet_Tiny_Weights.DEFAULT")
    model = models.segmentation.unet_tiny(weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    y, x = np.mgrid[:64, :64]
    circle, square = np.hypot(y - 18, x - 18) < 11, np.maximum(abs(y - 44), abs(x - 44)) < 10
    truth = np.where(circle, 1, np.where(square, 2, 0))
    colours = np.array([[0.3, 0.35, 0.3], [0.8, 0.3, 0.2], [0.3, 0.4, 0.9]])
    noise = np.random.default_rng(0).normal(0, 0.05, (64, 64, 3))
    picture = tallow.from_numpy((colours[truth] + noise).clip(0, 1).astype(np.float32))
    inputs = weights.transforms()(picture.permute(2, 0, 1)[None])
    with tallow.inference_mode():
        found = model(inputs)["out"][0].argmax(0).numpy()
    assert (found == truth).mean() > 0.97


def test_r2plus1d_tiny():
    weights = models.get_weight("R2Plus1D_Tiny_Weights.DEFAULT")
    model = models.video.r2plus1d_tiny(weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    y, x = np.mgrid[:32, :32]
    noise = np.random.default_rng(0).normal(0, 0.04, (4, 8, 3, 32, 32))
    videos = 0.2 + noise
    for time in range(8):
        places = [(16, 11 + 1.3 * time, 6), (11 + 1.3 * time, 16, 6), (16, 16, 4 + time)]
        places.append((16, 16, 11 - time))
        for video, (down, across, radius) in zip(videos, places, strict=True):
            video[time][:, np.maximum(abs(y - down), abs(x - across)) < radius] += 0.6
    frames = tallow.from_numpy(videos.clip(0, 1).astype(np.float32))
    with tallow.inference_mode():
        found = model(weights.transforms()(frames)).argmax(1).tolist()
    names = [weights.meta["categories"][index] for index in found]
    assert names == ["moves right", "moves down", "grows", "shrinks"]
