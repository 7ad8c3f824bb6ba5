"""Module: registration, walking, changing all of it, copies, repr and error messages."""

import copy
import pickle

import pytest

import tallow
from tallow import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(self.norm(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.scale = nn.Parameter(tallow.ones(4))
        self.register_buffer("steps", tallow.tensor(0))
        self.register_buffer("cache", tallow.zeros(2), persistent=False)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return x * self.scale


def names(pairs):
    return [name for name, _ in pairs]


# Registration


def test_assignment_registers_by_kind():
    module = nn.Module()
    module.weight = nn.Parameter(tallow.ones(2))
    module.child = nn.ReLU()
    module.state = nn.Buffer(tallow.zeros(1), persistent=False)
    module.plain = tallow.zeros(3)
    assert names(module.named_parameters()) == ["weight"]
    assert names(module.named_children()) == ["child"]
    assert names(module.named_buffers()) == ["state"]
    assert list(module.state_dict()) == ["weight"]


def test_assignment_of_another_kind_moves_the_name():
    module = nn.Module()
    module.x = 3
    module.x = nn.Parameter(tallow.ones(2))
    assert list(module._parameters) == ["x"]
    module.x = nn.ReLU()
    assert list(module._parameters) == [] and list(module._modules) == ["x"]


def test_none_keeps_the_name_registered():
    layer = nn.Linear(2, 2)
    layer.bias = None
    assert names(layer.named_parameters()) == ["weight"]
    assert list(layer._parameters) == ["weight", "bias"]
    layer.bias = nn.Parameter(tallow.zeros(2))
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_plain_tensor_replaces_a_buffer():
    module = nn.Module()
    module.register_buffer("mean", tallow.zeros(2))
    module.mean = tallow.ones(2)
    assert module.state_dict()["mean"].tolist() == [1, 1]


def test_deletion_unregisters():
    layer = nn.Linear(2, 2)
    del layer.bias
    assert list(layer.state_dict()) == ["weight"]
    assert not hasattr(layer, "bias")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        del layer.nothing


def test_the_registries_are_live_mappings():
    layer = nn.Linear(2, 2)
    weight = layer._parameters.pop("weight")
    assert not hasattr(layer, "weight")
    layer._parameters["weight"] = weight
    assert layer.weight is weight
    assert list(layer._parameters) == ["bias", "weight"]
    assert len(layer._modules) == 0
    with pytest.raises(KeyError):
        layer._buffers["weight"]
    with pytest.raises(KeyError):
        del layer._buffers["weight"]
    assert repr(layer._modules) == "{}"


@pytest.mark.parametrize(
    "act, error, message",
    [
        (lambda m: setattr(m, "weight", tallow.ones(2)), TypeError, "weight: expected a Parameter"),
        (lambda m: m.register_parameter("a.b", None), KeyError, "without '.'"),
        (lambda m: m.register_parameter("", None), KeyError, "without '.'"),
        (lambda m: m.register_parameter(3, None), TypeError, "expected a string, got int"),
        (lambda m: m.register_parameter("forward", None), KeyError, "'forward' already exists"),
        (lambda m: m.register_parameter("w", tallow.ones(2)), TypeError, "a Parameter or None"),
        (lambda m: m.register_buffer("weight", None), KeyError, "'weight' already exists"),
        (lambda m: m.register_buffer("state", 3), TypeError, "expected a Tensor or None, got int"),
        (lambda m: m.add_module("child", 3), TypeError, "expected a Module or None, got int"),
        (lambda m: m.train("yes"), ValueError, "train: expected True or False, got 'yes'"),
        (lambda m: nn.Parameter(3), TypeError, "Parameter: expected a tensor, got int"),
    ],
)  # fmt: skip
def test_misuse_says_what_was_expected(act, error, message):
    with pytest.raises(error, match=message):
        act(nn.Linear(2, 2))


def test_a_parameter_must_be_a_leaf():
    twice = nn.Parameter(tallow.ones(2)) * 2
    assert not isinstance(twice, nn.Parameter)
    assert nn.Parameter(twice).is_leaf
    with pytest.raises(RuntimeError, match="expected a floating-point"):
        nn.Parameter(tallow.tensor([1, 2]))
    assert not nn.Parameter(tallow.tensor([1, 2]), requires_grad=False).requires_grad


def test_missing_super_init_is_explained():
    class Forgetful(nn.Module):
        def __init__(self):
            self.size = 3
            self.layer = nn.Linear(2, 2)

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first in Forgetful"):
        Forgetful()


def test_missing_attribute():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        _ = nn.Linear(2, 2).wieght


def test_forward_must_be_defined():
    with pytest.raises(NotImplementedError, match="Module: expected a subclass to define forward"):
        nn.Module()(3)


# Walking


def test_walks():
    net = Net()
    assert names(net.named_children()) == ["first", "blocks"]
    assert names(net.named_modules())[:4] == ["", "first", "first.norm", "first.linear"]
    assert names(net.named_modules(prefix="net"))[:2] == ["net", "net.first"]
    assert names(net.named_parameters())[:3] == ["scale", "first.norm.weight", "first.norm.bias"]
    assert names(net.named_parameters(recurse=False)) == ["scale"]
    assert names(net.named_buffers(recurse=False)) == ["steps", "cache"]
    assert len(list(net.parameters())) == 13
    assert len(list(net.buffers())) == 11
    assert len(list(net.modules())) == 11


def test_shared_members_appear_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    assert names(net.named_modules()) == ["", "0"]
    assert names(net.named_modules(remove_duplicate=False)) == ["", "0", "1"]
    assert names(net.named_parameters()) == ["0.weight", "0.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert names(net.named_children()) == ["0"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_get_and_set_by_path():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("blocks.1.linear") is net.blocks[1].linear
    assert net.get_parameter("first.linear.weight") is net.first.linear.weight
    assert net.get_buffer("steps") is net.steps
    net.set_submodule("blocks.1.linear", nn.Identity())
    assert isinstance(net.blocks[1].linear, nn.Identity)
    with pytest.raises(AttributeError, match="no child module 'conv'; it has norm, linear"):
        net.get_submodule("first.conv")
    with pytest.raises(AttributeError, match="Linear has no parameter 'wieght'"):
        net.get_parameter("first.linear.wieght")
    with pytest.raises(AttributeError, match="no child module 'extra'"):
        net.set_submodule("first.extra", nn.ReLU(), strict=True)
    with pytest.raises(ValueError, match="expected a Module, got int"):
        net.set_submodule("first.extra", 3)


def test_dir_has_members_but_no_numbers():
    assert "weight" in dir(nn.Linear(2, 2))
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


# Changing all of it


def test_train_eval_and_apply():
    net = Net().eval()
    assert not any(module.training for module in net.modules())
    seen = []
    assert net.train().apply(lambda module: seen.append(type(module).__name__)) is net
    assert all(module.training for module in net.modules())
    assert seen[0] == "BatchNorm1d" and seen[-1] == "Net"


def test_requires_grad_and_zero_grad():
    net = Net()
    net(tallow.ones(3, 4)).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0, 0, 0, 0]
    net.zero_grad()
    assert net.scale.grad is None
    net.requires_grad_(False)
    assert not net(tallow.ones(3, 4)).requires_grad


def test_casts_keep_the_parameters_and_spare_integers():
    net = Net()
    net(tallow.ones(3, 4)).sum().backward()
    scale = net.scale
    assert net.to(tallow.float64) is net
    assert net.scale is scale and scale.dtype == scale.grad.dtype == tallow.float64
    assert scale.is_leaf and scale.requires_grad
    assert net.first.norm.running_mean.dtype == tallow.float64
    assert net.steps.dtype == tallow.int64
    assert net.half().scale.dtype == tallow.float16
    assert net.bfloat16().scale.dtype == tallow.bfloat16
    assert net.float().scale.dtype == tallow.float32
    assert net.double().scale.dtype == tallow.float64
    assert net.cpu().to("cpu", tallow.float32).scale.dtype == tallow.float32
    assert net.to(tallow.zeros(1, dtype=tallow.float64)).scale.dtype == tallow.float64
    net.to(device="cpu", dtype=tallow.float32, non_blocking=True)
    assert net.scale.dtype == tallow.float32
    assert net.type(tallow.float64).steps.dtype == tallow.float64
    assert type(net.scale) is nn.Parameter


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((tallow.int64,), "expected a floating-point or complex dtype"),
        (("cpu", tallow.float32, False, 1), r"expected \(device\), \(dtype\)"),
        (("cpu", "cpu"), r"expected \(device\), \(dtype\)"),
    ],
)
def test_to_rejects(arguments, message):
    with pytest.raises(TypeError, match=message):
        nn.Linear(2, 2).to(*arguments)


# Copies


def test_deepcopy_is_independent():
    net = Net()
    twin = copy.deepcopy(net)
    twin.scale.detach().fill_(7)
    twin.blocks.append(Block())
    assert net.scale.tolist() == [1, 1, 1, 1] and len(net.blocks) == 2
    assert type(twin.scale) is nn.Parameter and twin.scale.requires_grad
    assert list(twin.state_dict())[: len(net.state_dict())] == list(net.state_dict())


def test_shallow_copy_shares_tensors_and_not_names():
    layer = nn.Linear(2, 2)
    twin = copy.copy(layer)
    assert twin.weight is layer.weight
    twin.extra = nn.Parameter(tallow.ones(1))
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_pickle():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    twin = pickle.loads(pickle.dumps(net))
    x = tallow.randn(4, 2)
    assert tallow.equal(net(x), twin(x))
    assert names(twin.named_parameters()) == names(net.named_parameters())


# Repr


def test_repr_of_a_tree():
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Block(\n"
        "    (norm): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)\n"
        "    (linear): Linear(in_features=4, out_features=4, bias=True)\n"
        "  )\n"
        "  (blocks): ModuleList(\n"
        "    (0-1): 2 x Block(\n"
        "      (norm): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)\n"
        "      (linear): Linear(in_features=4, out_features=4, bias=True)\n"
        "    )\n"
        "  )\n"
        ")"
    )


def test_repr_with_extra_lines():
    class Described(nn.Module):
        def extra_repr(self):
            return "one\ntwo"

    module = Described()
    assert repr(module) == "Described(\n  one\n  two\n)"
    module.child = nn.ReLU()
    assert repr(module) == "Described(\n  one\n  two\n  (child): ReLU()\n)"


def test_repr_of_a_parameter():
    assert repr(nn.Parameter(tallow.ones(2))).startswith("Parameter containing:\ntensor([1., 1.]")
    assert repr(nn.Buffer(tallow.ones(2))).startswith("Buffer containing:\ntensor([1., 1.]")


# Errors that name the module


def test_error_names_the_path():
    net = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 2), nn.Linear(3, 2)))
    with pytest.raises(RuntimeError) as caught:
        net(tallow.ones(5, 4))
    assert "Sequential.1.1, Linear(in_features=3, out_features=2, bias=True)" in str(caught.value)


def test_error_of_the_module_itself():
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(3, 2)(tallow.ones(5, 4))
    assert str(caught.value).endswith("in Linear(in_features=3, out_features=2, bias=True)")


def test_error_through_an_unregistered_module():
    hidden = [nn.Linear(3, 2)]

    class Hiding(nn.Module):
        def forward(self, x):
            return hidden[0](x)

    with pytest.raises(RuntimeError) as caught:
        nn.Sequential(Hiding())(tallow.ones(5, 4))
    assert "Sequential.0 > Linear, Linear(in_features=3" in str(caught.value)


def test_other_errors_get_one_note():
    class Failing(nn.Module):
        def extra_repr(self):
            raise RuntimeError("not this one")

        def forward(self, x):
            raise KeyError("missing")

    with pytest.raises(KeyError) as caught:
        nn.Sequential(nn.Sequential(Failing()))(1)
    assert caught.value.args == ("missing",)
    assert caught.value.__notes__ == ["in Sequential.0.0, Failing"]
    pickle.loads(pickle.dumps(caught.value))


def test_members_can_be_walked_backwards_and_changed_meanwhile():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU())
    assert [name for name, _ in reversed(model._modules.items())] == ["1", "0"]
    assert [*reversed(model._modules)] == [*reversed(model._modules.keys())] == ["1", "0"]
    for name, child in model._modules.items():
        model._modules[name] = nn.Sequential(child)
    assert [type(x) for x in model._modules.values()] == [nn.Sequential] * 2
    assert repr(model[0]._parameters) == "{}" and type(model._modules.copy()) is dict
