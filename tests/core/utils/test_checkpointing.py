"""CheckpointManager: what it keeps, and that nothing is lost whenever the writer ends."""

import errno
import json
import os
import random
import resource
import signal
import subprocess
import time

import pytest

import tallow
from tallow.errors import CheckpointError
from tallow.utils.checkpointing import CheckpointManager


def fill(manager, metrics):
    for step, metric in enumerate(metrics):
        manager.save({"step": step}, step, metric)


@pytest.mark.parametrize(
    "keep, better, metrics, steps, best",
    [
        (1, "higher", [None] * 4, [3], None),
        (2, "higher", [1, 9, 3, 4], [1, 2, 3], 1),
        (2, "lower", [1, 9, 3, 4], [0, 2, 3], 0),
        (3, "higher", [1, 2, 3, 4], [1, 2, 3], 3),
        (2, "higher", [5, None, None, None], [0, 2, 3], 0),
    ],
)
def test_what_is_kept(tmp_path, keep, better, metrics, steps, best):
    manager = CheckpointManager(tmp_path, keep, better)
    fill(manager, metrics)
    again = CheckpointManager(str(tmp_path), keep, better)
    for each in (manager, again):
        assert each.steps() == steps
        assert each.load()["step"] == 3
        assert each.load_best() == (None if best is None else {"step": best})
    assert len(list(tmp_path.glob("*.pt"))) == len(steps)


def test_steps_that_are_saved_again_or_later(tmp_path):
    manager = CheckpointManager(tmp_path)
    manager.save("old", 5)
    manager.save("new", 5)
    manager.save("before", 4)
    assert manager.steps() == [4, 5] and manager.load() == "new" and manager.load(4) == "before"


def test_nothing_there(tmp_path):
    manager = CheckpointManager(tmp_path / "none")
    assert manager.steps() == [] and manager.load() is None and manager.load_best() is None
    with pytest.raises(CheckpointError, match="a checkpoint of step 3"):
        manager.load(3)


@pytest.mark.parametrize("options", [dict(keep=0), dict(better="best")])
def test_arguments(tmp_path, options):
    with pytest.raises(ValueError, match="expected keep of 1 or more and better"):
        CheckpointManager(tmp_path, **options)


def test_a_damaged_file_is_passed_over(tmp_path):
    manager = CheckpointManager(tmp_path)
    fill(manager, [None] * 3)
    path = manager.save({"weight": tallow.zeros(100)}, 3)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="step-0000000003.pt: expected the file that was saved"):
        assert manager.load() == {"step": 2}
    with pytest.warns(UserWarning), pytest.raises(CheckpointError, match="got none"):
        manager.load(3)


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", '{"checkpoints": [{}]}'])
def test_a_damaged_manifest(tmp_path, content):
    manager = CheckpointManager(tmp_path)
    fill(manager, [None] * 4)
    (tmp_path / "manifest.json").unlink()
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert manager.steps() == [1, 2, 3] and manager.load() == {"step": 3}
    manager.save({"step": 4}, 4)
    assert manager.steps() == [2, 3, 4]
    assert len(json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]) == 3


def in_child(job):
    """Run a function in a process of its own; returns its number."""
    child = os.fork()
    if child == 0:
        try:
            job()
        finally:
            os._exit(0)
    return child


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment(tmp_path):
    """After 200 kills there was never a moment without a whole checkpoint, nor a step back."""
    manager = CheckpointManager(tmp_path, keep=2)
    manager.save({"step": 0, "weight": tallow.zeros(5000)}, 0)
    draw = random.Random(1)

    def write():
        step = manager.steps()[-1]
        while True:
            step += 1
            manager.save({"step": step, "weight": tallow.full((5000,), float(step))}, step)

    last = 0
    for _ in range(200):
        child = in_child(write)
        time.sleep(draw.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        state = manager.load()
        assert state["step"] >= last and (state["weight"] == state["step"]).all()
        last = state["step"]
    assert last > 0  # some were written between the kills
    manager.save({"step": last + 1}, last + 1)
    assert list(tmp_path.glob("*.tmp")) == [] and len(list(tmp_path.glob("*.pt"))) == 2


@pytest.mark.parametrize("room", [0, 100, 20_000, 300_000])
def test_a_full_disk(tmp_path, room):
    manager = CheckpointManager(tmp_path)
    manager.save({"step": 0}, 0)
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            manager.save({"weight": tallow.zeros(100_000)}, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert sorted(tmp_path.iterdir()) == before and manager.load() == {"step": 0}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte, where this process may mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("count", [240_000, 1_000_000])
def test_a_disk_that_is_really_full(small_disk, count):
    """With a first checkpoint on it, it has no room for the second."""
    manager = CheckpointManager(small_disk)
    manager.save({"step": 0, "weight": tallow.zeros(60_000)}, 0)
    before = sorted(small_disk.iterdir())
    with pytest.raises(OSError) as caught:
        manager.save({"weight": tallow.zeros(count)}, 1)
    assert caught.value.errno == errno.ENOSPC
    assert sorted(small_disk.iterdir()) == before and manager.load()["step"] == 0
