"""Convolution without columns, on the processor: against the bodies in float64."""

import numpy as np
import pytest
from ml_dtypes import bfloat16

from tallow.backends import cudnn
from tallow.kernels.cuda import implicit, launch
from tallow.ops import conv as ops
from tallow.testing.devices import Array

# Rounding of the result, and of TensorFloat-32's factors
ERRORS = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 2e-6, "float64": 1e-14, "tf32": 1e-3}


def drawn(shape, dtype, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def compared(made, *arrays, error, terms, **how):
    """An operation by its kernel and by its body; `terms` are summed for each element."""
    got = made(*(x if x is None else Array(x) for x in arrays), **how)
    body = made.op.body
    wide = [None if x is None else x.astype(np.float64) for x in arrays]
    expected = body(np, *wide, **how)
    assert got.shape == expected.shape and got.dtype == arrays[0].dtype
    difference = np.abs(got.host.astype(np.float64) - expected).max()
    assert difference <= error * (np.abs(expected).max() + terms**0.5)
    return got


def passes(images, inputs, outputs, sizes, kernel, stride, padding, dilation, groups, dtype, error):
    """All three passes of a convolution."""
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x = drawn((images, inputs, *sizes), dtype, 0)
    weight, bias = drawn((outputs, inputs // groups, *kernel), dtype, 1), drawn(outputs, dtype, 2)
    depth = weight[0].size
    out = compared(ops.conv, x, weight, bias, error=error, terms=depth, **how)
    g = drawn(out.shape, dtype, 3)
    compared(ops.conv_grad_input, g, weight, size=sizes, error=error, terms=depth, **how)
    compared(
        ops.conv_grad_weight, g, x, kernel=kernel, error=error, terms=g[:, 0].size, **how
    )  # fmt: skip


SHAPES = {  # images, channels in and out, sizes, kernel, stride, padding, dilation, groups
    "plain": (2, 5, 7, (9, 8), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "strided": (1, 3, 70, (13, 9), (3, 2), (2, 3), (1, 0), (1, 1), 1),
    "dilated": (2, 4, 6, (11, 10), (3, 3), (2, 1), (2, 2), (2, 3), 2),
    "residues without taps": (1, 2, 3, (9, 9), (2, 1), (4, 3), (0, 0), (2, 1), 1),
    "one axis": (3, 6, 4, (50,), (5,), (2,), (3,), (3,), 2),
    "three axes": (1, 2, 3, (4, 5, 3), (2, 3, 2), (1, 2, 1), (1, 1, 0), (1, 1, 2), 1),
    "a last row and column unused": (1, 2, 2, (8, 6), (3, 3), (2, 2), (0, 0), (1, 1), 1),
    "many channels": (1, 40, 36, (4, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "whole chunks": (2, 72, 136, (8, 4), (1, 3), (1, 1), (0, 1), (1, 1), 1),
    "channels of a chunk": (1, 16, 32, (6, 6), (3, 3), (2, 2), (1, 1), (1, 1), 2),
    "many groups": (1, 12, 18, (5, 4), (2, 2), (1, 1), (1, 1), (1, 1), 6),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_passes(name, dtype, emulated):
    kind = bfloat16 if dtype == "bfloat16" else dtype
    passes(*SHAPES[name], kind, ERRORS[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_views_that_are_not_aligned(dtype, emulated):
    x, weight, g = (drawn((2, 8, 1, n), dtype, n).ravel() for n in (8, 3, 8))
    x, weight, g = x[1:], weight[3:], g[5:]
    x, weight, g = x[:80].reshape(2, 5, 8), weight[:45].reshape(3, 5, 3), g[:48].reshape(2, 3, 8)
    assert all(a.ctypes.data % 16 and a.flags.c_contiguous for a in (x, weight, g))
    how = {"stride": (1,), "padding": (1,), "dilation": (1,), "groups": 1}
    how["error"], how["terms"] = ERRORS[dtype], 15
    compared(ops.conv, x, weight, weight.ravel()[1:4], **how)
    compared(ops.conv_grad_input, g, weight, size=(8,), **how)
    compared(ops.conv_grad_weight, g, x, kernel=(3,), **how)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_before_tensor_cores(dtype, emulated, monkeypatch):
    """Smaller tiles, which fit the shared memory of sm_75."""
    asked = []
    monkeypatch.setitem(launch.CORES, "standin", lambda: asked.append(1))
    passes(*SHAPES["whole chunks"], dtype, ERRORS[dtype])
    assert asked or dtype == "float32"


@pytest.mark.parametrize("name", ["strided", "dilated", "many channels", "whole chunks"])
def test_on_tensor_cores_of_tf32(name, emulated, monkeypatch):
    monkeypatch.setattr(cudnn, "allow_tf32", True)
    passes(*SHAPES[name], "float32", ERRORS["tf32"])
    with pytest.raises(AssertionError):
        passes(*SHAPES[name], "float32", ERRORS["float32"])


@pytest.mark.parametrize("rounding", [True, False])
def test_nan_and_inf_pass(rounding, emulated, monkeypatch):
    monkeypatch.setattr(cudnn, "allow_tf32", rounding)
    x = np.ones((1, 2, 6, 3), np.float32)
    x[0, 0, 0] = np.uint32(0x7FFFFFFF).view(np.float32)  # a GPU's NaN
    x[0, 1, 5] = -np.inf
    how = {"stride": (2, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    out = ops.conv(Array(x), Array(np.ones((2, 2, 2, 2), np.float32)), None, **how).host
    assert np.isnan(out[:, :, 0]).all() and (out[:, :, 1] == 8).all()
    assert (out[:, :, 2] == -np.inf).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_sums_in_parts(dtype, emulated, monkeypatch):
    monkeypatch.setattr(implicit, "LEAST", 40)
    assert implicit._splits(1, 400) == 10 and implicit._splits(300, 400) == 1
    for name in ("plain", "dilated", "many channels"):
        passes(*SHAPES[name], dtype, ERRORS[dtype])


def test_parts_are_added_in_their_order(emulated, monkeypatch):
    monkeypatch.setattr(implicit, "LEAST", 16)
    images, inputs, outputs, sizes, kernel, *how = SHAPES["plain"]
    how = dict(zip(("stride", "padding", "dilation", "groups"), how, strict=True))
    g, x = (
        drawn((images, outputs, *sizes), "float32", 0),
        drawn((images, inputs, *sizes), "float32", 1),
    )
    made = [ops.conv_grad_weight(Array(g), Array(x), kernel=kernel, **how).host for _ in range(2)]
    assert (made[0] == made[1]).all()


def test_what_is_too_large_is_declined():
    s = implicit.shape_of((1 << 15, 64, 64, 64), (64, 64, 3, 3), (64, 64), 1)
    assert not implicit.takes(s) and implicit.takes(s._replace(images=1 << 13))
