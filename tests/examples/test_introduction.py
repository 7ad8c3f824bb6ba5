"""The introduction prints the losses that PyTorch prints from the same seed."""

import re
import runpy
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "examples" / "introduction.py"

# PyTorch 2.13 on the CPU, rounded.
LOSSES = """
    2.3112 2.30299 2.29491 2.28689 2.27893 2.27106 2.26327 2.25553 2.24784 2.24023 2.23264 2.22516
    2.21778 2.21048 2.20322 2.19602 2.18884 2.18173 2.17466 2.16764 2.16064 2.15366 2.14677 2.13984
    2.13293
"""


def test_losses_are_those_of_pytorch(capsys):
    runpy.run_path(str(PROGRAM))
    printed = re.findall(r"Epoch +(\d+)  loss (\S+)", capsys.readouterr().out)
    assert [int(epoch) for epoch, _ in printed] == list(range(1, 26))
    expected = [float(loss) for loss in LOSSES.split()]
    assert [float(loss) for _, loss in printed] == pytest.approx(expected, abs=1e-4)
