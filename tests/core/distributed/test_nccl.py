"""NCCL's absence, on a stand-in for CuPy."""

import sys
from importlib import import_module
from types import ModuleType

import pytest

from tallow import cuda, distributed
from tallow.errors import DistributedError


@pytest.fixture
def without(monkeypatch):
    """CuPy, which has not found NCCL's library."""
    names = ("cupy", "cupy.cuda", "cupy.cuda.nccl")
    made = {name: ModuleType(name) for name in names}
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    made["cupy"].cuda, made["cupy.cuda"].nccl = made["cupy.cuda"], made["cupy.cuda.nccl"]
    made["cupy.cuda.nccl"].available = False
    monkeypatch.delitem(sys.modules, "tallow.distributed.nccl", raising=False)


def test_what_to_install_is_said(without):
    with pytest.raises(DistributedError, match="expected NVIDIA's NCCL .* nvidia-nccl-cu13"):
        import_module("tallow.distributed.nccl")


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("library", [True, False])
def test_it_is_available_with_a_gpu_and_the_library(gpu, library, without, monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: gpu)
    sys.modules["cupy.cuda.nccl"].available = library
    assert distributed.is_nccl_available() == (gpu and library)
