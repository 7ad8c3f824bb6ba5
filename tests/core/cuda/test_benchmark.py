"""The benchmark of CUDA runs without a GPU, on the CPU at small sizes."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "cuda.py"


def run(*arguments):
    command = [sys.executable, BENCHMARK, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_case_runs():
    done = run("overhead: add", "--device", "cpu", "--small")
    assert not done.returncode, done.stderr
    assert "| (a) overhead: add | " in done.stdout and done.stdout.count("\n| ") == 2


def test_other_devices_are_refused():
    done = run("--device", "tpu")
    assert done.returncode == 2 and "invalid choice: 'tpu'" in done.stderr
