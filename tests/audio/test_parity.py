"""Functionals and transforms against what torchaudio 2.11 gave for the same calls (goldens)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowaudio import functional, transforms

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("audio_parity_cases", HERE / "parity_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)


@pytest.mark.parametrize(
    ("group", "number"),
    [
        pytest.param(group, number, id=case)
        for group, texts in cases.GROUPS.items()
        for number, case in enumerate(texts)
    ],
)
def test_as_torchaudio(group, number):
    golden = np.load(HERE / "golden" / f"{group}.npz")
    case = cases.GROUPS[group][number]
    assert golden["cases"][number] == case, "record the goldens anew: tools/goldens/audio.py"
    found, expected = cases.evaluate(case, tallow, transforms, functional), golden[str(number)]
    assert found.shape == expected.shape and found.dtype == expected.dtype
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected)
        return
    scale = np.abs(expected).max()
    if (
        "DB" in case or "FCC" in case
    ) and "slope" not in case:  # logarithms of what is small have few good digits
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-4 * scale)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=5e-6 * scale)
