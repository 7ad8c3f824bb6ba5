"""The weights that come with the package: whole, small, described, and doing what they should."""

import hashlib
import json

import pytest

import tallow
from tallowvision import models
from tallowvision.models._api import FOLDER, PACKAGED

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
    assert f"{entry['num_params']:,} parameters" in card


def test_lenet_digits():
    weights = models.LeNet_Digits_Weights.DEFAULT
    model = models.lenet_digits(weights=weights).eval()
    assert sum(p.numel() for p in model.parameters()) == weights.meta["num_params"]
    datasets = pytest.importorskip("sklearn.datasets")
    pixels, labels = datasets.load_digits(return_X_y=True)
    images = tallow.from_numpy(pixels).float().view(-1, 1, 8, 8) / 16
    found = model(weights.transforms()(images)).argmax(1)
    assert (found.numpy() == labels).mean() > 0.99
