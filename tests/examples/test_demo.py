"""The demo writes its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "demo" / "demo.py"


def test_report(tmp_path):
    for module in ("matplotlib", "sklearn", "tqdm"):
        pytest.importorskip(module)
    command = [sys.executable, "-W", "error:::tallow", DEMO, "--epochs", "1", "--out", tmp_path]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<h2>") == 5 and page.count("<img") == 3
    assert len(re.findall(r"<td>(?:positive|negative) \d+%", page)) == 10
    assert "ROMEO:" in page and "accuracy" in page
