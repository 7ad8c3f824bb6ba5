"""Detectors against what torchvision 0.28 gave for the same weights and images; bad targets."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow import nn
from tallowvision import models, ops
from tallowvision.models import detection

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"vision_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases, generated = _load("detection_cases"), _load("generated")


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_losses_gradients_and_detections_are_torchvisions(case):
    golden = np.load(GOLDEN / "detection.npz")
    model = generated.load(case(tallow, detection, ops), tallow, cases.tempered)
    found = cases.evaluate(model, tallow)
    prefix = f"{case.__name__}."
    names = [name.removeprefix(prefix) for name in golden.files if name.startswith(prefix)]
    assert sorted(found) == sorted(names)
    for name, array in found.items():
        expected = golden[prefix + name]
        assert array.dtype == expected.dtype and array.shape == expected.shape
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(array, expected, 1e-4, 1e-4 * scale, err_msg=name)


@pytest.fixture
def undrawn(monkeypatch):
    """Weights stay as they are made: drawing those of large networks would take long."""
    for name in vars(nn.init).copy():
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


NETWORKS = json.loads((GOLDEN / "detection.json").read_text())


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dicts_are_torchvisions(name, undrawn):
    model = models.get_model(name, weights=None, weights_backbone=None)
    lines = [f"{key} {tuple(x.shape)}" for key, x in model.state_dict().items()]
    count = sum(x.numel() for x in model.parameters())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert [count, digest] == NETWORKS[name]
