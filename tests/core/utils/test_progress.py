"""Progress bars: silent unless there is a terminal, with tqdm or without."""

import io
import sys

import pytest

from tallow.utils import progress as module
from tallow.utils.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_silent_without_a_terminal(monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    bar = progress([3, 4], "reading")
    assert list(bar) == [3, 4] and len(bar) == 2
    assert stderr.getvalue() == ""


def test_plain(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "PAUSE", 0)
    bar = progress(range(3), "training", unit="epoch")
    for n in bar:
        bar.set_postfix(loss=f"{1 / (n + 1):.2f}")
    lines = sys.stderr.getvalue().split("\r")
    assert lines[1] == "training 1/3 epoch loss=1.00\x1b[K"
    assert lines[-1] == "training 3/3 epoch loss=0.33\x1b[K\n"


def test_plain_counts_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with progress(desc="a", total=5_000_000, initial=1_000_000, unit="B") as bar:
        bar.set_description("file")
        bar.update(2_000_000)
    assert "file 3/5 MB" in sys.stderr.getvalue()


def test_tqdm(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress(range(3), "training")) == [0, 1, 2]
    assert "training: 100%" in sys.stderr.getvalue()
