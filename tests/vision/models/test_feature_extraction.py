"""create_feature_extractor, get_graph_node_names and IntermediateLayerGetter."""

import pickle

import numpy as np
import pytest

import tallow
from tallow import nn
from tallowvision import models
from tallowvision.models._utils import IntermediateLayerGetter
from tallowvision.models.feature_extraction import create_feature_extractor, get_graph_node_names


class Twice(nn.Module):
    """It calls one module twice, another in training alone."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tallow.tensor(2.0))
        self.linear = nn.Linear(3, 3)
        self.relu = nn.ReLU()
        self.extra = nn.Identity()

    def forward(self, x):
        x = self.relu(self.linear(self.relu(x * self.scale)))
        return self.extra(x) if self.training else x


def test_outputs_are_those_of_the_modules():
    model = models.resnet20().eval()
    x = tallow.rand(2, 3, 16, 16)
    stem = nn.functional.relu(model.bn1(model.conv1(x)))
    first = model.layer1(stem)
    features = create_feature_extractor(model, {"layer2": "half", "layer1": "whole", "fc": "out"})
    found = features(x)
    assert list(found) == ["half", "whole", "out"]
    np.testing.assert_array_equal(found["whole"].detach(), first.detach())
    np.testing.assert_array_equal(found["half"].detach(), model.layer2(first).detach())
    np.testing.assert_array_equal(found["out"].detach(), model(x).detach())


def test_no_more_is_computed_than_wanted():
    model = models.resnet20().eval()
    calls = []
    model.layer2.register_forward_hook(lambda *args: calls.append(1))
    create_feature_extractor(model, ["layer1.0.bn2"])(tallow.rand(1, 3, 8, 8))
    assert not calls


def test_repeated_calls_have_numbers():
    model = Twice()
    x = tallow.tensor([[1.0, -1.0, 2.0]])
    found = create_feature_extractor(model, ["relu", "relu_1"])(x)
    np.testing.assert_array_equal(found["relu"].detach(), [[2, 0, 4]])
    np.testing.assert_array_equal(found["relu_1"].detach(), model(x).detach())


def test_nodes_of_training_and_of_evaluation():
    features = create_feature_extractor(
        Twice(), train_return_nodes=["extra"], eval_return_nodes={"relu_1": "last"}
    )
    x = tallow.ones(1, 3)
    assert list(features.train()(x)) == ["extra"]
    assert list(features.eval()(x)) == ["last"]
    with pytest.raises(RuntimeError, match="expected extra to be called, it was not"):
        create_feature_extractor(Twice(), ["extra"]).eval()(x)


def test_it_shares_the_networks_parameters_under_the_same_keys():
    model = Twice()
    features = create_feature_extractor(model, ["linear"])
    assert list(features.state_dict()) == list(model.state_dict())
    features(tallow.ones(1, 3))["linear"].sum().backward()
    assert model.linear.weight.grad is not None and model.scale.grad is not None
    features.double()
    assert model.scale.dtype == tallow.float64
    assert features(tallow.ones(1, 3).double())["linear"].dtype == tallow.float64


def test_it_can_be_pickled():
    features = create_feature_extractor(Twice().eval(), ["linear"])
    again = pickle.loads(pickle.dumps(features))
    x = tallow.ones(1, 3)
    np.testing.assert_array_equal(again(x)["linear"].detach(), features(x)["linear"].detach())
    again.scale.data = tallow.tensor(0.0)
    np.testing.assert_array_equal(again(x)["linear"].detach()[0], again.linear.bias.detach())


def test_names():
    model = Twice().eval()
    assert get_graph_node_names(model) == (["linear", "relu", "extra"],) * 2
    _, names = get_graph_node_names(model, concrete_args={"x": tallow.ones(1, 3)})
    assert names == ["relu", "linear", "relu_1"]


def test_unknown_nodes_are_refused():
    with pytest.raises(ValueError, match="got 'layer5'; did you mean 'layer"):
        create_feature_extractor(models.resnet20(), ["layer5"])
    with pytest.raises(ValueError, match="got 'flatten'; see get_graph_node_names"):
        create_feature_extractor(models.resnet20(), ["flatten"])
    with pytest.raises(ValueError, match="expected return_nodes"):
        create_feature_extractor(models.resnet20(), train_return_nodes=["fc"])


def test_intermediate_layers():
    model = models.resnet18().eval()
    getter = IntermediateLayerGetter(model, {"layer1": "a", "layer3": "b"})
    assert "layer4" not in getter and "fc" not in getter
    shapes = {name: tuple(out.shape) for name, out in getter(tallow.rand(1, 3, 32, 32)).items()}
    assert shapes == {"a": (1, 64, 8, 8), "b": (1, 256, 2, 2)}
    with pytest.raises(ValueError, match="return_layers: .*got 'layer9'"):
        IntermediateLayerGetter(model, {"layer9": "a"})
