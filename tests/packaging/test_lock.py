"""uv.lock names no package index, and is current."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "uv.lock"


def test_the_lock_names_no_index():
    assert "://" not in LOCK.read_text()


def test_addresses_are_rewritten():
    without_index = runpy.run_path(str(ROOT / "tools/lock.py"))["without_index"]
    index = "https://example.org"
    made = f"""
source = {{ registry = "{index}" }}
sdist = {{ url = "{index}/packages/ab/cd/numpy-2.0.0.tar.gz", hash = "sha256:ab" }}
wheels = [
    {{ url = "{index}/packages/numpy-2.0.0-py3-none-any.whl", hash = "sha256:cd" }},
]
"""
    assert (
        without_index(made)
        == """
source = { registry = "wheels" }
sdist = { path = "numpy-2.0.0.tar.gz", hash = "sha256:ab" }
wheels = [
    { path = "numpy-2.0.0-py3-none-any.whl", hash = "sha256:cd" },
]
"""
    )


@pytest.mark.xdist_group("packaging")
def test_the_lock_is_current(uv):
    uv("lock --check --offline")
