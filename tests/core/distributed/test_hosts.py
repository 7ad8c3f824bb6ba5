"""Two machines, simulated: network namespaces that only a wire between them joins."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
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
    until = time.monotonic() + 10
    while any(_about_wire(name + i, "operstate") != "up" for i in "12"):  # seconds after "set up"
        assert time.monotonic() < until
        time.sleep(0.05)
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

    run.sent = lambda: int(_about_wire(name + "1", "statistics/tx_bytes"))
    yield run
    _remove(name)


def _about_wire(machine, what):
    command = ["ip", "netns", "exec", machine, "cat", f"/sys/class/net/wire/{what}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


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


@pytest.mark.parametrize(
    "program, said",
    [
        ("killed", "[rank 1] killed by SIGKILL"),
        ("exits", "[rank 1] ended with exit status 3"),
        ("fails", "[rank 1] ValueError: the second process is unhappy"),
    ],
)
def test_a_process_that_fails_on_another_machine_ends_the_job(machines, program, said):
    start = time.monotonic()
    done = machines(program)
    assert done.returncode != 0
    assert time.monotonic() - start < 60  # nobody waits for the minute that programs have
    assert said in done.stderr
