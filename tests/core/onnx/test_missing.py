"""Without the onnx package, both say what to install."""

import sys

import pytest

import tallow
from tallow.onnx import export, load


def test_the_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"expected the onnx package.*tallow\[onnx\]"):
        load(tmp_path / "model.onnx")
    with pytest.raises(ImportError, match=r"expected the onnx package.*tallow\[onnx\]"):
        export(tallow.nn.ReLU(), tallow.ones(2), tmp_path / "model.onnx")
