"""What optimizers share: parameter groups, state, hooks, closures, and what a step touches."""

import copy
import pickle

import numpy as np
import pytest

import tallow
from tallow import nn, optim
from tallow.kernels.updates import TABLE, updates
from tallow.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


def parameter(*values, gradient=1.0):
    p = nn.Parameter(tallow.tensor(values))
    p.grad = tallow.full_like(p, gradient)
    return p


def test_groups_have_their_own_settings():
    a, b = parameter(0.0), parameter(0.0)
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1)
    optimizer.step()
    assert a.item() == pytest.approx(-0.1) and b.item() == -0.5
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    assert a.item() == pytest.approx(-1.1)


def test_a_group_can_be_added():
    a, b = parameter(0.0), parameter(0.0)
    optimizer = optim.SGD([a], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": b, "lr": 0.5})
    optimizer.step()
    assert b.item() == -0.5
    assert optimizer.param_groups[1]["momentum"] == 0.9


def test_names_are_kept():
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    state = optimizer.state_dict()
    assert state["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="add_param_group: expected names in all groups"):
        optimizer.add_param_group({"params": [parameter(1.0)]})
    with pytest.raises(ValueError, match="expected names for all parameters or for none"):
        optim.SGD([("weight", layer.weight), layer.bias])


@pytest.mark.parametrize(
    "params, error, message",
    [
        ([], ValueError, "SGD: expected parameters, got an empty list"),
        (tallow.ones(2), TypeError, "SGD: expected an iterable of tensors or dicts, got a tensor"),
        ([3.0], TypeError, "SGD: expected tensors as parameters, got float"),
        ([{"params": {parameter(1.0)}}], TypeError, "expected parameters in an order, got a set"),
    ],
)
def test_wrong_parameters(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params)


def test_parameters_are_leaves_in_one_group():
    p = parameter(1.0)
    with pytest.raises(ValueError, match="SGD: expected leaves as parameters"):
        optim.SGD([p * 2])
    with pytest.raises(ValueError, match="expected a parameter in one group, got it in two"):
        optim.SGD([{"params": [p]}, {"params": [p]}])
    with pytest.raises(TypeError, match="add_param_group: expected a dict, got list"):
        optim.SGD([p]).add_param_group([p])
    with pytest.warns(UserWarning, match="SGD: a parameter group has a parameter twice"):
        optim.SGD([p, p])


def test_required_settings():
    class Own(Optimizer):
        def __init__(self, params):
            super().__init__(params, {"rate": tallow.optim.optimizer.required})

    with pytest.raises(ValueError, match="expected a value of 'rate', which has no default"):
        Own([parameter(1.0)])
    own = Own([{"params": parameter(1.0), "rate": 3}])
    assert own.param_groups[0]["rate"] == 3
    with pytest.raises(NotImplementedError, match="Own: expected a subclass to define step"):
        own.step()


def test_zero_grad():
    p, q = parameter(1.0), nn.Parameter(tallow.ones(1))
    optimizer = optim.SGD([p, q])
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad and grad.item() == 0 and q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_closure():
    p = nn.Parameter(tallow.tensor([3.0]))
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tallow.no_grad():
        assert optimizer.step(closure).item() == 9
    assert p.item() == 0


def test_a_step_is_a_change_in_place():
    weight, x = parameter(2.0), tallow.tensor([3.0], requires_grad=True)
    product = weight * x
    version = weight._version
    optim.SGD([weight], lr=0.5).step()
    assert weight._version == version + 1
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        product.backward()


def test_step_keeps_the_memory():
    p = parameter(1.0, 2.0)
    memory = p.detach().numpy()
    for name in ("SGD", "Adam", "Rprop", "Adamax", "ASGD"):
        getattr(optim, name)([p]).step()
        assert p.detach().numpy() is memory or np.shares_memory(p.detach().numpy(), memory)


@pytest.mark.parametrize("dtype", [tallow.float16, tallow.bfloat16])
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "NAdam", "Rprop", "Adafactor"])
def test_short_floats(name, dtype):
    p = nn.Parameter(tallow.ones(3, dtype=dtype))
    q = nn.Parameter(tallow.ones(3))
    for x in (p, q):
        optimizer = getattr(optim, name)([x], lr=0.1)
        for _ in range(3):
            x.grad = tallow.full_like(x, 0.5)
            optimizer.step()
    assert p.dtype == dtype
    assert p.tolist() == pytest.approx(q.tolist(), abs=0.02)


def test_settings_may_be_tensors():
    p, q = parameter(1.0), parameter(1.0)
    optim.Adam([p], lr=tallow.tensor(0.1), betas=(tallow.tensor(0.5), tallow.tensor([0.9]))).step()
    optim.Adam([q], lr=0.1, betas=(0.5, 0.9)).step()
    assert p.item() == pytest.approx(q.item())
    with pytest.raises(ValueError, match=r"SGD: expected a number or a tensor of one as lr"):
        optim.SGD([p], lr=tallow.ones(2))
    with pytest.raises(ValueError, match="expected both betas as numbers or as tensors"):
        optim.Adam([p], betas=(0.9, tallow.tensor(0.9)))
    with pytest.raises(ValueError, match="expected lr and betas as numbers with foreach"):
        optim.Adam([p], lr=tallow.tensor(0.1), foreach=True)


def test_default_dtype_of_counts():
    tallow.set_default_dtype(tallow.float64)
    try:
        optimizer = optim.Adam([parameter(1.0)])
        optimizer.step()
        assert optimizer.state_dict()["state"][0]["step"].dtype == tallow.float64
    finally:
        tallow.set_default_dtype(tallow.float32)


# State


def test_state_dict_loads_copies():
    p = parameter(1.0)
    optimizer = optim.SGD([p], momentum=0.9)
    optimizer.step()
    state = optimizer.state_dict()
    other = optim.SGD([parameter(1.0)], momentum=0.9)
    other.load_state_dict(state)
    other.step()
    assert state["state"][0]["momentum_buffer"].item() == 1
    assert other.state_dict()["state"][0]["momentum_buffer"].item() == pytest.approx(1.9)


def test_wrong_state_dicts():
    optimizer = optim.SGD([parameter(1.0), parameter(2.0)])
    state = optimizer.state_dict()
    for params in ([parameter(1.0)], [{"params": parameter(1.0)}, {"params": parameter(1.0)}]):
        with pytest.raises(ValueError, match=r"load_state_dict: expected groups of \[1"):
            optim.SGD(params).load_state_dict(state)


def test_old_states_get_defaults():
    optimizer = optim.SGD([parameter(1.0)], momentum=0.5)
    state = copy.deepcopy(optimizer.state_dict())
    del state["param_groups"][0]["maximize"]
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["maximize"] is False


def test_old_states_count_steps_as_numbers():
    p = parameter(1.0)
    optimizer = optim.Adam([p], lr=0.1)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    state["state"][0]["step"] = 1
    twin = optim.Adam([parameter(p.item())], lr=0.1)
    twin.load_state_dict(state)
    for each in (optimizer, twin):
        each.step()
    assert twin.state_dict()["state"][0]["step"].item() == 2
    assert twin.param_groups[0]["params"][0].item() == p.item()


def test_adamw_stays_decoupled():
    p = parameter(1.0)
    state = optim.Adam([p]).state_dict()
    optimizer = optim.AdamW([p])
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_on(duplicate):
    p = parameter(1.0)
    optimizer = optim.Adam([p], lr=0.1)
    optimizer.step()
    twin = duplicate(optimizer)
    q = twin.param_groups[0]["params"][0]
    assert q is not p
    q.grad = tallow.ones(1)
    optimizer.step()
    twin.step()
    assert q.item() == p.item()


# Hooks


def test_step_hooks():
    p, seen = parameter(1.0), []
    optimizer = optim.SGD([p], lr=0.1)

    def before(self, args, kwargs):
        seen.append(("before", self is optimizer, args[1:], kwargs))
        return (self, lambda: seen.append("closure")), {}

    first = optimizer.register_step_pre_hook(before)
    last = optimizer.register_step_post_hook(lambda self, args, kwargs: seen.append("after"))
    optimizer.step()
    assert seen == [("before", True, (), {}), "closure", "after"]
    first.remove()
    last.remove()
    optimizer.step()
    assert len(seen) == 3
    optimizer.register_step_pre_hook(lambda self, args, kwargs: 3)
    with pytest.raises(
        RuntimeError, match="expected None or .args, kwargs. of a pre-hook, got int"
    ):
        optimizer.step()


def test_hooks_of_all_optimizers():
    seen = []
    with (
        register_optimizer_step_pre_hook(lambda self, args, kwargs: seen.append("before")),
        register_optimizer_step_post_hook(lambda self, args, kwargs: seen.append("after")),
    ):
        optim.SGD([parameter(1.0)]).step()
    optim.SGD([parameter(1.0)]).step()
    assert seen == ["before", "after"]


def test_hooks_run_once_around_an_overridden_step():
    class Twice(optim.SGD):
        def step(self, closure=None):
            super().step()
            return super().step(closure)

    p, seen = parameter(1.0), []
    optimizer = Twice([p], lr=0.25)
    optimizer.register_step_post_hook(lambda *_: seen.append(p.item()))
    optimizer.step()
    assert seen == [0.5]


def test_state_hooks():
    optimizer, order = optim.SGD([parameter(1.0)]), []
    optimizer.register_state_dict_pre_hook(lambda self: order.append("pre"))
    optimizer.register_state_dict_post_hook(lambda self, state: state | {"extra": 1})
    optimizer.register_load_state_dict_pre_hook(lambda self, state: order.append(state["extra"]))
    optimizer.register_load_state_dict_post_hook(lambda self: order.append("second"))
    optimizer.register_load_state_dict_post_hook(lambda self: order.append("first"), prepend=True)
    optimizer.load_state_dict(optimizer.state_dict())
    assert order == ["pre", 1, "first", "second"]


# Differentiable steps

DIFFERENTIABLE = [
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("Adadelta", {}),
    ("Adagrad", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Rprop", {}),
    ("ASGD", {"weight_decay": 0.1}),
]


def after_three_steps(name, settings, differentiable, start, rate):
    """A parameter that begins at `start`, with gradients that depend on it and on a rate."""
    p = start.clone() if differentiable else nn.Parameter(start.clone())
    settings = {"lr": 0.1, "differentiable": differentiable, **settings}
    optimizer = getattr(optim, name)([p], **settings)
    for _ in range(3):
        p.grad = rate * start * start + start
        optimizer.step()
    return p.sum()


@pytest.mark.parametrize("name, settings", DIFFERENTIABLE)
def test_differentiable_steps(name, settings):
    start = tallow.tensor([1.0, -3.0], dtype=tallow.float64, requires_grad=True)
    rate = tallow.tensor(0.5, dtype=tallow.float64, requires_grad=True)
    result = after_three_steps(name, settings, True, start, rate)
    result.backward()
    x, r = start.detach(), rate.detach()
    assert result.item() == after_three_steps(name, settings, False, x, r).item()
    for point, slope in (
        ([1, 0, 0], start.grad[0]),
        ([0, 1, 0], start.grad[1]),
        ([0, 0, 1], rate.grad),
    ):
        moved = tallow.tensor(point, dtype=tallow.float64) * 1e-6
        up = after_three_steps(name, settings, False, x + moved[:2], r + moved[2]).item()
        down = after_three_steps(name, settings, False, x - moved[:2], r - moved[2]).item()
        assert slope.item() == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)


def test_the_rate_can_be_learned():
    p = tallow.ones(1, requires_grad=True).clone()
    lr = tallow.tensor(0.5, requires_grad=True)
    optimizer = optim.SGD([p], lr=lr, differentiable=True)
    p.grad = tallow.tensor([3.0])
    optimizer.step()
    p.backward()
    assert p.item() == -0.5 and lr.grad.item() == -3


def test_differentiable_steps_refuse_leaves():
    with pytest.raises(RuntimeError, match="a leaf that requires gradients"):
        optim.SGD([parameter(1.0)], differentiable=True).step()


# Kernels


def test_a_kernel_takes_a_group_in_one_call(monkeypatch):
    seen = []

    def kernel(params, grads, buffers, *, lr, momentum, **settings):
        if momentum:
            return NotImplemented
        seen.append((len(params), len(grads), lr, sorted(settings)))
        for p in params:
            p.fill(7)

    monkeypatch.setitem(TABLE, ("sgd", "cpu"), kernel)
    params = [parameter(1.0), parameter(2.0)]
    optim.SGD(params, lr=0.5).step()
    assert seen == [(2, 2, 0.5, ["dampening", "maximize", "nesterov", "weight_decay"])]
    assert [p.item() for p in params] == [7, 7]
    optim.SGD(params, lr=0.5, momentum=0.9).step()  # declined: the body runs
    assert [p.item() for p in params] == [6.5, 6.5]


def test_kernels_are_registered_by_algorithm_and_backend(monkeypatch):
    monkeypatch.setitem(TABLE, ("sgd", "cpu"), None)  # what is registered below is undone
    kernel = updates("sgd", "cpu")(lambda *columns, **settings: None)
    assert TABLE["sgd", "cpu"] is kernel


def test_sparse_gradients_are_for_some():
    p = parameter(1.0)
    p.sum().backward()
    with pytest.raises(NotImplementedError, match="SparseAdam: expected sparse gradients"):
        optim.SparseAdam([p]).step()
    p.grad = p.grad.to_sparse()
    with pytest.raises(NotImplementedError, match="Adam: expected dense gradients, got a sparse"):
        optim.Adam([p]).step()
    with pytest.raises(NotImplementedError, match="SGD: expected no weight_decay with sparse"):
        optim.SGD([p], weight_decay=0.1).step()


def test_only_matrices_for_muon():
    with pytest.raises(ValueError, match=r"Muon: expected matrices, got float32 \(1,\)"):
        optim.Muon([parameter(1.0)])


@pytest.mark.parametrize("name, shape", [("Adafactor", (2,)), ("Muon", (2, 2))])
def test_only_real_parameters(name, shape):
    p = nn.Parameter(tallow.zeros(shape, dtype=tallow.complex64))
    p.grad = tallow.zeros_like(p)
    with pytest.raises(RuntimeError, match=f"{name}: expected real parameters, got a complex one"):
        getattr(optim, name)([p]).step()


def test_empty_parameters():
    p = nn.Parameter(tallow.empty(0, 2))
    p.grad = tallow.empty(0, 2)
    optim.Adafactor([p]).step()
    assert p.shape == (0, 2)
