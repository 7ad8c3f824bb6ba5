"""The kernels as CUDA C++: nvcc and NVRTC compile them for what they are to run on."""

import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tallow.kernels import updates
from tallow.kernels.chain import ARRAY, Number
from tallow.kernels.cuda import chains, launch, optimizers
from tallow.optim import adadelta, adagrad, adam, adamax, asgd, nadam, radam, rmsprop, rprop, sgd

FOLDER = Path(launch.__file__).parent
TEXT = launch.source("tiles.cuh", "philox.cuh", *(path.name for path in FOLDER.glob("*.cu")))
INDEX = launch.source("index.cu")


def texts_of_chains():
    """A pass of every operation that has one, and the steps of optimizers by all settings."""
    formulas = {
        formula: [p.name for p in inspect.signature(formula).parameters.values()][1:]
        for formula in chains.PASSES.values()
    }
    formulas |= {chains.normalized_relu: "xavwb", chains.normalized_add_relu: "xyavwb"}
    for formula, names in formulas.items():
        how = dict.fromkeys(["eps"] if type(names) is str else {"p", "scale"} & {*names}, 0.5)
        names = [name for name in names if name not in how]
        chain = chains.Pass(formula).chain((ARRAY,) * len(names), how)
        for shape in (chains.WHOLE, chains.REPEATED):
            kinds = [(shape, "bool" if name == "keep" else "Real") for name in names]
            yield chains.pass_text(chain, [(chains.WHOLE, "Real"), *kinds[1:]])
    for op in chains.TRACED:
        settings = dict.fromkeys(op.op.params, 0.5)
        chain = chains.traced(op).chain((ARRAY,) * len(op.op.operands), settings)
        yield chains.pass_text(chain, [(chains.WHOLE, "Real")] * chain.inputs)
    for module, operands in STEPS.items():
        update = getattr(module, module.__name__.rpartition(".")[2])
        settings = {name: SETTINGS.get(name, 0.5) for name in update.settings}
        kinds = (ARRAY,) * operands + (Number,) * (len(update.operands) - operands)
        chain = updates.chain_of(update, kinds, settings)
        yield chains.update_text(chain, None)
        if "step" in update.operands and "product" not in update.operands:
            names = [name for name, _ in optimizers._flat(settings)]
            yield chains.update_text(chain, names)


STEPS = {  # and how many of the operands are arrays
    adadelta: 4, adagrad: 3, adam: 5, adamax: 4, asgd: 3, nadam: 4, radam: 4, rmsprop: 5,
    rprop: 4, sgd: 3,
}  # fmt: skip
SETTINGS = {"betas": (0.9, 0.99), "etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0)} | dict.fromkeys(
    ("amsgrad", "maximize", "centered", "nesterov", "decoupled_weight_decay"), True
)
TEXT += "".join(
    text.replace(" pass(", f" pass_{i}(").replace(" step(", f" step_{i}(")
    for i, text in enumerate(texts_of_chains())
)
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
# Bytes of a thread, where `__launch_bounds__` asks for room for two blocks at once. Attention in
# float32 holds its factors in three parts, and what float64 sums takes two registers each.
SPILLED = {"Half": 96, "BFloat": 96, "float": 192, "double": 192, "Int": 0}


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
        assert int(spilled) <= SPILLED[real], (
            f"{said} local memory for {spilled} bytes of registers"
        )
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
