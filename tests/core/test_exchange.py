"""Memory shared with other libraries, where they are there: DLPack, buffers and `__array__`."""

from importlib import import_module

import numpy as np
import pytest

import tallow


def zeros(name):
    """Four zeros of a library, and itself."""
    library = pytest.importorskip(name)
    if name == "cupy" and not library.is_available():
        pytest.skip("no device for it")
    module = import_module("jax.numpy") if name == "jax" else library
    return module.zeros(4, dtype=module.float32), module


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "cupy"])
def test_from_others(name):
    theirs, _ = zeros(name)
    ours = tallow.from_dlpack(theirs)
    assert ours.dtype is tallow.float32 and ours.tolist() == [0] * 4
    if name == "jax":  # whose arrays are not to be written to: this is a copy
        ours += 1
        assert theirs.tolist() == [0] * 4
        return
    theirs[1] = 5
    assert ours.tolist() == [0, 5, 0, 0]
    ours += 1
    assert theirs.tolist() == [1, 6, 1, 1]


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "cupy"])
def test_to_others(name):
    _, library = zeros(name)
    memory = tallow.zeros(80, device="cuda" if name == "cupy" else "cpu")
    start = -memory.data_ptr() % 64 // 4  # JAX copies what does not lie at a multiple of 64 bytes
    ours = memory[start : start + 64]
    ours[3] = 3
    theirs = library.from_dlpack(ours)
    assert theirs.shape == (64,) and float(theirs[3]) == 3
    if name == "jax":
        assert theirs.unsafe_buffer_pointer() == ours.data_ptr()
    else:
        ours[3] = 7
        assert float(theirs[3]) == 7


def test_arrays():
    ours = tallow.arange(6).view(2, 3).t()
    for array in (np.asarray(ours), ours.numpy()):
        assert array.shape == (3, 2) and np.shares_memory(array, ours.numpy())
    array = np.arange(6).reshape(2, 3)[:, ::2]
    assert np.shares_memory(tallow.from_numpy(array).numpy(), array)
    assert not np.shares_memory(tallow.tensor(array).numpy(), array)
    torch = pytest.importorskip("torch")
    assert np.shares_memory(torch.from_numpy(ours.numpy()).numpy(), ours.numpy())
