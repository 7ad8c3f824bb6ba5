"""The networks against what torchvision 0.28 gave for the same weights (goldens)."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow import nn
from tallowvision import models

_spec = importlib.util.spec_from_file_location(
    "model_parity_cases", Path(__file__).with_name("parity_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

GOLDEN = Path(__file__).with_name("golden")
SIGNATURES = json.loads((GOLDEN / "signatures.json").read_text())


@pytest.fixture(scope="module")
def outputs():
    return np.load(GOLDEN / "outputs.npz")


@pytest.fixture
def blank(monkeypatch):
    """Networks whose weights are not drawn: memory that is not written to costs nothing."""
    for name in vars(nn.init):
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.mark.parametrize("name", cases.CASES)
def test_as_torchvision(name, outputs, blank):
    message = "record the goldens anew: tools/goldens/vision_models.py"
    assert outputs[f"{name}.case"] == str(cases.CASES[name]), message
    output, gradient = cases.evaluate(name, tallow, models)
    expected = outputs[f"{name}.output"]
    assert output.shape == expected.shape
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    expected = outputs[f"{name}.gradient"]
    # Near ties of maxima, and signs before ReLU, fall either way: equal all but few of them.
    assert np.linalg.norm(gradient - expected) <= 0.02 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", cases.SEEDED)
def test_the_same_seed_draws_the_same_weights(name, outputs):
    found = cases.drawn(name, tallow, models)
    np.testing.assert_allclose(found, outputs[f"{name}.drawn"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SIGNATURES)
def test_keys_shapes_and_number_of_parameters(name, blank):
    model = models.get_model(name)
    assert cases.signature(model) == SIGNATURES[name]
    known = models.get_model_weights(name).DEFAULT.meta["num_params"]
    assert known == SIGNATURES[name][0] or name in ("googlenet", "inception_v3", "vit_h_14")
