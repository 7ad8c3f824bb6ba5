"""The demo writes its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tallowaudio

DEMO = Path(__file__).parents[2] / "examples" / "demo" / "demo.py"


def run(*arguments):
    """The finished process of the demo, which must warn of nothing; one epoch for the digits."""
    for module in ("matplotlib", "sklearn", "tqdm"):
        pytest.importorskip(module)
    done = subprocess.run(
        [sys.executable, "-W", "error:::tallow", DEMO, "--epochs", "1", *arguments],
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr  # progress


def test_report(tmp_path):
    run("--out", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<h2>") == 7 and page.count("<img") == 12 and page.count("<audio") == 3
    for kind in ("airplane", "automobile", "bird", "frog", "ship", "truck"):
        assert re.search(rf'alt="{kind}"[^>]*><figcaption><b>{kind} \d+%', page)
    assert re.search(r"\d+ RBC</b>.*>\d Platelets</b>.*>1 WBC</b>", page)
    assert len(re.findall(r"<b class=(?:positive|negative)>", page)) == 10
    assert page.count("class=right") == 3 and "class=wrong" not in page
    assert "heard: <b class=right>31415926</b>" in page
    assert "ROMEO:" in page and "accuracy" in page


def test_files_of_ones_own(tmp_path):
    image = pytest.importorskip("PIL.Image").new("RGB", (70, 50), "green")
    image.save(tmp_path / "green.png")
    wave = tallowaudio.datasets.SyntheticDigits()[7][0]
    tallowaudio.save(tmp_path / "seven.wav", wave, 8000)
    files = ["--pictures", tmp_path / "green.png", "--smears", tmp_path / "green.png"]
    run(*files, "--recordings", tmp_path / "seven.wav", "--out", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 5 and page.count('alt="green.png"') == 2
    assert "<figcaption>none</figcaption>" in page and "heard: <b>7</b>" in page
