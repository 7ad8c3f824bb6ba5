"""tensor.pyi shows the methods that Tensor has."""

import runpy
from pathlib import Path

STUBS = Path(__file__).resolve().parents[2] / "tools/stubs.py"


def test_the_stub_of_tensor_is_current():
    tool = runpy.run_path(str(STUBS))
    current = tool["STUB"].read_text() == tool["stub"]()
    assert current, "tensor.pyi is stale: `make stubs` (or `python tools/stubs.py`) writes it anew"
