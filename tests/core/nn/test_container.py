"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict."""

from collections import OrderedDict

import pytest

import tallow
from tallow import nn


class Add(nn.Module):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def forward(self, x):
        return x + self.number

    def extra_repr(self):
        return str(self.number)


def numbers(modules):
    return [module.number for module in modules]


def names(module):
    return [name for name, _ in module.named_children()]


@pytest.mark.parametrize("make", [lambda m: nn.Sequential(*m), nn.ModuleList])
def test_lists(make):
    modules = make([Add(0), Add(1), Add(2)])
    assert len(modules) == 3 and numbers(modules) == [0, 1, 2]
    assert modules[-1].number == 2 and numbers(modules[1:]) == [1, 2]
    assert type(modules[1:]) is type(modules)
    modules[1] = Add(10)
    assert modules.append(Add(3)) is modules
    modules.insert(0, Add(-1))
    assert numbers(modules) == [-1, 0, 10, 2, 3]
    del modules[1]
    assert numbers(modules) == [-1, 10, 2, 3] and names(modules) == ["0", "1", "2", "3"]
    del modules[:2]
    assert names(modules) == ["0", "1"]
    assert modules.pop(0).number == 2 and names(modules) == ["0"]
    modules += [Add(4)]
    modules.extend(make([Add(5)]))
    assert numbers(modules) == [3, 4, 5]
    assert numbers(modules + make([Add(6)])) == [3, 4, 5, 6]
    for index in (3, -4):
        with pytest.raises(IndexError, match="expected an index within 3 modules"):
            modules[index]
    with pytest.raises(TypeError, match="expected a Module or None, got int"):
        modules.append(3)


def test_sequential():
    assert nn.Sequential(Add(1), Add(2))(0) == 3
    assert nn.Sequential()(5) == 5
    named = nn.Sequential(OrderedDict(one=Add(1), two=Add(2)))
    assert names(named) == ["one", "two"] and named.two.number == 2
    assert names(named[:1]) == ["one"]
    assert (named * 3)(0) == 9 and (2 * named)(0) == 6
    named *= 2
    assert named(0) == 6
    with pytest.raises(ValueError, match="expected a positive number of repetitions, got 0"):
        named * 0


def test_module_list_repr_counts_repetitions():
    modules = nn.ModuleList([Add(1), Add(1), Add(2), nn.Sequential(Add(3))])
    assert repr(modules) == (
        "ModuleList(\n  (0-1): 2 x Add(1)\n  (2): Add(2)\n"
        "  (3): Sequential(\n    (0): Add(3)\n  )\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
    assert repr(nn.Sequential()) == "Sequential()"


def test_module_dict():
    modules = nn.ModuleDict({"a": Add(1)})
    modules["b"] = Add(2)
    modules.update([("c", Add(3))])
    modules.update(nn.ModuleDict({"a": Add(4)}))
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert numbers(modules.values()) == [4, 2, 3]
    assert "b" in modules and "d" not in modules and len(modules) == 3
    assert list(reversed(modules)) == ["c", "b", "a"]
    assert modules.pop("b").number == 2
    del modules["a"]
    assert repr(modules) == "ModuleDict(\n  (c): Add(3)\n)"
    modules.clear()
    assert len(modules) == 0
    assert modules == modules and modules != nn.ModuleDict() and hash(modules) == hash(modules)
    with pytest.raises(KeyError, match="'keys' already exists"):
        modules["keys"] = Add(1)
    with pytest.raises(KeyError):
        modules["nothing"]


def test_parameter_list():
    values = nn.ParameterList([tallow.ones(2), nn.Parameter(tallow.zeros(3)), tallow.tensor(1)])
    assert [name for name, _ in values.named_parameters()] == ["0", "1", "2"]
    assert [p.requires_grad for p in values] == [True, True, False]
    values += [tallow.ones(1)]
    values[0] = tallow.zeros(4)
    assert values[0].shape == (4,) and len(values[1:3]) == 2 and values[-1].shape == (1,)
    assert repr(nn.ParameterList([tallow.ones(2, 3), "text"])) == (
        "ParameterList(\n    (0): Parameter containing: [tallow.float32 of size 2x3]\n"
        "    (1): Object of type: str\n)"
    )
    assert repr(nn.ParameterList()) == "ParameterList()"
    with pytest.raises(IndexError, match="expected an index within 4 values, got 4"):
        values[4]
    with pytest.raises(TypeError, match="expected an iterable of values, got a tensor"):
        values.extend(tallow.ones(2))


def test_parameter_dict():
    values = nn.ParameterDict({"a": tallow.ones(2)})
    values["b"] = nn.Parameter(tallow.zeros(1))
    values["note"] = "text"
    assert [name for name, _ in values.named_parameters()] == ["a", "b"]
    assert list(values.items())[2] == ("note", "text") and values.get("c") is None
    merged = values | {"a": tallow.zeros(3)}
    assert merged["a"].shape == (3,) and values["a"].shape == (2,)
    values |= {"c": tallow.ones(1)}
    assert list(values.copy()) == ["a", "b", "note", "c"]
    assert values.pop("note") == "text" and "note" not in values
    del values["c"]
    assert list(values.state_dict()) == ["a", "b"]
    assert repr(nn.ParameterDict({"a": tallow.ones(2)})) == (
        "ParameterDict(\n    (a): Parameter containing: [tallow.float32 of size 2]\n)"
    )
    with pytest.raises(KeyError):
        values["c"]
    with pytest.raises(TypeError, match="expected a string as key, got int"):
        values[3] = tallow.ones(1)
