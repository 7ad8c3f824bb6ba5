"""Two machines, simulated: network namespaces that only a wire between them joins."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs.py")
# What mpiexec calls in place of ssh: options, a machine's address, a command.
REACH = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
machine=$1
shift
exec ip netns exec NAME${machine##*.} sh -c "$*"
"""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def machines(tmp_path):
    """Run a program with one process on each of two machines."""
    pytest.importorskip("mpi4py")
    if "TALLOW_TEST_HOSTS" not in os.environ:
        pytest.skip("TALLOW_TEST_HOSTS is not set: UCX takes a device that leads nowhere at times")
    name = f"tallow{os.getpid()}-"
    if shutil.which("ip") is None:
        pytest.skip("no ip command here, so no network namespaces")
    try:
        for i in "12":
            ip("netns", "add", name + i)
        peer = ["peer", "name", "wire", "netns", name + "2"]
        ip("-n", name + "1", "link", "add", "wire", "type", "veth", *peer)
        for i in "12":
            ip("-n", name + i, "addr", "add", f"10.77.0.{i}/24", "dev", "wire")
            ip("-n", name + i, "link", "set", "wire", "up")
            ip("-n", name + i, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        _remove(name)
        pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
    reach, hosts = tmp_path / "reach", tmp_path / "hosts"
    reach.write_text(REACH.replace("NAME", name))
    reach.chmod(0o755)
    hosts.write_text("10.77.0.1:1\n10.77.0.2:1\n")

    def run(*arguments):
        command = [
            "ip", "netns", "exec", name + "1", sys.executable, "-m", "tallow.distributed.run",
            "-n", "2", "--hosts", hosts, f"--mpiexec=-launcher ssh -launcher-exec {reach}",
            PROGRAMS, *arguments,
        ]  # fmt: skip
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "UCX_TLS": "tcp"},
        )  # fmt: skip

    run.sent = lambda: int(_statistic(name + "1", "tx_bytes"))
    yield run
    _remove(name)


def _statistic(machine, name):
    command = ["ip", "netns", "exec", machine, "cat", f"/sys/class/net/wire/statistics/{name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _remove(name):
    for i in "12":
        inside = subprocess.run(["ip", "netns", "pids", name + i], capture_output=True, text=True)
        for pid in map(int, inside.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", name + i], capture_output=True)


def test_tensors_cross_the_wire_between_machines(machines):
    done = machines("machines")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(done.stdout.split()) == [
        "0:0/1:3.0",
        "1:0/1:3.0",
    ]  # each the first of its machine
    assert machines.sent() > 4_000_000


def test_a_process_killed_on_another_machine_ends_the_job(machines):
    done = machines("killed")
    assert done.returncode != 0
    assert "[rank 1] killed by SIGKILL" in done.stderr
