"""What CUDA says where there is none; where there is one, that tensors go there and back."""

import subprocess
import sys

import pytest

import tallow

without_cuda = pytest.mark.skipif(tallow.cuda.is_available(), reason="a CUDA device is there")
with_cuda = pytest.mark.skipif(not tallow.cuda.is_available(), reason="no CUDA device")


@without_cuda
def test_absent_device_is_named_with_the_way_out():
    assert tallow.cuda.device_count() == 0
    for use in (lambda: tallow.ones(2).to("cuda"), lambda: tallow.ones(2, device="cuda:1")):
        with pytest.raises(RuntimeError, match=r"device: expected (CuPy|a CUDA device)"):
            use()


def test_cupy_is_not_imported_before_a_device_is_used():
    program = (
        "import sys, tallow, tallow.nn; tallow.ones(2).cpu(); assert 'cupy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_device_is_an_error():
    with pytest.raises(RuntimeError, match="device: expected 'cpu', 'cuda'.*got 'tpu'"):
        tallow.ones(2, device="tpu")


@with_cuda
def test_there_and_back():
    x = tallow.arange(6.0, requires_grad=True)
    y = (x.cuda() * 2).cpu().sum()
    y.backward()
    assert x.grad.tolist() == [2.0] * 6
    assert tallow.cuda.get_device_name()
    tallow.cuda.synchronize()
