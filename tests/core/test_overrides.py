"""`__torch_function__` here; tests/core/scripts/overriding.py is held against PyTorch."""

import copy
import inspect
import pickle
import subprocess
import sys
import textwrap

import pytest

import tallow
from tallow import nn, overrides


class Marked(tallow.Tensor):
    pass


def test_results_are_of_the_subclass():
    x = tallow.ones(2, 3).as_subclass(Marked)
    for result in (
        x + 1,
        1 + x,
        x.T,
        x[0],
        x.sum(),
        tallow.stack([x]),
        nn.functional.relu(x),
        x.data,
    ):
        assert type(result) is Marked
    assert x.shape == (2, 3) and x.tolist() == [[1] * 3] * 2 and x.dim() == 2
    assert x.contiguous() is x and type(copy.deepcopy(x)) is Marked
    assert type(pickle.loads(pickle.dumps(x))) is Marked
    assert repr(x[0]) == "Marked([1., 1., 1.])"


def test_gradients_reach_a_subclass_and_second_ones():
    x = Marked._make_subclass(Marked, tallow.ones(2), True)
    (gradient,) = tallow.autograd.grad((x**3).sum(), x, create_graph=True)
    gradient.sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_views_and_changes_in_place():
    x = tallow.zeros(2, 2).as_subclass(Marked)
    x[0] += 1
    view = x.view(4)
    view.mul_(2)
    assert x.tolist() == [[2, 2], [0, 0]] and type(view) is Marked


def test_a_subclass_may_have_a_name_that_tensor_uses():
    class Framed(tallow.Tensor):
        @property
        def array(self):
            return "of the program"

        @array.setter
        def array(self, value):
            self.written = value

        def version(self):
            return 7

    x = tallow.ones(2).as_subclass(Framed)
    assert x.array == "of the program" and x.version() == 7 and (x + 1).tolist() == [2, 2]
    x.array = 3
    assert x.written == 3 and x.tolist() == [1, 1]
    x += 1
    assert x.tolist() == [2, 2] and isinstance(Framed.array, property)


def test_parameters_are_not_asked():
    assert type(nn.Parameter(tallow.ones(2)) * 2) is tallow.Tensor
    assert type(nn.Buffer(tallow.ones(2)) * 2) is tallow.Tensor


def test_another_class_where_asking_is_on():
    class Other:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, types == (cls,), len(args), kwargs

    overrides.ask_arguments()
    assert tallow.add(Other(), 1, alpha=2) == ("add", True, 2, {"alpha": 2})
    assert tallow.ones(1) + Other() == ("add", True, 2, {})
    assert tallow.linalg.norm(Other()) == ("norm", True, 1, {})
    assert nn.functional.relu(input=Other())[0] == "relu"


def test_nobody_knows_the_function():
    class Silent:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    overrides.ask_arguments()
    with pytest.raises(TypeError, match=r"sin: expected a class whose __torch_function__ .*Silent"):
        tallow.sin(Silent())


def test_modes():
    class Twice(overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {})) * 2

    with Twice():
        twice = tallow.ones(1)
        with tallow._C.DisableTorchFunctionSubclass():
            still = tallow.ones(1)
        with tallow._C.DisableTorchFunction():
            once = tallow.ones(1)
    assert [twice.item(), still.item(), once.item()] == [2, 2, 1]
    with overrides.BaseTorchFunctionMode(), pytest.raises(ZeroDivisionError):
        raise ZeroDivisionError
    with pytest.raises(NotImplementedError, match="expected a __torch_function__"):
        with overrides.TorchFunctionMode():
            tallow.ones(1)
    assert tallow.ones(1).item() == 1


def test_functions_stay_what_they_were():
    overrides.ask_arguments()
    assert list(inspect.signature(nn.functional.relu).parameters) == ["input", "inplace"]
    assert "def relu" in inspect.getsource(nn.functional.relu)
    assert tallow.Tensor.tanh is tallow.tanh and tallow.tanh.__name__ == "tanh"
    with pytest.raises(TypeError, match="missing 1 required"):
        tallow.tanh()
    names = {f.__name__ for fs in overrides.get_overridable_functions().values() for f in fs}
    assert {"add", "conv2d", "svd", "rfft", "erf", "__getitem__", "ones"} <= names
    assert overrides.resolve_name(nn.functional.relu) == "torch.nn.functional.relu"
    assert overrides.resolve_name(print) is None
    assert overrides.is_tensor_method_or_property(tallow.Tensor.tanh)
    assert not overrides.is_tensor_method_or_property(print)
    assert tallow.Tensor.as_subclass in overrides.get_ignored_functions()


def test_nobody_pays_before_there_is_such_a_class():
    program = """
        from importlib.util import find_spec
        import tallow
        from tallow import nn, overrides
        before = tallow.add.__code__
        class Mine(nn.Parameter): pass
        assert not overrides._asked
        if find_spec("tallowvision"):  # not where core is tested alone
            import tallowvision
        assert not overrides._asked and tallow.add.__code__ is before
        class Other(tallow.Tensor): pass
        assert tallow.add.__code__ is not before
        assert type(tallow.add(Other([1.0]), 1)) is Other
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
