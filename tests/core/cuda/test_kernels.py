"""The CUDA kernels, run on the processor: each operation's cases, on the stand-in's arrays."""

import runpy
from pathlib import Path

import pytest

from tallow.kernels.cuda import registered  # noqa: F401 - registers the kernels
from tallow.testing.checks import Check, device, kernel

FILES = sorted((Path(__file__).parent.parent / "ops").glob("test_*.py"))
CASES = [case for file in FILES for case in runpy.run_path(str(file)).get("CASES", ())]
CHECKS = [
    Check(kind, case, ("standin",))
    for case in CASES
    if "cuda" in case.op.special
    for kind in (kernel, device)
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_op(check, emulated):
    check()
