"""What holds on every device besides the CPU: CUDA where there is one, and a stand-in always."""

import numpy as np
import pytest

import tallow
from tallow import backend
from tallow.autograd.op import Op
from tallow.errors import DeviceError, GradientError, TypeMismatchError
from tallow.testing import assert_close
from tallow.testing.devices import devices

pytestmark = pytest.mark.parametrize("where", devices())


def test_there_and_back(where):
    x = tallow.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = x.to(where)
    assert y.device.type == where and y.shape == x.shape and y.dtype is x.dtype
    assert_close(y.cpu(), x)
    assert y.to(where) is y and x.cpu() is x
    y.add_(1)
    assert x.tolist() == [[1, 2], [3, 4]] and y.tolist() == [[2, 3], [4, 5]]


def test_to_takes_dtype_and_device(where):
    x = tallow.ones(2, dtype=tallow.int32)
    assert x.to(where, tallow.float64).dtype is tallow.float64
    assert x.to(tallow.ones(1).to(where)).device.type == where


def test_gradients_pass_between_devices(where):
    x = tallow.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).to(where)
    z = (y * y).cpu()
    (z * 3).sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [24, 48]


def test_gradients_stay_on_their_device(where):
    x = tallow.tensor([1.0, 2.0]).to(where).requires_grad_()
    y = (x.exp() * x).sum()
    (g,) = tallow.autograd.grad(y, x, create_graph=True)
    g.sum().backward()
    assert x.grad.device.type == g.device.type == where
    again = tallow.tensor([1.0, 2.0], requires_grad=True)
    (h,) = tallow.autograd.grad((again.exp() * again).sum(), again, create_graph=True)
    h.sum().backward()
    assert_close(x.grad.cpu(), again.grad)


def test_accumulation(where):
    x = tallow.ones(3).to(where).requires_grad_()
    for _ in range(3):
        (x * 2 + x).sum().backward()
    assert x.grad.tolist() == [9, 9, 9]


def test_creation(where):
    for made in (
        tallow.ones(2, device=where),
        tallow.tensor([1.0, 2.0], device=where),
        tallow.arange(3, device=where),
        tallow.zeros_like(tallow.ones(2).to(where)),
        tallow.ones(2).to(where).new_full((2,), 3),
        tallow.rand(2, device=where),
    ):
        assert made.device.type == where


def test_mixed_devices(where):
    x, y = tallow.ones(2), tallow.ones(2).to(where)
    for wrong in (lambda: x + y, lambda: y @ x, lambda: tallow.cat([x, y]), lambda: y.mul_(x)):
        with pytest.raises(
            DeviceError, match=r"expected all operands on one device.*\.to\(device\)"
        ):
            wrong()


def test_numbers_and_scalars_mix(where):
    x = tallow.ones(2).to(where)
    assert (x + 1).tolist() == (2 * x).tolist() == [2, 2]
    assert (x.sum() * x).device.type == where


def test_out_of_the_device(where):
    x = tallow.tensor([1.5]).to(where)
    assert x.item() == 1.5 and float(x) == 1.5 and bool(x) and x.tolist() == [1.5]
    assert f"device='{where}" in repr(x)
    with pytest.raises(TypeMismatchError, match=r"numpy: expected a CPU tensor, .* use \.cpu\(\)"):
        x.numpy()
    with pytest.raises(GradientError, match="numpy"):
        x.requires_grad_().numpy()
    assert isinstance(x.numpy(force=True), np.ndarray)


def test_views_and_changes(where):
    x = tallow.zeros(2, 3).to(where)
    x[0].add_(1)
    x[:, 1] = 5
    x.T[2].mul_(2)
    x[x > 4] = 7
    assert x.tolist() == [[1, 7, 2], [0, 7, 0]] and x._version == 4


def test_changes_of_recorded_views(where):
    x = tallow.ones(2, 2).to(where).requires_grad_()
    y = x * 1
    y[0].mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [[3, 3], [1, 1]]


def test_indices(where):
    x = tallow.arange(6).reshape(2, 3).to(where)
    index = tallow.tensor([1, 0]).to(where)
    assert x[index].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x[[1, 0]].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x.gather(1, index[:, None]).tolist() == [[1], [3]]
    assert x.sort(descending=True).values.tolist() == [[2, 1, 0], [5, 4, 3]]


def test_generic_bodies_are_bound_once(where):
    seen = []

    def doubled(xp, x):
        seen.append(xp)
        return xp.add(x, x)

    made = Op(doubled)
    x = tallow.ones(2).to(where)
    for _ in range(2):
        assert made.call(x).tolist() == [2, 2]
    assert seen == [backend.for_device(where).xp] * 2
    assert made.kernels.keys() == {backend.for_device(where).array_type}
    made.call(tallow.ones(2))
    assert len(made.kernels) == 2


def test_kernels_fall_through(where):
    def doubled(x):
        return x + x

    made = Op(doubled)
    x = tallow.ones(2).to(where)
    assert made.call(x).tolist() == [2, 2]
    made.on(where)(lambda x: NotImplemented if x.ndim == 2 else x * 10)
    assert made.call(x).tolist() == [10, 10] and made.call(x[None]).tolist() == [[2, 2]]
    made.on(where)(lambda x: NotImplemented if x.ndim == 1 else x * 100)
    assert made.call(x).tolist() == [10, 10], "the kernel registered before is asked next"
    assert made.call(x[0]).item() == 100 and made.call(tallow.ones(1)).item() == 2


def test_models_train(where):
    tallow.manual_seed(0)
    model = tallow.nn.Sequential(tallow.nn.Linear(3, 4), tallow.nn.ReLU(), tallow.nn.Linear(4, 1))
    x, y = tallow.rand(5, 3), tallow.rand(5, 1)
    losses = {}
    start = {name: p.clone() for name, p in model.state_dict().items()}
    for device in ("cpu", where):
        model.load_state_dict(start)
        model.to(device)
        optimizer = tallow.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses[device] = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = tallow.nn.functional.mse_loss(model(x.to(device)), y.to(device))
            loss.backward()
            optimizer.step()
            losses[device].append(loss.item())
        assert {p.device.type for p in model.parameters()} == {device}
    assert losses[where] == pytest.approx(losses["cpu"], rel=1e-5)


def test_unknown_devices(where):
    with pytest.raises(DeviceError, match="device: expected"):
        tallow.ones(1).to("nowhere")
