"""Models give what torchaudio's give, with the same weights under the same keys."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowaudio import models

_spec = importlib.util.spec_from_file_location("audio_models", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "models.npz")


@pytest.mark.parametrize("name", cases.CASES)
def test_models_give_what_torchaudio_gives(name):
    found = cases.evaluate(name, tallow, models)
    expected = [GOLDEN[f"{name}.{i}"] for i in range(len(found))]
    assert f"{name}.{len(found)}" not in GOLDEN
    for array, wanted in zip(found, expected, strict=True):
        assert array.shape == wanted.shape
        scale = np.abs(np.where(np.isfinite(wanted), wanted, 0)).max(initial=1)
        np.testing.assert_allclose(array, wanted, rtol=1e-4, atol=1e-4 * scale)
