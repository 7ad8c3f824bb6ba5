"""The operations against what torchvision 0.28 gave for the same calls (goldens)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowvision import ops

_spec = importlib.util.spec_from_file_location(
    "ops_parity_cases", Path(__file__).with_name("parity_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

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
    golden = np.load(GOLDEN / f"ops_{group}.npz")
    case = cases.GROUPS[group][number]
    assert golden[f"{number}.case"] == case, "record the goldens anew: tools/goldens/vision.py"
    results = cases.evaluate(group, case, tallow, ops)
    count = sum(key.startswith(f"{number}.") for key in golden.files) - 1
    assert len(results) == count
    for part, result in enumerate(results):
        expected = golden[f"{number}.{part}"]
        assert result.shape == expected.shape and result.dtype == expected.dtype
        exact = expected.dtype.kind != "f"
        close = {} if exact else {"rtol": 1e-4, "atol": 1e-5}
        if expected.dtype == np.float64:
            close = {"rtol": 1e-6, "atol": 1e-8}
        np.testing.assert_allclose(result, expected, **close)
