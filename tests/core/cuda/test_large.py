"""What takes several warps of a block, several blocks, or several parts: against the CPU."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.kernels.cuda import attention, implicit, rows
from tallow.kernels.cuda import norm as norms_there
from tallow.nn import functional as F
from tallow.ops import attention as ops
from tallow.testing import assert_close
from tallow.testing.devices import Array


def compared(function, *shapes, rtol=1e-4, atol=1e-5):
    """Values and gradients of a function of tensors, on the stand-in and on the CPU."""
    rng = np.random.default_rng(0)
    drawn = [tallow.tensor(rng.uniform(-2, 2, s), dtype=tallow.float32) for s in shapes]
    results = []
    for where in ("cpu", "standin"):
        inputs = [x.to(where).detach().requires_grad_() for x in drawn]
        out = function(*inputs)
        weights = tallow.arange(out.numel(), dtype=tallow.float32).cos().reshape(out.shape)
        (out * weights.to(where)).sum().backward()
        results.append([x.detach().cpu() for x in (out, *(x.grad for x in inputs))])
    for right, got in zip(*results, strict=True):
        assert_close(got, right, rtol=rtol, atol=atol)


@pytest.mark.parametrize("n", [33, 200, 5000])
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_rows(function, n, emulated):
    compared(lambda x: function(x, dim=-1), (3, n))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy(reduction, emulated):
    label = tallow.arange(70) * 31 % 500
    label[3] = -100
    compared(
        lambda x, w: F.cross_entropy(
            x, label.to(x.device), w.detach().abs(), reduction=reduction
        ) + 0 * w.sum(),
        (70, 500), (500,),
    )  # fmt: skip


@pytest.mark.parametrize(("shift", "error"), [(0.0, 1e-5), (1000.0, 2e-3)])
def test_layer_norm(shift, error, emulated):
    compared(
        lambda x, w, b: F.layer_norm(x + shift, (300,), w, b), (90, 300), (300,), (300,),
        rtol=1e-4 + error, atol=error,
    )  # fmt: skip
    compared(lambda x: F.rms_norm(x, (5, 300)), (4, 5, 300))


def test_statistics_lose_no_digits(emulated):
    """Elements about 1000 that differ by 1, some of them at 0 where the level is taken."""
    x = np.full((2, 3, 40, 40), 1000.0)
    x += np.random.default_rng(0).standard_normal(x.shape)
    x[:, :, :3] = 0
    x = tallow.tensor(x, dtype=tallow.float32)
    norms = [nn.BatchNorm2d(3, momentum=1.0).to(where) for where in ("cpu", "standin")]
    for norm in norms:
        norm(x.to(norm.weight.device))
    variance = x.double().transpose(0, 1).reshape(3, -1).var(dim=1).float()
    assert_close(norms[1].running_var.cpu(), variance, rtol=1e-5, atol=0)
    assert_close(norms[1].running_mean.cpu(), norms[0].running_mean, rtol=1e-5, atol=0)


@pytest.mark.parametrize("shape", [(4, 3, 21, 17), (50, 3), (7, 3, 1, 1), (2, 3, 700)])
def test_batch_norm(shape, emulated):
    compared(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), shape, (3,), (3,))


def test_convolution(emulated):
    compared(lambda x, w, b: F.conv2d(x, w, b, padding=1), (5, 4, 6, 5), (6, 4, 3, 3), (6,))
    compared(lambda x, w, b: F.conv2d(x, w, b), (5, 4, 6, 5), (6, 4, 1, 1), (6,))
    compared(lambda x, w: F.conv2d(x, w, groups=2), (5, 4, 6, 5), (6, 2, 1, 1))
    compared(lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1), (2, 4, 5, 4), (4, 3, 3, 3))


@pytest.mark.parametrize("many", [1, 3])
def test_convolution_of_single_channels(many, emulated):
    compared(
        lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=1, dilation=(1, 2), groups=4),
        (3, 4, 9, 8), (4 * many, 1, 3, 3), (4 * many,),
    )  # fmt: skip
    compared(lambda x, w: F.conv1d(x, w, groups=2), (2, 2, 70), (2 * many, 1, 5))
    compared(lambda x, w: F.conv_transpose2d(x, w, stride=2, groups=2), (2, 2, 3, 4), (2, 1, 3, 2))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("lengths", [(50, 50), (50, 70), (70, 50)])
def test_attention_in_parts(causal, lengths, emulated, monkeypatch):
    monkeypatch.setattr(attention, "SCORES", 2000)
    queries, keys = lengths
    compared(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal),
        (2, 3, queries, 8), (2, 3, keys, 8), (2, 3, keys, 5),
    )  # fmt: skip
    keep = (tallow.arange(6 * queries * keys).reshape(2, 3, queries, keys) % 5 > 0) / 0.8
    compared(
        lambda q, k, v: ops.attend(
            q, k, v, None, keep.to(q.device), scale=0.4, causal=causal
        )[0],
        (2, 3, queries, 8), (2, 3, keys, 8), (2, 3, keys, 5),
    )  # fmt: skip
    hidden = tallow.arange(queries * keys).reshape(queries, keys) % 3 == 0
    if not causal:
        compared(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, hidden.to(q.device)),
            (2, 3, queries, 8), (2, 3, keys, 8), (2, 3, keys, 5),
        )  # fmt: skip


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU])
def test_recurrent_layers(make, emulated):
    layer, x = make(20, 40, 2), tallow.rand(6, 9, 20)
    results = []
    for where in ("cpu", "standin"):
        layer.to(where).zero_grad()
        out, _ = layer(x.to(where))
        out.square().sum().backward()
        results.append([y.detach().cpu() for y in (out, *(p.grad for p in layer.parameters()))])
    for right, got in zip(*results, strict=True):
        assert_close(got, right, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_what_it_should(emulated):
    tallow.manual_seed(0)
    x = tallow.ones(20000).to("standin")
    first, second = (F.dropout(x, 0.3).cpu() for _ in range(2))
    assert abs((first != 0).float().mean().item() - 0.7) < 0.02
    assert not tallow.equal(first, second)
    tallow.manual_seed(0)
    assert tallow.equal(F.dropout(x, 0.3).cpu(), first)


def test_more_rows_than_a_launch_has_blocks_are_declined(emulated):
    x = Array(np.broadcast_to(np.float16(0), (2**31, 1)))
    assert rows._launch("softmax", 1, x) is NotImplemented
    assert norms_there._groups(x, (1,), None) is None
    s = implicit.shape_of((1, 2, 4), (2**21, 2, 1), (4,), 1)
    assert not implicit.takes(s) and implicit.takes(s._replace(outputs=2**15))
