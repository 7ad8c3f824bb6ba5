"""L-BFGS finds minima as PyTorch's does, call by call."""

import numpy as np
import pytest

import tallow
from tallow import nn, optim
from tallow.optim.line_search import strong_wolfe

torch = pytest.importorskip("torch")


def minimise(library, settings, steps, dtype="float64", complex_valued=False):
    """The losses, the parameters and the state after steps on Rosenbrock's function."""
    start = np.array([-1.5, 2.0, 0.5], dtype)
    if complex_valued:
        start = start.astype("complex128") + 0.5j
    x = library.from_numpy(start).requires_grad_()
    scale = library.from_numpy(np.array([[0.3]], dtype)).requires_grad_()
    unused = library.from_numpy(np.zeros(2, dtype)).requires_grad_()
    optimizer = library.optim.LBFGS([x, scale, unused], **settings)

    def closure():
        optimizer.zero_grad()
        y = library.view_as_real(x).reshape(-1) if complex_valued else x
        loss = (100 * (y[1:] - y[:-1] ** 2) ** 2 + (1 - y[:-1]) ** 2).sum()
        loss = loss + (scale**4).sum() + (scale * y[0]).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    state = optimizer.state_dict()["state"][0]
    return losses, [p.detach().numpy() for p in (x, scale, unused)], state


@pytest.mark.parametrize(
    "settings, steps",
    [
        ({"lr": 0.1}, 4),
        ({"lr": 0.05, "max_iter": 7, "history_size": 3}, 4),
        ({"line_search_fn": "strong_wolfe"}, 3),
        ({"line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 2}, 4),
        ({"line_search_fn": "strong_wolfe", "max_eval": 6}, 4),
        ({"line_search_fn": "strong_wolfe", "tolerance_grad": 5.0}, 5),
    ],
)
@pytest.mark.parametrize("complex_valued", [False, True])
def test_minimises_as_pytorch_does(settings, steps, complex_valued):
    losses, params, state = minimise(tallow, settings, steps, complex_valued=complex_valued)
    expected = minimise(torch, settings, steps, complex_valued=complex_valued)
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    for ours, theirs in zip(params, expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
    for name in ("n_iter", "func_evals"):
        assert state[name] == expected[2][name]
    assert set(state) == set(expected[2])


def test_state_goes_on():
    def closure():
        optimizer.zero_grad()
        loss = ((x - 3) ** 4).sum()
        loss.backward()
        return loss

    results = []
    for interrupted in (False, True):
        x = nn.Parameter(tallow.zeros(2, dtype=tallow.float64))
        optimizer = optim.LBFGS([x], max_iter=3)
        optimizer.step(closure)
        if interrupted:
            state = optimizer.state_dict()
            optimizer = optim.LBFGS([x], max_iter=3)
            optimizer.load_state_dict(state)
        optimizer.step(closure)
        results.append(x.tolist())
    assert results[0] == results[1]


def test_a_minimum_is_left_alone():
    x = nn.Parameter(tallow.zeros(2))
    optimizer = optim.LBFGS([x])

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0
    assert optimizer.state[x] == {"func_evals": 1, "n_iter": 0}


def test_wrong_arguments():
    x, y = nn.Parameter(tallow.zeros(2)), nn.Parameter(tallow.zeros(2))
    with pytest.raises(ValueError, match="LBFGS: expected one parameter group, got 2"):
        optim.LBFGS([{"params": x}, {"params": y}])
    optimizer = optim.LBFGS([x], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="expected line_search_fn 'strong_wolfe' or None"):
        optimizer.step(lambda: (x * x).sum())


def test_line_search_meets_its_conditions():
    direction = tallow.tensor([1.0])

    def at(t):
        return (t - 2) ** 2 + 1, tallow.tensor([2 * (t - 2)])

    loss, gradient, t = strong_wolfe(at, 0.01, direction, 5.0, tallow.tensor([-4.0]), -4.0, 25)
    assert loss <= 5.0 + 1e-4 * t * -4.0
    assert abs(gradient.item()) <= 0.9 * 4
