"""Settings of the whole program, the names of backends, and names that are left out."""

import os
import subprocess
import sys

import pytest

import tallow
from tallow.left_out import LEFT_OUT
from tallow.settings import MODES


def test_threads():
    before = tallow.get_num_threads()
    try:
        tallow.set_num_threads(1)
        if tallow.backends.cpu.info()["compiled"]:
            assert tallow.get_num_threads() == 1
    finally:
        tallow.set_num_threads(before)
    with pytest.raises(ValueError, match="expected at least 1, got 0"):
        tallow.set_num_threads(0)


def test_wishes_are_remembered():
    try:
        tallow.use_deterministic_algorithms(True, warn_only=True)
        assert tallow.are_deterministic_algorithms_enabled()
        assert tallow.is_deterministic_algorithms_warn_only_enabled()
        tallow.set_float32_matmul_precision("high")
        assert tallow.get_float32_matmul_precision() == "high"
        with pytest.raises(ValueError, match="got 'low'"):
            tallow.set_float32_matmul_precision("low")
    finally:
        tallow.use_deterministic_algorithms(False)
        tallow.set_float32_matmul_precision("highest")


def test_compile_gives_the_function_itself():
    assert tallow.compile(len) is len
    assert tallow.compile(mode="max-autotune")(len) is len
    assert tallow.compiler.disable(len) is len
    assert not tallow.compiler.is_compiling()


def test_backends_answer():
    assert tallow.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
    assert not tallow.backends.mps.is_available()
    tallow.backends.cudnn.benchmark = True
    tallow.backends.cuda.matmul.allow_tf32 = True


def test_kernels_can_be_switched_off():
    program = (
        "import tallow; info = tallow.backends.cpu.info(); "
        "assert info == {'compiled': False, 'reason': 'TALLOW_KERNELS=0 is set'}, info; "
        "assert (tallow.ones(2, 3) @ tallow.ones(3, 2)).sum().item() == 12"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env=os.environ | {"TALLOW_KERNELS": "0"}
    )


def test_without_a_device_cuda_answers():
    tallow.cuda.manual_seed_all(0)
    tallow.cuda.empty_cache()
    if not tallow.cuda.is_available():
        assert tallow.accelerator.current_accelerator() is None
        assert tallow.cuda.memory_allocated() == tallow.cuda.memory_reserved() == 0
        assert not tallow.cuda.is_initialized()


def test_names_that_are_left_out_say_why():
    assert not hasattr(tallow, "embedding_bag")
    with pytest.raises(
        NotImplementedError, match="embedding_bag: left out of tallow: .*other arguments"
    ):
        tallow.embedding_bag  # noqa: B018
    with pytest.raises(AttributeError, match="module 'tallow' has no attribute 'nothing'"):
        tallow.nothing  # noqa: B018
    x = tallow.ones(2)
    with pytest.raises(NotImplementedError, match="Tensor.chalf: left out .* 16-bit parts"):
        x.chalf()
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nothing'"):
        x.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="__cuda_array_interface__: expected a CUDA tensor"):
        x.__cuda_array_interface__  # noqa: B018
    with pytest.raises(NotImplementedError, match="airy_ai: left out of tallow"):
        tallow.special.airy_ai  # noqa: B018


@pytest.mark.parametrize("name", [n for n in LEFT_OUT if n.startswith("torch.Tensor.")])
def test_no_method_left_out_is_there(name):
    assert not hasattr(tallow.ones(2), name.rpartition(".")[2])


@pytest.mark.parametrize("name", [*MODES, 0, 1, 2])
def test_deterministic_debug_mode(parity, name):
    source = "torch.set_deterministic_debug_mode(mode); torch.get_deterministic_debug_mode()"
    try:
        parity(source, mode=name)
        assert tallow.are_deterministic_algorithms_enabled() == (name not in ("default", 0))
    finally:
        parity(source, mode=0)
    parity.fails("torch.set_deterministic_debug_mode('maybe')", "expected one of")


@pytest.mark.parametrize("name", [name for name in LEFT_OUT if name.count(".") == 1])
def test_nothing_left_out_is_there(name):
    assert not hasattr(tallow, name.partition(".")[2])


def test_ml_dtypes_is_imported_for_its_own_types():
    program = """
import sys
import numpy as np
import tallow
layer = tallow.nn.Linear(3, 2)
layer(tallow.ones(1, 3)).sum().backward()
print(tallow.bfloat16.itemsize, tallow.finfo(tallow.float32).bits, "ml_dtypes" in sys.modules)
import ml_dtypes
print(tallow.from_numpy(np.ones(2, ml_dtypes.float8_e5m2)).dtype, tallow.ones(1).bfloat16().dtype)
"""
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert printed.split() == "2 32 False tallow.float8_e5m2 tallow.bfloat16".split()
