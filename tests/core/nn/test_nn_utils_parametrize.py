"""Parametrizations: registering, reading, assigning, removing, and the ready ones."""

import copy
import pickle

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn.utils import parametrizations, parametrize

torch = pytest.importorskip("torch")


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T

    def right_inverse(self, x):
        return x.triu()


class Doubled(nn.Module):
    def forward(self, x):
        return x * 2


class Split(nn.Module):
    """A tensor from two."""

    def forward(self, a, b):
        return a + b

    def right_inverse(self, x):
        return x * 0.25, x * 0.75


def layer_of(library, *size):
    """A linear layer with weights from a seed, which both libraries make alike."""
    library.manual_seed(0)
    return library.nn.Linear(*size)


def close(ours, theirs, tolerance=1e-6):
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_a_parametrized_layer():
    layer = nn.Linear(3, 3)
    original = layer.weight
    value = original.detach().clone()
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert layer.parametrizations.weight.original is original
    expected = value.triu() + value.triu(1).T
    assert layer.weight.tolist() == expected.tolist()
    assert [name for name, _ in layer.named_parameters()] == [
        "bias",
        "parametrizations.weight.original",
    ]
    layer(tallow.ones(1, 3)).sum().backward()
    assert original.grad is not None and original.grad[1, 0].item() == 0


def test_assignment_goes_through_the_inverse():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    layer.weight = tallow.tensor([[1.0, 2.0], [2.0, 3.0]])
    assert layer.weight.tolist() == [[1, 2], [2, 3]]
    assert layer.parametrizations.weight.original.tolist() == [[1, 2], [0, 3]]
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert layer.weight.tolist() == [[2, 4], [4, 6]]
    with pytest.raises(RuntimeError, match=r"Doubled: expected a right_inverse\(\) to assign by"):
        layer.weight = tallow.ones(2, 2)
    other = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    with pytest.raises(ValueError, match="expected a tensor of tallow.float32, got int64"):
        other.weight = tallow.tensor([[1, 2], [2, 3]])


def test_one_tensor_from_several():
    layer = nn.Linear(2, 2)
    value = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Split())
    parts = layer.parametrizations.weight
    assert parts.ntensors == 2 and isinstance(parts.original1, nn.Parameter)
    np.testing.assert_allclose(layer.weight.detach().numpy(), value.numpy(), rtol=1e-6)
    layer.weight = tallow.ones(2, 2)
    assert parts.original0[0, 0].item() == 0.25
    with pytest.raises(ValueError, match="expected leave_parametrized for a tensor"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("leave_parametrized", [True, False])
def test_removal(leave_parametrized):
    layer = nn.Linear(2, 2)
    original = layer.weight
    parametrize.register_parametrization(layer, "weight", Doubled())
    parametrize.register_parametrization(layer, "bias", Doubled())
    value = (layer.weight if leave_parametrized else original).tolist()
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized)
    assert parametrize.is_parametrized(layer) and layer.weight is original
    assert layer.weight.tolist() == value
    parametrize.remove_parametrizations(layer, "bias")
    assert type(layer) is nn.Linear and not hasattr(layer, "parametrizations")
    with pytest.raises(ValueError, match="expected a parametrization on 'bias' of Linear"):
        parametrize.remove_parametrizations(layer, "bias")


def test_buffers():
    layer = nn.BatchNorm1d(2)
    parametrize.register_parametrization(layer, "running_mean", Doubled())
    assert "parametrizations.running_mean.original" in layer.state_dict()
    assert layer.running_mean.tolist() == [0, 0] and "running_mean" not in layer._buffers


def test_wrong_parametrizations():
    class Wider(nn.Module):
        def forward(self, x):
            return x.reshape(-1)

    class Short(nn.Module):
        def forward(self, x):
            return x.half()

    class Back(Doubled):
        def right_inverse(self, x):
            return x.double()

    register = parametrize.register_parametrization
    for wrong, message in (
        (Wider(), r"parametrization: expected a tensor \(2, 3\) of tallow.float32, got float32"),
        (Short(), "got float16"),
        (Back(), "right_inverse: expected tallow.float32 on cpu, got tallow.float64"),
    ):
        with pytest.raises(ValueError, match=message):
            register(nn.Linear(3, 2), "weight", wrong)
    layer = register(nn.Linear(3, 2), "weight", Doubled())
    for wrong in (Wider(), Short(), Back()):
        with pytest.raises(ValueError, match="or pass unsafe=True"):
            register(layer, "weight", wrong)
    assert register(layer, "weight", Wider(), unsafe=True).weight.shape == (6,)
    with pytest.raises(ValueError, match="expected a parameter or buffer of Linear, got 'size'"):
        register(nn.Linear(2, 2), "size", Doubled())
    with pytest.raises(ValueError, match="ParametrizationList: expected modules, got none"):
        parametrize.ParametrizationList([], nn.Parameter(tallow.ones(1)))


def test_cached():
    calls = []

    class Counted(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x * 2

    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Counted())
    calls.clear()
    with parametrize.cached():
        with parametrize.cached():
            assert layer.weight is layer.weight
        layer(tallow.ones(2))
    assert len(calls) == 1
    assert layer.weight is not layer.weight and len(calls) == 3


def test_copies_and_pickles():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    twin = copy.deepcopy(layer)
    assert twin.weight.tolist() == layer.weight.tolist()
    assert twin.parametrizations.weight.original is not layer.parametrizations.weight.original
    with pytest.raises(RuntimeError, match=r"expected its state_dict\(\) to be saved"):
        pickle.dumps(layer)


def test_transfer():
    source = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    target = parametrize.transfer_parametrizations_and_params(source, nn.Linear(2, 2))
    assert target.weight.tolist() == source.weight.tolist()
    assert target.parametrizations.weight.original is source.parametrizations.weight.original
    parametrize.register_parametrization(source, "bias", Split())
    target = parametrize.transfer_parametrizations_and_params(source, nn.Linear(2, 2), "bias")
    assert not parametrize.is_parametrized(target, "weight")
    assert target.parametrizations.bias.original1 is source.parametrizations.bias.original1


# The ready ones


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim):
    layers = []
    for library in (tallow, torch):
        layer = layer_of(library, 3, 4)
        library.nn.utils.parametrizations.weight_norm(layer, dim=dim)
        (layer(library.ones(2, 3)) ** 2).sum().backward()
        layers.append(layer)
    ours, theirs = layers
    close(ours.weight, theirs.weight)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for i in range(2):
        mine = getattr(ours.parametrizations.weight, f"original{i}")
        other = getattr(theirs.parametrizations.weight, f"original{i}")
        close(mine, other)
        close(mine.grad, other.grad, 1e-5)


def test_weight_norm_of_convolutions():
    for name in ("Conv2d", "ConvTranspose2d"):
        results = []
        for library in (tallow, torch):
            library.manual_seed(0)
            layer = getattr(library.nn, name)(2, 3, 3)
            library.nn.utils.parametrizations.weight_norm(layer, dim=1)
            results.append(layer(library.ones(1, 2, 5, 5)))
        close(*results, 1e-5)


def test_weight_norm_loads_the_older_names():
    old = nn.Linear(3, 2)
    with pytest.warns(FutureWarning, match="weight_norm is deprecated"):
        nn.utils.weight_norm(old)
    new = parametrizations.weight_norm(nn.Linear(3, 2))
    new.load_state_dict(old.state_dict())
    x = tallow.randn(4, 3)
    close(new(x), torch.from_numpy(old(x).detach().numpy()))


@pytest.mark.parametrize("kind, size", [("Linear", (3, 4)), ("Conv2d", (2, 3, 3)),
                                        ("ConvTranspose1d", (2, 3, 2))])  # fmt: skip
def test_spectral_norm(kind, size):
    results, states = [], []
    for library in (tallow, torch):
        library.manual_seed(0)
        layer = getattr(library.nn, kind)(*size)
        library.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=2)
        weights = [layer.weight for _ in range(3)]
        (weights[-1] ** 2).sum().backward()
        layer.eval()
        results.append([*weights, layer.weight, layer.parametrizations.weight.original.grad])
        states.append(layer.state_dict())
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs, 1e-5)
    assert list(states[0]) == list(states[1])
    for name in states[1]:
        close(states[0][name], states[1][name], 1e-5)


def test_spectral_norm_of_a_vector():
    module = nn.Module()
    module.weight = nn.Parameter(tallow.tensor([3.0, 4.0]))
    parametrizations.spectral_norm(module)
    assert module.weight.tolist() == pytest.approx([0.6, 0.8])


def test_spectral_norm_is_assigned_to():
    layer = parametrizations.spectral_norm(nn.Linear(2, 2))
    layer.weight = tallow.eye(2) * 3
    assert layer.parametrizations.weight.original.tolist() == [[3, 0], [0, 3]]


def test_wrong_arguments():
    with pytest.raises(IndexError, match="spectral_norm: expected a dim of float32"):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)
    with pytest.raises(ValueError, match="expected n_power_iterations from 1 up, got 0"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(ValueError, match="expected a parameter or buffer 'size' of Linear"):
        parametrizations.spectral_norm(nn.Linear(2, 2), "size")
