"""What the compiled `Op.wrap` makes against what the one written in Python does."""

from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest

import tallow
from tallow.autograd import op as op_module
from tallow.autograd.node import Node
from tallow.autograd.saved import WatchedNode
from tallow.kernels.cpu import compiled
from tallow.ops import elementwise, index, reduce, shape, strided
from tallow.tensor import Tensor

pytestmark = pytest.mark.skipif(compiled is None, reason="no compiled kernels")


@pytest.fixture(scope="module")
def in_python():
    """The method as it is where there are no kernels: of a second copy of its module."""
    spec = spec_from_file_location("op_in_python", op_module.__file__)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Op.wrap


def described(value):
    """What a value is made of, tensors of the caller as themselves."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, list | tuple):
        return type(value), [described(item) for item in value]
    if isinstance(value, dict):
        return {k: described(v) for k, v in value.items()}
    return id(value) if isinstance(value, Tensor | Node) else value


def parts(tensor):
    node, view = tensor.node, tensor.alias
    found = [tensor.array is not None, tensor.grad, tensor.hooks, tensor.version, tensor.changed]
    found += [tensor._requires_grad, described(tensor.array), type(node), type(view)]
    if node is not None:
        found += [node.plan, node.shape, node.dtype, node.hooks, node.retained, node.spoiled]
        found += [described(x) for x in (node.edges, node.tensors, node.extras)]
    if view is not None:
        found += [view.parent, view.shown is view.parent.array, view.op, view.params, view.source]
    return found


X = tallow.arange(6.0).reshape(2, 3).requires_grad_()
Y = X * 2
WHERE = {"key": np.array([0, 1])}
CALLS = {
    "unary": (elementwise.exp, (X,), {}),
    "of a result": (elementwise.exp, (Y,), {}),
    "with a number": (elementwise.mul, (X, 2), {}),
    "twice the same": (elementwise.mul, (Y, Y), {}),
    "reduction": (reduce.sum, (Y,), {"axis": (0,), "keepdims": False}),
    "to a number": (reduce.sum, (Y,), {"axis": None, "keepdims": False}),
    "view": (shape.reshape, (X,), {"shape": (3, 2)}),
    "view of a view": (shape.swap, (shape.reshape(Y, shape=(3, 2)),), {"axis1": 0, "axis2": 1}),
    "diagonal": (shape.diagonal, (Y,), {"offset": 0, "axis1": 0, "axis2": 1}),
    "windows": (strided.frames, (Y,), {"axis": 1, "size": 2, "step": 1}),
    "copy": (shape.reshape, (shape.swap(Y, axis1=0, axis2=1),), {"shape": (6,)}),
    "several": (shape.cat, (X, Y), {"axis": 0}),
    "copied key": (index.take, (Y,), {"key": (np.array([0, 1]),)}),
    "no gradient": (elementwise.floor_divide, (X.detach(), 2), {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("recorded", [True, False])
def test_as_in_python(in_python, name, recorded):
    call, operands, params = CALLS[name]
    arrays = [getattr(x, "array", x) for x in operands]
    call(*operands, **params)  # which makes the plan and binds the kernels
    kernel = call.op.kernels[np.ndarray]
    out = np.asarray(kernel(*arrays, **params))
    mask = sum(1 << i for i, x in enumerate(operands) if getattr(x, "requires_grad", False))
    given = operands, params, out, mask if recorded else 0
    assert parts(call.op.wrap(*given)) == parts(in_python(call.op, *given))


def test_numbers_become_arrays():
    made = elementwise.add.op.wrap((X, X), {}, np.float32(1), 0)
    assert type(made.array) is np.ndarray and made.shape == ()


def test_watched_nodes():
    with tallow.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        assert type(Y.exp().node) is WatchedNode
    assert type(Y.exp().node) is Node


def test_without_recording():
    with tallow.no_grad():
        view = Y.reshape(6)
    assert view.node is None and not view.requires_grad
    Y.detach().reshape(6)
    with pytest.raises(RuntimeError, match="inplace|in place|in-place|no_grad"):
        view.mul_(X.reshape(6))


def test_wrong_arguments():
    with pytest.raises(TypeError, match="wrap: expected operands, params, out and mask"):
        elementwise.exp.op.wrap((X,))
