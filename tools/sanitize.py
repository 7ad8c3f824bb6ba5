"""Build the compiled kernels with sanitizers, and run their tests under these.

    python tools/sanitize.py [arguments of pytest]

AddressSanitizer and UndefinedBehaviorSanitizer end the run at the first wrong access, overflow or
shift. The build stays in `build/sanitized`; what is installed is not touched. Needs GCC, CMake and
nanobind.
"""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "sanitized"
OPTIONS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"


def build():
    """The module, built anew where its source changed."""
    nanobind = subprocess.check_output([sys.executable, "-m", "nanobind", "--cmake_dir"], text=True)
    settings = {
        "CMAKE_BUILD_TYPE": "Debug", "CMAKE_CXX_FLAGS": OPTIONS, "nanobind_ROOT": nanobind.strip(),
        "Python_EXECUTABLE": sys.executable, "KERNEL_OPTIMIZATION": "-O1",
    }  # fmt: skip
    given = [f"-D{name}={value}" for name, value in settings.items()]
    source = ROOT / "packages" / "kernels"
    subprocess.run(["cmake", "-S", source, "-B", BUILD, *given], check=True)
    subprocess.run(["cmake", "--build", BUILD, "--parallel", str(os.cpu_count())], check=True)


def run_again():
    """This program in a process into which the sanitizers are loaded before Python."""
    names = ("libasan.so", "libubsan.so", "libstdc++.so")
    found = [subprocess.check_output(["g++", f"-print-file-name={n}"], text=True) for n in names]
    where = {"LD_PRELOAD": " ".join(path.strip() for path in found), "OMP_NUM_THREADS": "1"}
    how = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    command = [sys.executable, __file__, *sys.argv[1:]]
    return subprocess.run(command, env=os.environ | where | how).returncode


def test(arguments):
    """The tests of the kernels with the sanitized module in the place of the installed one.

    Arrays come from malloc there, so the tests of the kernels' own memory are left out.
    """
    import pytest

    (path,) = BUILD.glob("_compiled.*.so")
    spec = spec_from_file_location("tallow_kernels._compiled", path)
    compiled = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(compiled)
    tests = ROOT / "tests" / "kernels"
    quick = ["-m", "not slow"]  # the slow test is this program
    return pytest.main([str(tests), f"--ignore={tests / 'test_memory.py'}", *quick, *arguments])


if __name__ == "__main__":
    if "LD_PRELOAD" in os.environ:
        sys.exit(test(sys.argv[1:]))
    build()
    sys.exit(run_again())
