"""The transforms against what torchvision 0.28 gave for the same calls and seeds (goldens)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowvision import io, tv_tensors, utils
from tallowvision.transforms import v2

_spec = importlib.util.spec_from_file_location(
    "parity_cases", Path(__file__).with_name("parity_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

# lines without a slope are met where turned boxes are cut; NumPy warns, which tallow silences
pytestmark = pytest.mark.filterwarnings(
    "ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning"
)
INEXACT = (
    "esize", "adjust_", "blur", "Blur", "Jitter", "Photometric", "Sharpness", "decode_png", "Aug",
)  # fmt: skip
GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    ("group", "number"),
    [
        pytest.param(group, number, id=f"{group}-{case}")
        for group, texts in cases.GROUPS.items()
        for number, case in enumerate(texts)
    ],
)
def test_as_torchvision(group, number):
    golden = np.load(GOLDEN / f"transforms_{group}.npz")
    case = cases.GROUPS[group][number]
    assert golden[f"{number}.case"] == case, "record the goldens anew: tools/goldens/vision.py"
    results = cases.evaluate(group, case, tallow, v2, tv_tensors, utils, io)
    expected = sorted(
        (int(key.partition(".")[2]), key)
        for key in golden.files
        if key.startswith(f"{number}.") and not key.endswith("case")
    )
    assert len(results) == len(expected)
    for result, (_, key) in zip(results, expected, strict=True):
        compare(result, golden[key], case)


def compare(result, expected, case):
    """Equal; computed pixels may differ by a level, or by a few of the last places of float32."""
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=3e-6)
    elif any(name in case for name in INEXACT) and expected.dtype.kind in "iu":
        levels = 2 if "Aug" in case else 1  # contrast after another change makes two of one
        assert np.abs(result.astype(int) - expected.astype(int)).max() <= levels
    else:
        np.testing.assert_array_equal(result, expected)
