"""What compiled calls of operations and of public functions make, against Python's own.

While an array of `vmap` is alive every call is Python's: that is how the same program is run both
ways here.
"""

import copy
import gc
import inspect
import pickle
import random
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import tallow
import tallow.func  # noqa: F401 - which enters how calls are made then
from tallow.autograd.node import Node
from tallow.autograd.op import batches
from tallow.autograd.saved import WatchedNode
from tallow.kernels.cpu import compiled
from tallow.ops import elementwise, index, reduce, shape, strided
from tallow.tensor import Tensor

pytestmark = pytest.mark.skipif(compiled is None, reason="no compiled kernels")


@pytest.fixture
def in_python(monkeypatch):
    """Let a function run with all calls in Python."""

    def run(function, *args):
        with monkeypatch.context() as patch:
            patch.setattr(batches, "alive", batches.alive + 1)
            return function(*args)

    return run


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
CALLS = {
    "unary": (elementwise.exp, (X,), {}),
    "of a result": (elementwise.exp, (Y,), {}),
    "with a number": (elementwise.mul, (X, 2), {}),
    "a number first": (elementwise.sub, (1.5, X), {}),
    "with an array": (elementwise.mul, (X, np.float32(2)), {}),
    "twice the same": (elementwise.mul, (Y, Y), {}),
    "reduction": (reduce.sum, (Y,), {"axis": (0,), "keepdims": False}),
    "words in another order": (reduce.sum, (Y,), {"keepdims": False, "axis": (0,)}),
    "to a number": (reduce.sum, (Y,), {"axis": None, "keepdims": False}),
    "view": (shape.reshape, (X,), {"shape": (3, 2)}),
    "view of a view": (shape.swap, (shape.reshape(Y, shape=(3, 2)),), {"axis1": 0, "axis2": 1}),
    "diagonal": (shape.diagonal, (Y,), {"offset": 0, "axis1": 0, "axis2": 1}),
    "windows": (strided.frames, (Y,), {"axis": 1, "size": 2, "step": 1}),
    "copy": (shape.reshape, (shape.swap(Y, axis1=0, axis2=1),), {"shape": (6,)}),
    "several": (shape.cat, (X, Y), {"axis": 0}),
    "many": (shape.cat, (X, Y) * 40, {"axis": 0}),
    "copied key": (index.take, (Y,), {"key": (np.array([0, 1]),)}),
    "no gradient": (elementwise.floor_divide, (X.detach(), 2), {}),
    "a parameter": (elementwise.exp, (tallow.nn.Parameter(X.detach().clone()),), {}),
    "integers": (elementwise.add, (tallow.arange(3), 2), {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("recorded", [True, False])
def test_as_in_python(name, recorded):
    call, operands, params = CALLS[name]
    with tallow.set_grad_enabled(recorded):
        written = call.op.written(*operands, **params)  # which makes the plan, and binds kernels
        assert parts(call(*operands, **params)) == parts(written)


def test_on_arrays():
    x = np.ones((2, 3), np.float32)
    expected = elementwise.exp.op.written(x)
    np.testing.assert_array_equal(elementwise.exp(x), expected, strict=True)
    assert shape.reshape(x, shape=(3, 2)).shape == (3, 2)


def test_numbers_become_arrays():
    made = Y.sum()
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


def test_a_tensor_without_parts():
    with pytest.raises(AttributeError, match="array"):
        X + object.__new__(Tensor)
    half = object.__new__(Tensor)
    half.array = X.array
    with pytest.raises(AttributeError):
        elementwise.exp(half)


# The same program both ways

X2 = tallow.rand(4, 4, requires_grad=True)
Y2 = X2 * 2

MATRIX = [
    lambda x, y: x + y, lambda x, y: x - 1, lambda x, y: 2 - x, lambda x, y: x * y,
    lambda x, y: x / 3.0, lambda x, y: x @ y, lambda x, y: tallow.relu(x), lambda x, y: x.tanh(),
    lambda x, y: x**2, lambda x, y: x.t(), lambda x, y: x.reshape(2, -1).reshape(4, 4),
    lambda x, y: x.view(16).view((4, 4)), lambda x, y: tallow.cat([x, y])[2:6],
    lambda x, y: tallow.cat((x[:, :1], y[:, 1:]), 1), lambda x, y: tallow.stack([x, y])[1],
    lambda x, y: x.transpose(-1, 0), lambda x, y: x.permute(1, 0), lambda x, y: x.softmax(-1),
    lambda x, y: x[None][0], lambda x, y: x.unsqueeze(1).squeeze(1), lambda x, y: x.detach(),
    lambda x, y: x[1].expand(4, 4), lambda x, y: tallow.where(x > y, x, y), lambda x, y: x.clone(),
    lambda x, y: x.mul_(0.5), lambda x, y: x.add_(y.sigmoid()),
    lambda x, y: x.sum(0, keepdim=True) * y,
    lambda x, y: x.flatten().unflatten(0, (4, 4)), lambda x, y: x.chunk(2)[0].repeat(2, 1),
    lambda x, y: x.to(tallow.float64).to(tallow.float32), lambda x, y: x.exp_().clamp(max=3.0),
]  # fmt: skip
WRONG = [
    lambda x: x.reshape(3, 5), lambda x: x.view(-1, -1), lambda x: x.reshape(2, -1, 3),
    lambda x: x[7], lambda x: x[0, 0, 0], lambda x: x["a"], lambda x: x[::-1],
    lambda x: tallow.cat([x, x[:, :2]]), lambda x: tallow.cat([]), lambda x: tallow.cat([x], 5),
    lambda x: tallow.stack([x, x[0]]), lambda x: tallow.stack([x], 9), lambda x: x @ x[:3],
    lambda x: x + tallow.ones(3), lambda x: x.exp(1), lambda x: x.softmax(3), lambda x: x + "a",
    lambda x: x.exp(nothing=1), lambda x: x.view(2**70), lambda x: tallow.add(x),
    lambda x: elementwise.exp(x, x), lambda x: shape.reshape(x), lambda x: x.t().view(16),
]  # fmt: skip


def story(seed):
    """What a random program computes and how: of each result its values, history and memory."""
    choose, values = random.Random(seed), np.random.default_rng(seed)
    leaves = [tallow.from_numpy(values.random((4, 4), np.float32)) for _ in range(4)]
    leaves[0].requires_grad_()
    leaves[1:2] = [tallow.nn.Parameter(leaves[1]), leaves[1]]
    pool, told = list(leaves), []
    for _ in range(25):
        how, x, y = choose.choice(MATRIX), choose.choice(pool), choose.choice(pool)
        try:
            with tallow.set_grad_enabled(choose.random() < 0.9):
                made = how(x, y)
        except RuntimeError as error:
            told.append(str(error))
            continue
        pool.append(made)
        told += [type(made), made.requires_grad, made.is_leaf, made._version, history(made.node)]
        told += [described(made.array), made.array.flags.c_contiguous, made.alias is not None]
        told += [next((i for i, z in enumerate(pool) if z is made._base), None)]
    told += gradients(choose, sum(x.sum() for x in pool), leaves)
    return [*told, *(described(x.array) for x in pool)]


def gradients(choose, total, leaves):
    if not total.requires_grad:
        return []
    known = [x for x in leaves if x.requires_grad]
    twice = choose.random() < 0.5
    try:
        found = tallow.autograd.grad(total, known, create_graph=twice, allow_unused=True)
        if twice and (again := [g for g in found if g is not None and g.requires_grad]):
            found += tallow.autograd.grad(sum(g.sum() for g in again), known, allow_unused=True)
    except RuntimeError as error:
        return [str(error)]
    return [g if g is None else described(g.array) for g in found]


def history(node, depth=6):
    """The names of the operations that a tensor comes from, with what they keep."""
    if not isinstance(node, Node) or not depth:
        return type(node)
    kept = [described(x.array) if isinstance(x, Tensor) else x for x in node.tensors or ()]
    return [node.name(), node.shape, kept, *(history(edge, depth - 1) for edge in node.edges)]


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(in_python, seed):
    assert story(seed) == in_python(story, seed)


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_errors_are_pythons(in_python, number):
    def told():
        with pytest.raises(Exception) as error:  # noqa: PT011 - of any type, the same twice
            WRONG[number](X2)
        return error.type, str(error.value), getattr(error.value, "__notes__", None)

    assert told() == in_python(told)


def test_autocast_is_seen():
    with tallow.autocast("cpu"):
        assert (Y @ Y.t()).dtype is tallow.bfloat16
        assert tallow.cat([Y, Y.to(tallow.bfloat16)]).dtype is tallow.float32
    assert (Y @ Y.t()).dtype is tallow.float32


def test_profiles_and_tapes_see_calls():
    with tallow.profiler.profile() as seen:
        Y.reshape(6).exp()
    assert [row.key for row in seen.key_averages()] == ["reshape", "exp"]


USUAL = [
    lambda x: x + x, lambda x: x * 2, lambda x: x < 1.0, lambda x: x.exp(),
    lambda x: tallow.relu(x), lambda x: tallow.matmul(x, x), lambda x: tallow.cat([x, x], 1),
    lambda x: x[1:3], lambda x: x[0, None, :2], lambda x: x.reshape(16), lambda x: x.view(2, -1),
]  # fmt: skip


def usual_calls_run_no_python():
    for x in (X2, X2.detach()):
        for call in USUAL:
            call(x)
            names = []
            sys.setprofile(
                lambda frame, event, arg, names=names: (
                    event == "call" and names.append(frame.f_code.co_name)
                )
            )
            try:
                call(x)
            finally:
                sys.setprofile(None)
            assert names == ["<lambda>"], USUAL.index(call)


@pytest.mark.parametrize("check", ["usual_calls_run_no_python", "nothing_is_kept"])
def test_in_a_process_of_its_own(check):
    """Where no test before has defined a class that functions ask (`tallow.overrides`)."""
    command = [sys.executable, __file__, check]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# The functions themselves


def test_functions_look_like_themselves():
    for function in (tallow.exp, tallow.reshape, tallow.cat, tallow.matmul, tallow.relu):
        assert inspect.isroutine(function) and inspect.isfunction(inspect.unwrap(function))
        assert inspect.signature(function) == inspect.signature(inspect.unwrap(function))
        assert function.__doc__ == inspect.unwrap(function).__doc__
        assert copy.deepcopy(function) is function
    assert tallow.cat.__name__ == "cat" and "cat" in repr(tallow.cat)
    assert pickle.loads(pickle.dumps(tallow.reshape)) is tallow.reshape
    assert Tensor.reshape is tallow.reshape
    method = X.reshape
    assert method.__self__ is X and method(6).shape == (6,) and X.reshape(shape=(6,)).shape == (6,)


# Memory and threads


def repeat(times):
    for _ in range(times):
        for how in MATRIX[:24]:
            how(X2, Y2).sum()
        for how in WRONG[:20]:
            try:
                how(X2)
            except Exception:  # noqa: S110 - that it fails is known
                pass


def nothing_is_kept():
    shared = [X2, X2.array, Y2, Y2.node, None, True, (), tallow.exp, elementwise.exp.op.kernels]
    repeat(3)
    gc.collect()
    before = [sys.getrefcount(x) for x in shared]
    tracemalloc.start()
    try:
        repeat(5)
        gc.collect()
        before_bytes, _ = tracemalloc.get_traced_memory()
        repeat(200)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before_bytes
    finally:
        tracemalloc.stop()
    after = [sys.getrefcount(x) for x in shared]
    assert grown < 200 * 150  # less than a tensor each time, of all these calls
    assert all(abs(b - a) < 20 for a, b in zip(before, after, strict=True))


def test_threads():
    expected = [story(seed) for seed in range(4)]
    found = [[] for _ in expected]
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def work(seed):
        for _ in range(3):
            found[seed].append(story(seed))

    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(len(expected))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(old)
    assert found == [[story] * 3 for story in expected]


if __name__ == "__main__":
    globals()[sys.argv[1]]()
