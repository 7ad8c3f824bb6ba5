"""The distributed example: two processes have the losses of one, and go on where one stopped."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "distributed"
EXAMPLE = EXAMPLES / "train.py"


def losses(processes, out, *arguments):
    for module in ("mpi4py", "matplotlib", "sklearn", "tqdm"):
        pytest.importorskip(module)
    command = [sys.executable, "-m", "tallow.distributed.run", "-n", str(processes), EXAMPLE]
    done = subprocess.run(
        [*command, "--out", str(out), "--batch-size", "240", *arguments], timeout=120,
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"accuracy [\d.]+% on 359 held-out pictures", done.stdout)
    assert (out / "curves.png").stat().st_size > 5000
    return [float(value) for value in re.search("losses (.*)", done.stdout)[1].split()]


def test_processes_have_the_losses_of_one(tmp_path):
    one = losses(1, tmp_path / "one", "--epochs", "2")
    two = losses(2, tmp_path / "two", "--epochs", "1")
    assert two == pytest.approx(one[:1], abs=2e-5)
    assert losses(3, tmp_path / "two", "--epochs", "2", "--resume") == pytest.approx(one, abs=2e-4)


@pytest.mark.slow
def test_processes_on_the_machines_of_a_cluster(tmp_path):
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        command = [sys.executable, EXAMPLES / "on_ray.py", "-n", "2", "--address", cluster.address]
        done = subprocess.run(
            [*command, EXAMPLE, "--epochs", "1", "--out", tmp_path], timeout=300,
            capture_output=True, text=True,
        )  # fmt: skip
    finally:
        cluster.shutdown()
    assert done.returncode == 0, done.stderr
    assert "held-out pictures, 2 processes" in done.stdout
