"""The kernels as CUDA C++: nvcc or NVRTC compile them for what they are to run on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tallow.kernels.cuda import launch

FILES = sorted(path.name for path in Path(launch.__file__).parent.glob("*.cu"))
WANTED = (70, 80, 90)


def architectures(supported):
    """Of those wanted what a compiler knows, or else the next newer one: CUDA 13 has no sm_70."""
    numbers = sorted(map(int, supported))
    return sorted({next(n for n in numbers if n >= wanted) for wanted in WANTED})


@pytest.mark.slow
@pytest.mark.parametrize("real", launch.REALS.values())
@pytest.mark.parametrize("file", FILES)
def test_nvcc(file, real, tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not here")
    known = subprocess.run([nvcc, "--list-gpu-arch"], capture_output=True, text=True, check=True)
    path = tmp_path / file
    path.write_text(launch.source(file))
    for number in architectures(re.findall(r"compute_(\d+)\b", known.stdout)):
        made = tmp_path / "kernels.cubin"
        command = [nvcc, "-std=c++17", f"-DReal={real}", f"-arch=sm_{number}", "-cubin"]
        done = subprocess.run([*command, path, "-o", made], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        assert made.stat().st_size


@pytest.mark.parametrize("real", launch.REALS.values())
@pytest.mark.parametrize("file", FILES)
def test_nvrtc(file, real):
    nvrtc = pytest.importorskip("cupy").cuda.nvrtc
    for number in architectures(nvrtc.getSupportedArchs()):
        program = nvrtc.createProgram(launch.source(file), file, [], [])
        options = [f"-DReal={real}", "-std=c++17", f"--gpu-architecture=sm_{number}"]
        nvrtc.compileProgram(program, options)
        assert nvrtc.getCUBIN(program)
        nvrtc.destroyProgram(program)


def test_architectures():
    assert architectures(["75", "80", "90", "100"]) == [75, 80, 90]
    assert architectures([60, 70, 80, 86, 90]) == [70, 80, 90]
