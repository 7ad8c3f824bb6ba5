"""Several processes: collectives, data-parallel training, and what happens when one fails."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.utils.data import DistributedSampler

PROGRAMS = Path(__file__).with_name("programs.py")


def run(processes, *arguments, **environment):
    """The finished launch of a program in several processes."""
    pytest.importorskip("mpi4py")
    command = [sys.executable, "-m", "tallow.distributed.run", "-n", str(processes)]
    return subprocess.run(
        [*command, str(PROGRAMS), *arguments], capture_output=True, text=True, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


def output(processes, *arguments, **environment):
    done = run(processes, *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("processes", [1, 3])
def test_collectives(processes):
    output(processes, "collectives", TALLOW_DISTRIBUTED_DEBUG="1")


def test_training_gives_the_weights_of_one_process():
    one = json.loads(output(1, "training", "plain"))["weights"]
    two = [json.loads(output(2, "training", "plain")) for _ in range(5)]
    assert len({run["sha256"] for run in two}) == 1
    np.testing.assert_allclose(two[0]["weights"], one, atol=1e-5)
    shared = json.loads(output(3, "training", "zero"))["weights"]
    np.testing.assert_allclose(shared, one, atol=1e-5)


def test_gradients_rounded_on_their_way():
    exact, rounded = (json.loads(output(n, "training", "bf16"))["weights"] for n in (1, 3))
    np.testing.assert_allclose(rounded, exact, rtol=0.02, atol=1e-3)
    assert rounded != exact


@pytest.mark.parametrize("processes", [1, 2])
def test_unused_parameters_and_accumulation(processes):
    output(processes, "unused")


@pytest.mark.parametrize(
    "program, said",
    [
        ("fails", ["[rank 1] ValueError: the second process is unhappy", "programs.py"]),
        ("killed", ["[rank 1] killed by SIGKILL"]),
        ("exits", ["[rank 1] ended with exit status 3"]),
        ("differs", ["expected the same call in all processes", "float32 (2,)", "float32 (3,)"]),
        ("stuck", ["within 1 s", "rank 0: all_reduce", "rank 1: nothing yet"]),
    ],
)
def test_a_failing_process_ends_the_job(program, said):
    start = time.monotonic()
    done = run(2, program, TALLOW_DISTRIBUTED_DEBUG="1" if program == "differs" else "")
    assert done.returncode != 0
    assert time.monotonic() - start < 60  # nobody waits for the minute that programs have
    for part in said:
        assert part in done.stderr


def test_names_without_a_process_group():
    assert not tallow.distributed.is_initialized()
    for call in (tallow.distributed.get_rank, lambda: DistributedSampler(range(3))):
        with pytest.raises(RuntimeError, match="call init_process_group first"):
            call()
    with pytest.raises(ValueError, match="expected auto, gloo"):
        tallow.distributed.init_process_group("smoke")


@pytest.mark.parametrize("drop_last", [False, True])
def test_another_number_of_processes_goes_on_with_the_next_sample(drop_last):
    def order(replicas, start, count):
        shares = []
        for rank in range(replicas):
            sampler = DistributedSampler(range(40), replicas, rank, seed=3, drop_last=drop_last)
            sampler.set_epoch(2, start)
            shares.append(list(sampler)[:count])
            assert len(sampler) == len(list(sampler))
        return [index for step in zip(*shares, strict=True) for index in step]

    whole = order(1, 0, 40)
    assert order(4, 0, 5) + order(2, 20, 10) == whole
    assert order(4, 0, 5) + order(3, 20, 7)[:20] == whole or drop_last
