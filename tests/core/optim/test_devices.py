"""Steps on other devices are those on the CPU, and groups may have parameters on several."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.testing.devices import devices

CASES = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1}),
    ("Adadelta", {}),
    ("Adagrad", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9)}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Rprop", {}),
    ("ASGD", {"t0": 1}),
    ("Adafactor", {}),
    ("Muon", {}),
]


def run(name, settings, places, values):
    """The parameters, and the state, after three steps with gradients from a seed."""
    rng = np.random.default_rng(1)
    params = [nn.Parameter(tallow.tensor(v, device=p)) for v, p in zip(values, places, strict=True)]
    optimizer = getattr(tallow.optim, name)(params, **settings)
    for _ in range(3):
        for p, where in zip(params, places, strict=True):
            p.grad = tallow.from_numpy(rng.standard_normal(p.shape).astype("float32")).to(where)
        optimizer.step()
    return [p.detach().cpu().numpy() for p in params], optimizer


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("name, settings", CASES)
def test_steps(device, name, settings):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((3, 3)).astype("float32") for _ in range(3)]
    expected, on_cpu = run(name, settings, ["cpu"] * 3, values)
    for places in ([device] * 3, [device, "cpu", device]):
        found, optimizer = run(name, settings, places, values)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        for p in optimizer.param_groups[0]["params"]:
            for key, value in optimizer.state[p].items():
                assert value.device.type == ("cpu" if value.ndim == 0 else p.device.type), key
        again, other = run(name, settings, places, values)
        other.load_state_dict(on_cpu.state_dict())
        for p in other.param_groups[0]["params"]:
            assert all(v.device.type == p.device.type for v in other.state[p].values() if v.ndim)


@pytest.mark.parametrize("device", devices())
def test_lbfgs(device):
    found = []
    for where in ("cpu", device):
        x = nn.Parameter(tallow.tensor([3.0, -2.0], device=where))
        optimizer = tallow.optim.LBFGS([x], line_search_fn="strong_wolfe")

        def closure(x=x, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((x - 1) ** 4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        found.append(x.detach().cpu().numpy())
    np.testing.assert_allclose(*found, rtol=1e-4)
