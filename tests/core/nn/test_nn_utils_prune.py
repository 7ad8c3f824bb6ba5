"""Pruning masks the weights that PyTorch's masks."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn.utils import prune

torch = pytest.importorskip("torch")


def layer_of(library):
    library.manual_seed(0)
    return library.nn.Conv2d(2, 4, 3)


CALLS = [
    "identity(layer, 'weight')",
    "random_unstructured(layer, 'weight', 0.3)",
    "random_unstructured(layer, 'bias', 2)",
    "l1_unstructured(layer, 'weight', 0.3)",
    "l1_unstructured(layer, 'weight', 0)",
    "l1_unstructured(layer, 'weight', 11, importance_scores=-layer.weight.detach())",
    "random_structured(layer, 'weight', 2, 0)",
    "random_structured(layer, 'weight', 0.5, -1)",
    "ln_structured(layer, 'weight', 0.5, 2, 0)",
    "ln_structured(layer, 'weight', 1, float('inf'), -1)",
    "ln_structured(layer, 'weight', 1, 1, 2, importance_scores=-layer.weight.detach())",
    "custom_from_mask(layer, 'bias', torch.tensor([1, 0, 0, 1]))",
]


@pytest.mark.parametrize("call", CALLS)
def test_masks(call):
    results = []
    for library in (tallow, torch):
        layer = layer_of(library)
        pruning = library.nn.utils.prune if library is tallow else _torch_prune()
        assert eval(f"prune.{call}", {"prune": pruning, "layer": layer, "torch": library}) is layer
        (layer(library.ones(1, 2, 5, 5)) ** 2).sum().backward()
        assert pruning.is_pruned(layer)
        state = {name: tensor.numpy() for name, tensor in layer.state_dict().items()}
        grads = {name: p.grad.numpy() for name, p in layer.named_parameters()}
        results.append((state, layer.weight.detach().numpy(), grads))
    (state, weight, grads), (their_state, their_weight, their_grads) = results
    assert list(state) == list(their_state)
    for name in state:
        np.testing.assert_allclose(state[name], their_state[name], rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(weight, their_weight, rtol=1e-6)
    for name in their_grads:
        np.testing.assert_allclose(grads[name], their_grads[name], rtol=1e-4, atol=1e-4)


def _torch_prune():
    import torch.nn.utils.prune as theirs

    return theirs


def test_pruning_further():
    masks = []
    for library in (tallow, torch):
        pruning = library.nn.utils.prune if library is tallow else _torch_prune()
        layer = layer_of(library)
        pruning.l1_unstructured(layer, "weight", 0.3)
        pruning.ln_structured(layer, "weight", 1, 2, 0)
        pruning.l1_unstructured(layer, "weight", 5)
        pruning.random_structured(layer, "weight", 1, 0)
        pruning.custom_from_mask(layer, "weight", (layer.weight > 0).float())
        masks.append(layer.weight_mask.numpy())
    np.testing.assert_array_equal(*masks)


def test_containers():
    layer = nn.Linear(2, 2)
    first = prune.L1Unstructured.apply(layer, "weight", 1)
    container = prune.RandomUnstructured.apply(layer, "weight", 1)
    assert len(container) == 2 and container[0] is first and list(container)[0] is first
    with pytest.raises(TypeError, match="PruningContainer: expected a BasePruningMethod, got int"):
        container.add_pruning_method(3)
    other = prune.Identity.apply(layer, "bias")
    with pytest.raises(ValueError, match="expected a method on 'weight', got one on 'bias'"):
        container.add_pruning_method(other)
    other.PRUNING_TYPE, other._tensor_name = "none", "weight"
    container.add_pruning_method(other)
    with pytest.raises(ValueError, match="PRUNING_TYPE of 'unstructured'"):
        container.compute_mask(layer.weight, layer.weight_mask)


def test_removal():
    layer = layer_of(tallow)
    names = [name for name, _ in layer.named_parameters()]
    original = layer.weight
    prune.l1_unstructured(layer, "weight", 0.5)
    value = layer.weight.tolist()
    assert prune.remove(layer, "weight") is layer
    assert layer.weight is original and layer.weight.tolist() == value
    assert sorted(name for name, _ in layer.named_parameters()) == sorted(names)
    assert not prune.is_pruned(layer) and list(layer.buffers()) == []
    with pytest.raises(ValueError, match="expected one on 'weight' of Conv2d"):
        prune.remove(layer, "weight")


def test_over_several_layers():
    weights = []
    for library in (tallow, torch):
        pruning = library.nn.utils.prune if library is tallow else _torch_prune()
        library.manual_seed(0)
        first, second = library.nn.Linear(3, 4), library.nn.Linear(4, 2)
        pruning.l1_unstructured(first, "weight", 2)
        pairs = [(first, "weight"), (second, "weight"), (second, "bias")]
        scores = {pairs[2]: library.tensor([0.0, 9.0])}
        pruning.global_unstructured(
            pairs, pruning.L1Unstructured, importance_scores=scores, amount=0.4
        )
        weights.append([getattr(module, name).detach().numpy() for module, name in pairs])
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_copy_can_be_pruned():
    t = tallow.tensor([[1.0, -3.0], [2.0, 0.5]])
    assert prune.L1Unstructured(2).prune(t).tolist() == [[0, -3], [2, 0]]
    mask = tallow.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert prune.Identity().prune(t, mask).tolist() == [[1, 0], [2, 0.5]]
    with pytest.raises(AssertionError, match=r"expected importance_scores \(2, 2\), got \(2,\)"):
        prune.L1Unstructured(2).prune(t, importance_scores=t[0])


@pytest.mark.parametrize(
    "call, error, message",
    [
        ("l1_unstructured(layer, 'weight', 'all')", TypeError, "expected a number as amount"),
        ("l1_unstructured(layer, 'weight', 1.5)", ValueError, "a float from 0 to 1, got 1.5"),
        ("l1_unstructured(layer, 'weight', -1)", ValueError, "an amount from 0 up"),
        ("l1_unstructured(layer, 'bias', 5)", ValueError, "an amount of at most 4, got 5"),
        ("ln_structured(layer, 'bias', 1, 2, 0)", ValueError, "expected a tensor with channels"),
        ("ln_structured(layer, 'weight', 1, 2, 4)", IndexError, "expected a dim of"),
        ("custom_from_mask(layer, 'bias', layer.weight)", AssertionError, "expected a mask"),
        ("global_unstructured(3, None)", TypeError, r"expected pairs \(module, name\), got int"),
        ("global_unstructured([(layer, 'bias')], prune.L1Unstructured, [1])", TypeError,
         "expected a dict of importance_scores, got list"),
        ("global_unstructured([(layer, 'bias')], prune.LnStructured, amount=1, n=1)", TypeError,
         "expected an unstructured method, got LnStructured"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, error, message):
    for library, pruning in ((tallow, prune), (torch, _torch_prune())):
        layer = layer_of(library)
        with pytest.raises(error, match=message if library is tallow else None):
            eval(f"prune.{call}", {"prune": pruning, "layer": layer})
        assert not hasattr(layer, "weight_mask") and layer.weight.shape == (4, 2, 3, 3)
