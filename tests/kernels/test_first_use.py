"""What the first lines of a program meet, before any operation has loaded the kernels."""

import subprocess
import sys

import pytest

tallow_kernels = pytest.importorskip("tallow_kernels")
pytestmark = pytest.mark.skipif(
    tallow_kernels.compiled is None, reason="tallow-kernels was built without a compiler"
)


def printed_by(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_the_first_arrays_lie_in_the_kernels_memory():
    program = """
import tallow
layer = tallow.nn.Linear(512, 512)
print(tallow.backends.cpu.memory_stats()["allocated_bytes.all.current"] >= 512 * 512 * 4)
"""
    assert printed_by(program) == "True"


def test_an_optimizer_finds_its_kernel_before_any_operation_ran():
    program = """
import tallow
from tallow.kernels import updates

p = tallow.nn.Parameter(tallow.ones(3))
p.grad = tallow.ones(3)
kernels = []
find = updates.kernel_of
updates.kernel_of = lambda *call: kernels.append(find(*call)) or kernels[-1]
tallow.optim.Adam([p]).step()
print([kernel is not None for kernel in kernels])
"""
    assert printed_by(program) == "[True]"
