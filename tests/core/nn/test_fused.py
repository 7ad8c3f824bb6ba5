"""Modules that run as one: the same numbers, gradients and hooks as one after the other."""

import subprocess
import sys

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallow.nn.modules import fused
from tallow.nn.utils import in_turn, norm_add_relu


def pair(norm=nn.BatchNorm2d, **how):
    tallow.manual_seed(0)
    made = norm(3, **how)
    if made.weight is not None:
        with tallow.no_grad():
            made.weight.uniform_(-1, 1)
            made.bias.uniform_(-1, 1)
    return made, nn.ReLU(inplace=True)


def separately(norm, x):
    return F.relu(norm(x))


@pytest.fixture
def fused_calls(monkeypatch):
    calls, original = [], fused._norm_relu
    monkeypatch.setattr(fused, "_norm_relu", lambda *args: calls.append(args) or original(*args))
    return calls


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [tallow.float32, tallow.float64])
@pytest.mark.parametrize(
    "norm, shape", [(nn.BatchNorm1d, (7, 3)), (nn.BatchNorm2d, (4, 3, 5, 7)),
                    (nn.BatchNorm3d, (2, 3, 2, 3, 4)), (nn.BatchNorm1d, (6, 3, 1))]
)  # fmt: skip
@pytest.mark.parametrize("how", [{}, {"affine": False}, {"track_running_stats": False}])
def test_batch_norm_and_relu(norm, shape, how, dtype, training, fused_calls):
    results = []
    for call in (lambda n, r, x: in_turn(x, n, r), lambda n, r, x: separately(n, x)):
        made, relu = pair(norm, dtype=dtype, **how)
        made.train(training)
        x = tallow.randn(*shape, dtype=dtype, requires_grad=True)
        out = call(made, relu, x)
        g = tallow.randn(*shape, dtype=dtype)
        parameters = [x, *made.parameters()]
        firsts = tallow.autograd.grad((out * g).sum(), parameters, create_graph=True)
        squares = sum((f * f).sum() for f in firsts)
        seconds = []
        if squares.requires_grad:  # not where all is linear
            seconds = tallow.autograd.grad(squares, parameters, materialize_grads=True)
        results.append([out, *firsts, *seconds, *made.buffers()])
    assert len(fused_calls) == 1
    loose = {"rtol": 1e-4, "atol": 1e-4} if dtype is tallow.float32 else {}
    for one, other in zip(*results, strict=True):
        assert tallow.allclose(one, other, **loose)


def test_relu_may_be_the_function(fused_calls):
    norm, _ = pair()
    x = tallow.randn(4, 3, 2, 2)
    assert tallow.allclose(in_turn(x, norm, F.relu), separately(norm, x))
    assert len(fused_calls) == 1


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [tallow.float32, tallow.float64])
@pytest.mark.parametrize("how", [{}, {"affine": False}, {"track_running_stats": False}])
@pytest.mark.parametrize("shape", [(4, 3, 5, 7), (2, 3, 40, 30)])
def test_the_end_of_a_residual_block(shape, how, dtype, training, monkeypatch):
    results, calls, original = [], [], fused._add_residual
    monkeypatch.setattr(fused, "_add_residual", lambda *args: calls.append(args) or original(*args))
    for call in (norm_add_relu, lambda x, norm, y, relu: F.relu(norm(x) + y)):
        made, relu = pair(dtype=dtype, **how)
        made.train(training)
        x, y = (tallow.randn(*shape, dtype=dtype, requires_grad=True) for _ in range(2))
        out = call(x, made, y, relu)
        parameters = [x, y, *made.parameters()]
        g = tallow.randn(*shape, dtype=dtype)
        firsts = tallow.autograd.grad((out * g).sum(), parameters, create_graph=True)
        squares = sum((f * f).sum() for f in firsts)
        seconds = []
        if squares.requires_grad:  # not where all is linear
            seconds = tallow.autograd.grad(squares, parameters, materialize_grads=True)
        results.append([out, *firsts, *seconds, *made.buffers()])
    assert len(calls) == 1
    loose = {"rtol": 1e-4, "atol": 2e-4} if dtype is tallow.float32 else {}
    for one, other in zip(*results, strict=True):
        assert tallow.allclose(one, other, **loose)


def test_the_end_of_a_residual_block_where_somebody_looks():
    (norm, relu), seen = pair(), []
    x, y = tallow.randn(4, 3, 2, 2), tallow.randn(4, 3, 2, 2)
    expected = F.relu(norm(x) + y)
    norm.register_forward_hook(lambda *_: seen.append("norm"))
    assert tallow.allclose(norm_add_relu(x, norm, y, relu), expected)
    relu.register_forward_hook(lambda *_: seen.append("relu"))
    assert tallow.allclose(norm_add_relu(x, norm, y, relu), expected)
    assert seen == ["norm", "norm", "relu"]
    other = nn.GroupNorm(1, 3)
    z = tallow.randn(3, 1, 1)
    assert tallow.allclose(norm_add_relu(x, other, z, F.relu), F.relu(other(x) + z))
    mixed = norm_add_relu(x, pair()[0], y.double(), F.relu)
    assert mixed.dtype is tallow.float64


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (2, 3, 1, 1), (1, 5, 9, 9), (3, 2, 33, 17)])
def test_sizes_of_plain_gradients(shape):
    gradients = []
    for call in (in_turn, lambda x, norm, relu: separately(norm, x)):
        tallow.manual_seed(1)
        norm = nn.BatchNorm2d(shape[1])
        x = tallow.randn(*shape, requires_grad=True)
        call(x, norm, nn.ReLU()).backward(tallow.randn(*shape))
        gradients.append([x.grad, norm.weight.grad, norm.bias.grad])
    for one, other in zip(*gradients, strict=True):
        assert tallow.allclose(one, other, rtol=1e-4, atol=1e-5)


def test_nan_and_infinity_pass():
    norm, relu = pair()
    x = tallow.tensor([float("nan"), float("inf"), -1.0, 1.0])[:, None, None, None]
    x = x.repeat(1, 3, 1, 1)
    for training in (True, False):
        norm.train(training)
        together, apart = in_turn(x, norm, relu), separately(norm, x)
        assert np.array_equal(together.detach().numpy(), apart.detach().numpy(), equal_nan=True)


def test_sequential_and_channels_of_another_layout(fused_calls):
    norm, relu = pair()
    model = nn.Sequential(nn.Conv2d(3, 3, 1), norm, relu, nn.Flatten())
    x = tallow.randn(4, 5, 6, 3).permute(0, 3, 1, 2)
    expected = separately(norm, model[0](x)).flatten(1)
    assert tallow.allclose(model(x), expected, atol=1e-5)
    assert len(fused_calls) == 1


@pytest.mark.parametrize(
    "look",
    [
        lambda norm, relu, seen: norm.register_forward_hook(lambda *_: seen.append(1)),
        lambda norm, relu, seen: relu.register_forward_pre_hook(lambda *_: seen.append(1)),
        lambda norm, relu, seen: norm.register_full_backward_hook(lambda *_: seen.append(1)),
        lambda norm, relu, seen: setattr(
            relu, "forward", lambda x: seen.append(1) or type(relu).forward(relu, x)
        ),
    ],
)
def test_who_looks_between(look, fused_calls):
    (norm, relu), seen = pair(), []
    look(norm, relu, seen)
    x = tallow.randn(4, 3, 2, 2, requires_grad=True)
    nn.Sequential(norm, relu)(x).sum().backward()
    assert seen
    assert not fused_calls


def test_hooks_of_every_module(fused_calls):
    (norm, relu), seen = pair(), []
    handle = nn.modules.module.register_module_forward_hook(lambda m, *_: seen.append(m))
    try:
        in_turn(tallow.randn(4, 3, 2, 2), norm, relu)
    finally:
        handle.remove()
    assert seen == [norm, relu]
    assert not fused_calls


def test_subclasses_run_by_themselves(fused_calls):
    class Loud(nn.ReLU):
        def forward(self, input):
            return super().forward(input) + 1

    norm, _ = pair()
    assert (in_turn(tallow.randn(4, 3, 2, 2), norm, Loud()) >= 1).all()
    assert not fused_calls


def test_autocast(fused_calls):
    norm, relu = pair()
    with tallow.autocast("cpu"):
        out = in_turn(tallow.randn(4, 3, 2, 2).bfloat16(), norm, relu)
    assert out.dtype is tallow.bfloat16
    assert not fused_calls


def test_modes_see_both(tmp_path):
    """In a process of its own: from then on all public functions look at their arguments."""
    program = tmp_path / "program.py"
    program.write_text("""
import tallow
from tallow import nn
from tallow.overrides import TorchFunctionMode

class Seen(TorchFunctionMode):
    names = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.names.append(function.__name__)
        return function(*args, **kwargs or {})

with Seen():
    nn.Sequential(nn.BatchNorm1d(3), nn.ReLU())(tallow.ones(4, 3))
assert {"batch_norm", "relu"} <= set(Seen.names), Seen.names
""")
    subprocess.run([sys.executable, program], check=True)


def test_errors_name_the_module():
    model = nn.Sequential(nn.Sequential(*pair()))
    with pytest.raises(tallow.errors.ArgumentError, match="0.0"):
        model(tallow.randn(4, 3))


def test_examples_at_once():
    norm, relu = pair(nn.BatchNorm1d, track_running_stats=False)
    x, g = tallow.randn(5, 8, 3), tallow.randn(8, 3)

    def both(call):
        total = lambda x: (call(x) * g).sum()  # noqa: E731
        return tallow.func.vmap(call)(x), tallow.func.vmap(tallow.func.grad(total))(x)

    together = both(lambda x: in_turn(x, norm, relu))
    apart = both(lambda x: separately(norm, x))
    for one, other in zip(together, apart, strict=True):
        assert tallow.allclose(one, other, atol=1e-5)
    kept = pair(nn.BatchNorm1d)[0].eval()

    def residual(call):
        return tallow.func.vmap(call)(x, x * 2), tallow.func.vmap(call, (0, None))(x, x[0])

    for made in (norm, kept):
        together = residual(lambda x, y, made=made: norm_add_relu(x, made, y, relu))
        apart = residual(lambda x, y, made=made: F.relu(made(x) + y))
        for one, other in zip(together, apart, strict=True):
            assert tallow.allclose(one, other, atol=1e-5)
    out = tallow.func.vmap(lambda x: in_turn(x, kept, relu))(x)
    assert tallow.allclose(out, separately(kept, x.flatten(0, 1)).reshape(x.shape), atol=1e-5)


# Dropout of what is added to a residual


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape, other", [((5, 7), (5, 7)), ((5, 7), (7,)), ((0, 3), (0, 3))])
def test_dropout_and_residual(shape, other, training, p):
    results = []
    for together in (True, False):
        tallow.manual_seed(3)
        dropout = nn.Dropout(p).train(training)
        x = tallow.randn(*shape, requires_grad=True)
        y = tallow.randn(*other, requires_grad=True)
        out = fused.dropped_sum(y, dropout, x) if together else y + dropout(x)
        gradients = tallow.autograd.grad((out * out).sum(), [x, y])
        results.append([out, *gradients, tallow.rand(2)])
    for one, other in zip(*results, strict=True):
        assert tallow.allclose(one, other)


def test_dropout_of_another_layout_draws_the_same():
    x, y = tallow.randn(6, 4).t(), tallow.randn(4, 6)
    tallow.manual_seed(0)
    expected = y + F.dropout(x, 0.4)
    tallow.manual_seed(0)
    assert tallow.allclose(fused.dropped_sum(y, nn.Dropout(0.4), x), expected)


def test_dropout_that_is_hooked():
    dropout, seen = nn.Dropout(0.5), []
    dropout.register_forward_hook(lambda *_: seen.append(1))
    fused.dropped_sum(tallow.ones(3), dropout, tallow.ones(3))
    assert seen


# Standardizing


@pytest.mark.parametrize("kind", [tallow.float32, tallow.float64, tallow.bfloat16])
@pytest.mark.parametrize("shape", [(2, 3, 5), (3, 700), (0, 3, 4)])
def test_standardize(kind, shape):
    mean, std = tallow.randn(3, 1, dtype=kind), tallow.rand(3, 1, dtype=kind) + 1
    x = tallow.randn(*shape, dtype=kind, requires_grad=True)
    out = nn.utils.standardize(x, mean, std, scale=0.5)
    assert tallow.allclose(out, (x * 0.5 - mean) / std, rtol=1e-2 if kind.itemsize < 4 else 1e-5)
    (by_x,) = tallow.autograd.grad(out.sum(), x)
    assert tallow.allclose(by_x, (0.5 / std).expand(shape), rtol=1e-2)


def test_blocks_that_programs_override():
    class Doubled(nn.TransformerEncoderLayer):
        def _ff_block(self, x):
            return 2 * super()._ff_block(x)

    how = {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "dropout": 0.3}
    results = []
    for norm_first in (True, False):
        tallow.manual_seed(0)
        layer = Doubled(norm_first=norm_first, **how)
        x = tallow.randn(5, 2, 8)
        tallow.manual_seed(1)
        results.append(layer(x))
        tallow.manual_seed(1)
        taken = layer.norm1(x) if norm_first else x
        x = x + layer._sa_block(taken, None, None)
        x = x if norm_first else layer.norm1(x)
        out = x + layer._ff_block(layer.norm2(x) if norm_first else x)
        assert tallow.allclose(results[-1], out if norm_first else layer.norm2(out), atol=1e-6)
