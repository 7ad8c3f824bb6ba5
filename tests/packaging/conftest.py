"""Builds every package and installs into clean environments, from the folder wheels/ alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "wheels"


@pytest.fixture(scope="session")
def uv():
    """Runs uv without an index: `uv("build", ...)` returns what it printed."""
    places = [ROOT / ".tools/bin", Path(sys.executable).parent, os.environ["PATH"]]
    program = shutil.which("uv", path=os.pathsep.join(map(str, places)))
    assert program and any(WHEELS.glob("*.whl")), "`make env` prepares what these tests need"

    def run(*arguments, **environment):
        offline = ("--no-index", "--find-links", WHEELS)
        command = [program, *arguments, *(() if arguments[0] == "venv" else offline)]
        done = subprocess.run(
            list(map(str, command)), cwd=ROOT, capture_output=True, text=True,
            env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"} | environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def built(uv, tmp_path_factory):
    """The folder with a wheel of every package."""
    folder = tmp_path_factory.mktemp("built")
    for package in sorted((ROOT / "packages").iterdir()):
        uv("build", "--wheel", "--out-dir", folder, package)
    return folder


@pytest.fixture
def installed(uv, built, tmp_path):
    """Installs a distribution into an environment of its own: its Python, and all that is in it."""

    def install(distribution):
        environment = tmp_path / "environment"
        uv("venv", "--python", sys.executable, environment)
        python = environment / "bin/python"
        uv("pip", "install", "--python", python, "--find-links", built, distribution)
        listed = uv("pip", "freeze", "--python", python)
        return python, {line.partition("==")[0].partition(" ")[0] for line in listed.split("\n")}

    return install
