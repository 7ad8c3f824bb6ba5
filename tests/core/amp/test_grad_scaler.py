"""GradScaler goes through the scales that PyTorch's goes through."""

import pickle

import numpy as np
import pytest

import tallow
from tallow import nn, optim
from tallow.amp import GradScaler
from tallow.testing.devices import devices

torch = pytest.importorskip("torch")


def trained(library, factors, **settings):
    """The scales, trackers and weights of steps whose gradients are the factors."""
    weight = library.ones(2, requires_grad=True)
    other = library.ones(2, requires_grad=True)
    optimizers = [library.optim.SGD([p], lr=0.125) for p in (weight, other)]
    scaler = library.amp.GradScaler("cpu", **settings)
    seen = []
    for i, factor in enumerate(factors):
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses = scaler.scale([(weight * factor).sum(), (other * 0.5).sum()])
        for loss in losses:
            loss.backward()
        if i % 2:
            scaler.unscale_(optimizers[0])
            library.nn.utils.clip_grad_value_([weight], 2.0)
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update()
        seen.append((scaler.get_scale(), scaler.state_dict(), weight.tolist(), other.tolist()))
    return seen


FACTORS = [1.0, 3.0, float("inf"), 0.25, 0.5, float("nan"), 1.0, 1.0, 1.0, 1.0, 1e38, 1.0]


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("settings", [
    {}, {"init_scale": 8.0, "growth_interval": 2},
    {"init_scale": 4.0, "growth_factor": 1.5, "backoff_factor": 0.25, "growth_interval": 1},
])  # fmt: skip
def test_scales(settings):
    assert trained(tallow, FACTORS, **settings) == trained(torch, FACTORS, **settings)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_the_scale_does_not_overflow():
    for library in (tallow, torch):
        seen = trained(library, [1e-30] * 40, init_scale=2.0**100, growth_interval=1)
        assert seen[-1][0] == 2.0**127


def test_state_goes_on():
    p = nn.Parameter(tallow.ones(1))
    optimizer = optim.SGD([p])
    scaler = GradScaler("cpu", init_scale=4.0, growth_interval=3)
    scaler.scale(p.sum()).backward()
    scaler.step(optimizer)
    with pytest.raises(AssertionError, match="expected update.. before"):
        pickle.dumps(scaler)
    scaler.update()
    theirs = torch.amp.GradScaler("cpu")
    theirs.load_state_dict(scaler.state_dict())
    assert theirs.state_dict() == scaler.state_dict()
    for other in (GradScaler("cpu"), pickle.loads(pickle.dumps(scaler))):
        other.load_state_dict(scaler.state_dict())
        assert other.state_dict() == scaler.state_dict()
        assert other.scale(tallow.ones(1)).item() == 4
        other.load_state_dict({**scaler.state_dict(), "scale": 16.0})
        assert other.get_scale() == 16


def test_a_new_scale_may_be_set():
    scaler = GradScaler("cpu")
    scaler.scale(tallow.ones(1))
    scaler.update(32.0)
    assert scaler.get_scale() == 32
    scaler.update(tallow.tensor(8.0))
    assert scaler.get_scale() == 8
    for name, value in (("growth_factor", 3.0), ("backoff_factor", 0.1), ("growth_interval", 7)):
        getattr(scaler, f"set_{name}")(value)
        assert getattr(scaler, f"get_{name}")() == value


def test_nested_outputs():
    scaler = GradScaler("cpu", init_scale=2.0)
    one = tallow.ones(1)
    scaled = scaler.scale((one, [one, one]))
    assert isinstance(scaled, tuple) and isinstance(scaled[1], list) and scaled[1][1].item() == 2
    assert [x.item() for x in scaler.scale(x for x in [one, one])] == [2, 2]
    with pytest.raises(ValueError, match="scale: expected a tensor or several, got int"):
        scaler.scale(3)


def test_disabled():
    p = nn.Parameter(tallow.ones(1))
    optimizer = optim.SGD([p], lr=0.5)
    scaler = GradScaler("cpu", enabled=False)
    loss = p.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    scaler.load_state_dict({})
    assert p.item() == 0.5 and scaler.state_dict() == {} and scaler.get_scale() == 1
    assert not scaler.is_enabled()


def test_wrong_orders():
    p = nn.Parameter(tallow.ones(1))
    optimizer = optim.SGD([p])
    scaler = GradScaler("cpu")
    for call in (lambda: scaler.step(optimizer), lambda: scaler.unscale_(optimizer), scaler.update):
        with pytest.raises(AssertionError, match="expected scale.. to be called before"):
            call()
    scaler.scale(p.sum()).backward()
    with pytest.raises(AssertionError, match="expected a step.. or an unscale_.. before"):
        scaler.update()
    with pytest.raises(RuntimeError, match="expected no closure"):
        scaler.step(optimizer, closure=lambda: 1)
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="unscale_.. was called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="step.. was called"):
        scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="expected update.. after the last step"):
        scaler.step(optimizer)
    scaler.update()
    with pytest.raises(RuntimeError, match="expected the state of an enabled GradScaler"):
        scaler.load_state_dict({})


def test_wrong_settings():
    with pytest.raises(AssertionError, match="expected a growth_factor above 1, got 1.0"):
        GradScaler("cpu", growth_factor=1.0)
    with pytest.raises(AssertionError, match="expected a backoff_factor below 1, got 1.0"):
        GradScaler("cpu", backoff_factor=1.0)


def test_gradients_of_short_floats():
    p = nn.Parameter(tallow.ones(1, dtype=tallow.float16))
    scaler = GradScaler("cpu", init_scale=2.0)
    scaler.scale(p.sum()).backward()
    with pytest.raises(ValueError, match="unscale_: expected gradients of float32, got float16"):
        scaler.unscale_(optim.SGD([p]))


def test_without_cuda():
    if tallow.cuda.is_available():
        assert GradScaler().is_enabled()
        return
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = GradScaler()
    assert not scaler.is_enabled()
    np.testing.assert_equal(scaler.scale(3), 3)


@pytest.mark.parametrize("device", devices())
def test_on_other_devices(device):
    p = nn.Parameter(tallow.ones(1, device=device))
    optimizer = optim.SGD([p], lr=0.25)
    scaler = GradScaler(device, init_scale=4.0)
    for factor in (1.0, float("inf")):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    assert p.item() == 0.75 and scaler.get_scale() == 2
