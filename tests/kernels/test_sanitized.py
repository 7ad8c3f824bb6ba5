"""The tests of this folder on kernels built with sanitizers: minutes, so in the slow group."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "sanitize.py"


@pytest.mark.slow
@pytest.mark.xdist_group("packaging")
@pytest.mark.skipif(
    not all(map(shutil.which, ("g++", "cmake"))) or find_spec("nanobind") is None,
    reason="needs GCC, CMake and nanobind",
)
def test_sanitized():
    run = subprocess.run([sys.executable, TOOL, "-q"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
