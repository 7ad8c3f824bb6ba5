"""The kernels as CUDA C++: nvcc and NVRTC compile them for what they are to run on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tallow.kernels.cuda import launch

FOLDER = Path(launch.__file__).parent
TEXT = launch.source("tiles.cuh", "philox.cuh", *(path.name for path in FOLDER.glob("*.cu")))
INDEX = launch.source("index.cu")
KINDS = [(real, TEXT) for real in launch.REALS.values()] + [("Int", INDEX)]
WANTED = (70, 80, 90)


ENTRY = re.compile(r"\.entry (\w+)\(")
BOUND = re.compile(r"\.entry (\w+)\([^{]*?\.maxntid (\d+)")
USED = re.compile(
    r"entry function '(\w+)' for '(\w+)'\n.*\n.* (\d+) bytes spill stores.*\n"
    r".*Used (\d+) registers(?:.*?(\d+) bytes smem)?"
)
# Kernels without `__launch_bounds__` of which no block has more than 256 threads; others may have
# as many as CUDA allows, 1024
OF_256 = {"binomial"}
# Bytes of a thread (of attend_by_key), for which the compiler has room for two blocks at once
SPILLED = 96


def architectures(supported):
    """Of those wanted what a compiler knows, or else the next newer one: CUDA 13 has no sm_70."""
    numbers = sorted(map(int, supported))
    return sorted({next(n for n in numbers if n >= wanted) for wanted in WANTED})


@pytest.mark.slow
@pytest.mark.parametrize(("real", "text"), KINDS, ids=[real for real, _ in KINDS])
def test_nvcc(real, text, tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not here")
    listed = subprocess.run([nvcc, "--list-gpu-arch"], capture_output=True, text=True, check=True)
    source, made = tmp_path / "kernels.cu", tmp_path / "kernels.fatbin"
    source.write_text(text)
    targets = [
        f"-gencode=arch=compute_{number},code=sm_{number}"
        for number in architectures(re.findall(r"compute_(\d+)\b", listed.stdout))
    ]
    command = [
        nvcc, "-std=c++17", f"-DReal={real}", *targets, "-Xptxas", "-v", "--keep", "--keep-dir",
        tmp_path, "-fatbin", source, "-o", made,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert made.stat().st_size
    ptx = "".join(path.read_text() for path in tmp_path.glob("*.ptx"))
    bounds = {name: int(threads) for name, threads in BOUND.findall(ptx)}
    used = USED.findall(done.stderr)
    assert len(used) == len(targets) * len(set(ENTRY.findall(ptx)))
    for name, where, spilled, registers, shared in used:
        threads = bounds.get(name, 256 if name in OF_256 else 1024)
        said = f"{name} of {real} on {where} uses"
        assert int(spilled) <= SPILLED, f"{said} local memory for {spilled} bytes of registers"
        assert int(registers) * threads <= 1 << 16, f"{said} {registers} registers"
        assert int(shared or 0) <= 48 << 10, f"{said} {shared} bytes of shared memory"


@pytest.mark.slow
@pytest.mark.parametrize(("real", "text"), KINDS, ids=[real for real, _ in KINDS])
def test_nvrtc(real, text):
    nvrtc = pytest.importorskip("cupy").cuda.nvrtc
    for number in architectures(nvrtc.getSupportedArchs()):
        program = nvrtc.createProgram(text, "kernels.cu", [], [])
        options = [f"-DReal={real}", "-std=c++17", f"--gpu-architecture=sm_{number}"]
        nvrtc.compileProgram(program, options)
        assert nvrtc.getCUBIN(program)
        nvrtc.destroyProgram(program)


def test_architectures():
    assert architectures(["75", "80", "90", "100"]) == [75, 80, 90]
    assert architectures([60, 70, 80, 86, 90]) == [70, 80, 90]
