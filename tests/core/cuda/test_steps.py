"""Optimizers and GradScaler with CUDA's kernels, run on the processor, against the CPU."""

import numpy as np
import pytest

import tallow
from tallow import backend, nn, optim
from tallow.amp import GradScaler
from tallow.kernels.cuda.launch import Source
from tallow.testing import assert_close
from tallow.testing.devices import Array

SHAPES = [(3,), (), (40, 70), *[(5, 2)] * 40]  # more than a launch takes


def trained(make, where, dtype=tallow.float32, steps=7):
    """The parameters and their state after some steps."""
    rng = np.random.default_rng(0)
    start = [tallow.tensor(rng.standard_normal(shape), dtype=dtype) for shape in SHAPES]
    params = [nn.Parameter(x.to(where)) for x in start]
    optimizer = make(params)
    for _ in range(steps):
        for p in params:
            p.grad = tallow.tensor(rng.standard_normal(tuple(p.shape)), dtype=dtype).to(where)
        optimizer.step()
    state = [x.cpu() for p in params for x in optimizer.state[p].values() if x is not None]
    return [p.detach().cpu() for p in params] + state


@pytest.mark.parametrize("make", [
    lambda params: optim.SGD(params, lr=0.1),
    lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda params: optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.5, maximize=True),
    lambda params: optim.Adam(params, lr=0.1, weight_decay=0.1),
    lambda params: optim.Adam(params, lr=0.1, amsgrad=True, maximize=True),
    lambda params: optim.AdamW(params, lr=0.1, betas=(0.8, 0.99), eps=1e-3),
    lambda params: optim.AdamW(params, lr=0.1, fused=True),
    lambda params: optim.Adamax(params, lr=0.1, weight_decay=0.1),
    lambda params: optim.NAdam(params, lr=0.1, weight_decay=0.1),
    lambda params: optim.NAdam(params, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
    lambda params: optim.RAdam(params, lr=0.1, weight_decay=0.1),
    lambda params: optim.RAdam(params, betas=(0.9, 0.7), decoupled_weight_decay=True),
    lambda params: optim.RMSprop(params, lr=0.1, weight_decay=0.1),
    lambda params: optim.RMSprop(params, momentum=0.9, centered=True, maximize=True),
    lambda params: optim.Adagrad(params, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    lambda params: optim.Adadelta(params, rho=0.8, weight_decay=0.1),
    lambda params: optim.Rprop(params, lr=0.1),
    lambda params: optim.ASGD(params, lr=0.1, lambd=0.1, t0=1, weight_decay=0.1),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [tallow.float32, tallow.float64])
def test_steps(make, dtype, emulated, monkeypatch):
    launched, launch = set(), Source.__call__

    def noting(self, kernel, *args):
        launched.add(kernel)
        launch(self, kernel, *args)

    monkeypatch.setattr(Source, "__call__", noting)
    for got, expected in zip(
        trained(make, "standin", dtype), trained(make, "cpu", dtype), strict=True
    ):
        assert_close(got, expected, rtol=1e-5, atol=1e-5)
    assert "step" in launched


def test_the_body_steps_where_the_kernel_declines(emulated):
    p = nn.Parameter(tallow.ones(2, 3).to("standin").T)
    p.grad = tallow.ones(3, 2).to("standin")
    optim.SGD([p], lr=0.5).step()
    assert p.tolist() == [[0.5, 0.5]] * 3


@pytest.mark.parametrize("make", [
    lambda params, on: optim.Adam(params, fused=on),
    lambda params, on: optim.Adagrad(params, fused=on),
    lambda params, on: optim.RAdam(params, capturable=on),
    lambda params, on: optim.Rprop(params, capturable=on),
])  # fmt: skip
def test_steps_are_counted_where_the_parameter_is(make, emulated):
    p = nn.Parameter(tallow.ones(2).to("standin"))
    for fused, where in ((True, "standin"), (False, "cpu")):
        optimizer = make([p], fused)
        p.grad = tallow.ones(2).to("standin")
        optimizer.step()
        again = make([p], fused)
        again.load_state_dict(optimizer.state_dict())
        for step in (optimizer.state[p]["step"], again.state[p]["step"]):
            assert step.item() == 1 and step.device.type == where


def test_steps_may_be_counted_on_both(emulated):
    params = [nn.Parameter(tallow.ones(2).to("standin")) for _ in range(2)]
    optimizer = optim.Adam(params, lr=0.5)
    for fused, p in zip((False, True), params, strict=True):
        optimizer.param_groups[0]["fused"] = fused
        p.grad = tallow.ones(2).to("standin")
        optimizer.step()
    assert params[0].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert params[1].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)


FACTORS = [1.0, 3.0, float("inf"), 0.25, float("nan"), 1.0, 1.0, 1.0]


def scaled(make, where, monkeypatch=None):
    """The scales and weights of steps whose gradients are the factors."""
    weight = nn.Parameter(tallow.ones(2).to(where))
    optimizer, seen = make([weight]), []
    scaler = GradScaler("cpu", init_scale=8.0, growth_interval=2)
    for factor in FACTORS:
        optimizer.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        if monkeypatch is not None:
            with monkeypatch.context() as patch:
                patch.setattr(tallow.Tensor, "item", None)
                patch.setattr(tallow.Tensor, "__bool__", None)
                scaler.step(optimizer)
                scaler.update()
        else:
            scaler.step(optimizer)
            scaler.update()
        counts = [
            x.item() for x in optimizer.state[weight].values() if x is not None and not x.ndim
        ]
        seen.append((scaler.get_scale(), scaler.state_dict(), weight.tolist(), counts))
    return seen


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("make", [
    lambda params: optim.SGD(params, lr=0.125),
    lambda params: optim.AdamW(params, lr=0.125, capturable=True),
])  # fmt: skip
def test_scaling_does_not_wait_for_the_device(make, emulated, monkeypatch):
    got, expected = scaled(make, "standin", monkeypatch), scaled(make, "cpu")
    for ours, right in zip(got, expected, strict=True):
        assert ours[:2] == right[:2] and ours[3] == right[3]
        assert ours[2] == pytest.approx(right[2], rel=1e-6)


def test_scaling_asks_where_steps_are_counted_on_the_host(emulated):
    def make(params):
        return optim.Adam(params, lr=0.125)

    got, expected = scaled(make, "standin"), scaled(make, "cpu")
    assert [x[3] for x in got] == [x[3] for x in expected]


class Reads:
    """Counts what makes the host wait for the stand-in: copies, numbers and truths of arrays."""

    def __init__(self, monkeypatch):
        self.count = 0
        for name in ("item", "tolist", "__bool__", "__int__", "__float__", "__index__"):
            monkeypatch.setattr(Array, name, self.counted(getattr(Array, name)))
        standin = backend.for_device("standin")
        reading = standin._replace(
            to_host=self.counted(standin.to_host), synchronize=self.counted(standin.synchronize)
        )
        monkeypatch.setitem(backend._by_name, "standin", reading)
        monkeypatch.setitem(backend._by_type, Array, reading)

    def counted(self, function):
        def call(*args, **kwargs):
            self.count += 1
            return function(*args, **kwargs)

        return call


@pytest.mark.parametrize(("make", "reads"), [
    (lambda params: optim.SGD(params, lr=0.1, momentum=0.9), 0),
    (lambda params: optim.AdamW(params, fused=True), 0),
    (lambda params: optim.RAdam(params, capturable=True), 0),
    (lambda params: optim.Adam(params), 1),  # which counts its steps on the host
    (lambda params: optim.RMSprop(params), 1),
])  # fmt: skip
def test_how_often_a_step_reads(make, reads, emulated, monkeypatch):
    """Of a training step with dropout, clipping and scaling; losses are read at the end."""
    tallow.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                          nn.Dropout(0.1), nn.Linear(64, 3)).to("standin")  # fmt: skip
    optimizer, scaler = make(list(model.parameters())), GradScaler("cpu")
    x, y = tallow.rand(5, 1, 6, 6).to("standin"), tallow.tensor([0, 1, 2, 0, 1]).to("standin")
    losses = []
    for step in range(3):
        counted = Reads(monkeypatch) if step == 2 else None
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss)
    assert counted.count == reads
    assert losses[2].item() < losses[0].item() and counted.count == reads + 2
