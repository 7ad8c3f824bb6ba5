"""Networks for segmentation against what torchvision 0.28 gave for the same weights and image."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.errors import NotSupportedError
from tallowvision import models
from tallowvision.models import segmentation

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"vision_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases, generated = _load("segmentation_cases"), _load("generated")


@pytest.fixture
def undrawn(monkeypatch):
    """Weights stay as they are made: drawing those of large networks would take long."""
    for name in vars(nn.init).copy():
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.mark.parametrize("name", cases.NETWORKS)
def test_scores_are_torchvisions(name, undrawn):
    golden = np.load(GOLDEN / "segmentation.npz")
    found = cases.evaluate(name, tallow, segmentation, generated)
    assert [f"{name}.{key}" for key in found] == [k for k in golden.files if k.startswith(name)]
    for key, scores in found.items():
        expected = golden[f"{name}.{key}"]
        np.testing.assert_allclose(scores, expected, 1e-4, 1e-4 * np.abs(expected).max())


NETWORKS = json.loads((GOLDEN / "segmentation.json").read_text())


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dicts_are_torchvisions(name, undrawn):
    options = {} if name.startswith("lraspp") else {"aux_loss": True}
    model = models.get_model(name, weights=None, weights_backbone=None, **options)
    lines = [f"{key} {tuple(x.shape)}" for key, x in model.state_dict().items()]
    count = sum(x.numel() for x in model.parameters())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert [count, digest] == NETWORKS[name]


def test_two_losses_reach_all_weights():
    model = segmentation.deeplabv3_mobilenet_v3_large(
        weights_backbone=None, num_classes=2, aux_loss=True
    )
    scores = model(tallow.rand(2, 3, 64, 64))
    labels = tallow.randint(2, (2, 64, 64))
    sum(nn.functional.cross_entropy(x, labels) for x in scores.values()).backward()
    assert all(x.grad is not None for x in model.parameters())


def test_a_second_classifier_that_there_is_not():
    with pytest.raises(NotSupportedError, match="expected no aux_loss"):
        segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, aux_loss=True)
    with pytest.raises(ValueError, match="num_classes: expected 21"):
        segmentation.fcn_resnet50(weights="DEFAULT", num_classes=5)
