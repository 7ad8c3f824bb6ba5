"""state_dict and load_state_dict."""

from collections import OrderedDict

import pytest

import tallow
from tallow import nn


def net():
    return nn.Sequential(OrderedDict(fc=nn.Linear(3, 2), norm=nn.BatchNorm1d(2)))


KEYS = [
    "fc.weight", "fc.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
    "norm.num_batches_tracked",
]  # fmt: skip


def test_keys_and_sharing():
    model = net()
    state = model.state_dict()
    assert list(state) == KEYS
    assert list(model.state_dict(prefix="model."))[0] == "model.fc.weight"
    assert not state["fc.weight"].requires_grad
    state["fc.weight"].fill_(5)
    assert model.fc.weight.tolist() == [[5, 5, 5], [5, 5, 5]]
    assert model.state_dict(keep_vars=True)["fc.weight"] is model.fc.weight
    given = {}
    assert model.state_dict(destination=given) is given and list(given) == KEYS
    assert state._metadata["norm"] == {"version": 2}


def test_load_copies():
    source, target = net(), net()
    source.norm.running_mean.fill_(3)
    weight = target.fc.weight
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert target.fc.weight is weight and tallow.equal(weight, source.fc.weight)
    assert target.norm.running_mean.tolist() == [3, 3]
    source.fc.weight.detach().fill_(0)
    assert not tallow.equal(weight, source.fc.weight)


def test_load_casts_to_the_module():
    target = net()
    target.load_state_dict(net().double().state_dict())
    assert target.fc.weight.dtype == tallow.float32


def test_assign_puts_the_tensors_in_place():
    target = net()
    state = net().double().state_dict()
    target.load_state_dict(state, assign=True)
    assert isinstance(target.fc.weight, nn.Parameter) and target.fc.weight.requires_grad
    assert target.fc.weight.dtype == tallow.float64
    assert target.norm.running_mean is state["norm.running_mean"]


def test_every_problem_is_told_at_once():
    state = net().state_dict()
    del state["fc.bias"], state["norm.running_var"]
    state["fc.weight"] = tallow.ones(2, 4)
    state["norm.weight"] = [1.0, 1.0]
    state["head.weight"] = tallow.ones(1)
    state["fc.scale"] = tallow.ones(1)
    with pytest.raises(RuntimeError) as caught:
        net().load_state_dict(state)
    message = str(caught.value)
    assert "missing keys: fc.bias, norm.running_var" in message
    assert "unexpected keys: head.weight, fc.scale" in message
    assert "fc.weight: expected the shape (2, 3), got (2, 4)" in message
    assert "norm.weight: expected a tensor, got list" in message


def test_the_state_of_another_network_is_told_by_its_first_keys():
    small = nn.Sequential(*(nn.Linear(2, 2, bias=False) for _ in range(10)))
    large = nn.Sequential(*(nn.Linear(3, 3) for _ in range(12)))
    with pytest.raises(RuntimeError) as caught:
        large.load_state_dict(small.state_dict())
    lines = str(caught.value).splitlines()
    assert "missing keys: 0.bias, 1.bias, 2.bias, 3.bias, 4.bias, 5.bias and 8 more" in lines[1]
    assert "0.weight: expected the shape (3, 3), got (2, 2)" in lines[2]
    assert lines[-1].endswith("and 4 more that do not fit")
    assert len(lines) == 2 + 6 + 1


def test_not_strict_returns_the_keys():
    state = net().state_dict()
    del state["fc.bias"]
    state["head"] = tallow.ones(1)
    missing, unexpected = net().load_state_dict(state, strict=False)
    assert (missing, unexpected) == (["fc.bias"], ["head"])
    state["fc.weight"] = tallow.ones(1)
    with pytest.raises(RuntimeError, match="fc.weight: expected the shape"):
        net().load_state_dict(state, strict=False)


def test_a_prefix_of_all_keys_is_recognised():
    state = net().state_dict(prefix="module.")
    with pytest.raises(RuntimeError, match="the given keys begin with 'module.'"):
        net().load_state_dict(state)
    wrapped = nn.ModuleDict({"module": net()})
    with pytest.raises(RuntimeError, match="the expected keys begin with 'module.'"):
        wrapped.load_state_dict(net().state_dict())


def test_only_dictionaries_are_loaded():
    with pytest.raises(TypeError, match="load_state_dict: expected a dictionary, got list"):
        net().load_state_dict([])


def test_extra_state():
    class Counter(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    source, target = nn.Sequential(Counter()), nn.Sequential(Counter())
    source[0].count = 3
    assert list(source.state_dict()) == ["0._extra_state"]
    target.load_state_dict(source.state_dict())
    assert target[0].count == 3
    with pytest.raises(RuntimeError, match="missing keys: 0._extra_state"):
        target.load_state_dict({})
    with pytest.raises(RuntimeError, match="unexpected keys: 0._extra_state"):
        nn.Sequential(nn.ReLU()).load_state_dict(source.state_dict())
    with pytest.raises(RuntimeError, match="expected get_extra_state"):
        nn.ReLU().get_extra_state()
    with pytest.raises(RuntimeError, match="expected set_extra_state"):
        nn.ReLU().set_extra_state(None)


def test_batch_norm_of_an_old_checkpoint():
    state = net().state_dict()
    del state["norm.num_batches_tracked"]
    state._metadata["norm"] = {"version": 1}
    net().load_state_dict(state)
    net().load_state_dict(dict(state))  # without a version: it may be as old
    state._metadata["norm"] = {"version": 2}
    with pytest.raises(RuntimeError, match="missing keys: norm.num_batches_tracked"):
        net().load_state_dict(state)


def test_hooks_of_state_dict():
    model = net()
    seen = []
    model.fc.register_state_dict_pre_hook(lambda *arguments: seen.append(arguments))

    def rename(module, state, prefix, metadata):
        state[prefix + "w"] = state.pop(prefix + "weight")

    handle = model.fc.register_state_dict_post_hook(rename)
    assert "fc.w" in model.state_dict()
    assert seen == [(model.fc, "fc.", False)]
    handle.remove()
    assert list(model.state_dict()) == KEYS


def test_hooks_of_load_state_dict():
    model = net()

    def rename(module, state, prefix, metadata, strict, missing, unexpected, errors):
        state[prefix + "weight"] = state.pop(prefix + "w")

    model.fc.register_load_state_dict_pre_hook(rename)
    state = model.state_dict()
    state["fc.w"] = state.pop("fc.weight")
    model.load_state_dict(state)

    def forgive(module, incompatible):
        incompatible.missing_keys.clear()

    model.register_load_state_dict_post_hook(forgive)
    del state["norm.bias"]
    assert model.load_state_dict(state).missing_keys == []


def test_modules_may_load_their_own_way():
    class Halved(nn.Linear):
        def _load_from_state_dict(self, state_dict, prefix, *rest):
            state_dict[prefix + "weight"] = state_dict[prefix + "weight"] / 2
            super()._load_from_state_dict(state_dict, prefix, *rest)

    model = nn.Sequential(Halved(1, 1, bias=False))
    model.load_state_dict({"0.weight": tallow.tensor([[4.0]])})
    assert model[0].weight.item() == 2
