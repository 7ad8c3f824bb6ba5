"""Builds every package and installs into clean environments, from the folder wheels/ alone."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "wheels"
OFFLINE = ("--no-index", "--find-links", WHEELS)


@pytest.fixture(scope="session")
def uv():
    """Runs uv: `uv("pip install", *arguments)` returns what it printed."""
    places = [ROOT / ".tools/bin", Path(sys.executable).parent, os.environ["PATH"]]
    program = shutil.which("uv", path=os.pathsep.join(map(str, places)))
    assert program and any(WHEELS.glob("*.whl")), "`make env` prepares what these tests need"

    def run(command, *arguments, **environment):
        command = [program, *command.split(), *map(str, arguments)]
        environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never"} | environment
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def build(uv):
    """Builds the wheel of a package into a folder."""

    def build(package, folder, **environment):
        source = ROOT / "packages" / package
        uv(
            "build --wheel --python",
            sys.executable,
            "--out-dir",
            folder,
            source,
            *OFFLINE,
            **environment,
        )

    return build


def fingerprint(folder):
    """What changes when a file in the folder, or Python, does."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()[:16]


@pytest.fixture(scope="session")
def built(build, tmp_path_factory, pytestconfig):
    """The folder with a wheel of every package; that of the kernels takes long, and is kept."""
    folder = tmp_path_factory.mktemp("built")
    for package in ("core", "vision", "text", "audio"):
        build(package, folder)
    kept = pytestconfig.cache.mkdir("kernels") / fingerprint(ROOT / "packages/kernels")
    if not any(kept.glob("*.whl")):
        build("kernels", kept)
    return shutil.copytree(kept, folder, dirs_exist_ok=True)


@pytest.fixture
def installed(uv, built, tmp_path):
    """Installs a distribution into an environment of its own: its Python, and all that is in it."""

    def install(distribution):
        environment = tmp_path / "environment"
        uv("venv --python", sys.executable, environment)
        python = environment / "bin/python"
        uv("pip install --python", python, distribution, "--find-links", built, *OFFLINE)
        listed = uv("pip freeze --python", python)
        return python, {line.partition("==")[0].partition(" ")[0] for line in listed.split("\n")}

    return install
