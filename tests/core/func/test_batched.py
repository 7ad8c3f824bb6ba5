"""Every operation on all examples of a batch at once, against each example alone."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow import func
from tallow.autograd.modes import state
from tallow.autograd.op import batches
from tallow.func.batching import _at_once
from tallow.tensor import wrap

FILES = sorted(Path(__file__).parent.parent.glob("ops/test_*.py"))
CASES = [case for file in FILES for case in runpy.run_path(str(file)).get("CASES", ())]
CASES = [case for case in CASES if "generator" not in case.op.params]
SIZE = 3


def examples(x):
    """An operand for each of the examples, stacked."""
    if x.dtype.kind in "fcV":
        return np.stack([x * x.dtype.type(1 - 0.01 * i) for i in range(SIZE)])
    return np.stack([np.roll(x, i, 0) if x.ndim else x for i in range(SIZE)])


def which(inputs):
    """Which operands to batch: those of floating numbers, the first of them, the others."""
    arrays = [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray)]
    floats = [i for i in arrays if inputs[i].dtype.kind in "fcV"]
    others = [i for i in arrays if i not in floats]
    return [part for part in (floats, floats[:1], floats[1:], others) if part]


def tensors(result):
    return result if isinstance(result, tuple) else (result,)


def slopes(case, inputs, positions, params):
    """The gradients of an operation's results, each times numbers, by operands; and the results."""

    def total(*moved):
        operands = list(inputs)
        for i, x in zip(positions, moved, strict=True):
            operands[i] = x
        results = tensors(case.call(*operands, **params))
        passing = [x for x in results if x.requires_grad]
        numbers = np.random.default_rng(0)
        weights = [numbers.uniform(-1, 1, x.shape) for x in passing]
        value = sum(
            (x * wrap(np.asarray(w, x.dtype.numpy))).sum()
            for x, w in zip(passing, weights, strict=True)
        )
        return value.real if value.is_complex() else value, results

    return func.grad(total, tuple(range(len(positions))), has_aux=True)(
        *[inputs[i] for i in positions]
    )


def both(function, moved):
    """A function of tensors for all examples at once, and for one after the other."""
    args = [wrap(x) for x in moved]
    got = _at_once(function, (args, {}), [0] * len(args), SIZE, 0)
    alone = [function(*[wrap(x[i]) for x in moved]) for i in range(SIZE)]
    return func.tree.leaves(got), [func.tree.leaves(x) for x in alone]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinite and huge operands
@pytest.mark.parametrize("case", CASES, ids=str)
def test_operations(case):
    for example in case.examples:
        for dtype in case.widest:
            inputs, params = case.sample(example, dtype)
            for chosen in which(inputs):
                compare(case, inputs, params, chosen)


def compare(case, inputs, params, chosen):
    operands = [wrap(x) if isinstance(x, np.ndarray) else x for x in inputs]
    by = [i for i in chosen if case.orders and case.gets_gradient(i, inputs[i])]

    def function(*moved):
        own = list(operands)
        for i, x in zip(chosen, moved, strict=True):
            own[i] = x
        if by:
            return slopes(case, own, by, params)
        return tensors(case.call(*own, **params))

    got, alone = both(function, [examples(inputs[i]) for i in chosen])
    for x, *parts in zip(got, *alone, strict=True):
        right = np.stack([np.asarray(part.array) for part in parts])
        tolerance = 1e-10 if right.dtype.itemsize > 4 else 1e-4
        np.testing.assert_allclose(x.array, right, tolerance, tolerance)


# Functions


def changed(x):
    """Views, changed in place, of memory that lies otherwise in a batch than in an example."""
    y = x * 1
    y.view(-1).mul_(2)
    y.reshape(-1)[1:3] += 1
    y.t().add_(3)
    y[0] = x[1]
    return y


LAYERS = tallow.nn.Sequential(
    tallow.nn.Conv2d(2, 3, 3, padding=1), tallow.nn.GroupNorm(1, 3), tallow.nn.GELU(),
    tallow.nn.MaxPool2d(2), tallow.nn.Flatten(), tallow.nn.Linear(12, 5), tallow.nn.LayerNorm(5),
)  # fmt: skip
WEIGHTS = {name: p.detach() for name, p in LAYERS.named_parameters()}


def loss(weights, image, label):
    scores = func.functional_call(LAYERS, weights, (image.unsqueeze(0),))
    return tallow.nn.functional.cross_entropy(scores, label.unsqueeze(0))


def attention(q, k, v):
    return tallow.nn.functional.scaled_dot_product_attention(q, k, v).square().sum()


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


X = numbers(4, 5, 3)
FUNCTIONS = [
    (changed, (X,), 1),
    (changed, (X,), 2),
    (func.grad(lambda x: (changed(x) ** 2).sum()), (X,), 1),
    (func.vmap(changed, in_dims=1), (numbers(2, 5, 3, 4),), 2),
    (
        func.vmap(func.vmap(tallow.dot, (None, 0)), (0, None)),
        (numbers(4, 3, 2), numbers(4, 5, 2)),
        0,
    ),
    (func.jacrev(lambda x: x.sin() * x.sum()), (numbers(4, 3),), 0),
    (func.hessian(lambda x: (x.sin() * x.sum()).prod()), (numbers(4, 3),), 0),
    (lambda x: func.jvp(lambda z: z**3, (x,), (x,)), (X,), 0),
    (lambda x: (x.std(), x.norm(), x.max(0)[0], x.sort()[0], x.topk(2)[1]), (X,), 0),
    (lambda x: (x[:, None], x[..., 1], x[[0, 2]], x.T @ x, x @ x[0], x[0] @ x[1]), (X,), 0),
    (lambda x: tallow.einsum("ij,kj->ik", x, x).where(x[0, 0] > 0, 0.0), (X,), 0),
    (lambda x: tallow.stack([x, x * 2], -1).unbind(-1)[0] + x.new_ones(3), (X,), 0),
    (lambda x: tallow.linalg.inv(x[:3] @ x[:3].T + tallow.eye(3) * 9), (X,), 0),
    (func.grad(attention, (0, 1, 2)), (X, X + 1, X - 1), 0),
    (func.grad(loss), (WEIGHTS, numbers(4, 2, 4, 4), np.arange(4)), (None, 0, 0)),
    (func.grad(loss), (WEIGHTS, numbers(4, 2, 4, 4), np.array(1)), (None, 0, None)),
]


@pytest.mark.parametrize("function, args, in_dims", FUNCTIONS)
def test_functions(function, args, in_dims):
    args = tuple(x if isinstance(x, dict) else wrap(x) for x in args)
    dims = func.tree.spread(in_dims, args) if isinstance(in_dims, int) else [None] * len(WEIGHTS)
    dims += [] if isinstance(in_dims, int) else in_dims[1:]
    size = next(
        x.shape[d] for x, d in zip(func.tree.leaves(args), dims, strict=True) if d is not None
    )
    got = _at_once(function, (args, {}), dims, size, 0)
    for i in range(size):
        parts = zip(func.tree.leaves(args), dims, strict=True)
        own = func.tree.rebuild(args, iter([x if d is None else x.select(d, i) for x, d in parts]))
        right = func.tree.leaves(function(*own))
        for x, y in zip(func.tree.leaves(got), right, strict=True):
            tallow.testing.assert_close(x[i], y, rtol=1e-4, atol=1e-5)


def test_no_array_of_a_batch_outlives_it():
    before = batches.alive
    func.vmap(func.grad(lambda x: x.sin().sum()))(tallow.ones(3, 2))
    assert batches.alive == before


def test_gradients_go_through_to_what_is_outside():
    x, w = (tallow.tensor(a, requires_grad=True) for a in (numbers(5, 3), numbers(3)))
    func.vmap(lambda x: (x * w).sin().sum())(x).sum().backward()
    own = x.grad, w.grad
    x.grad = w.grad = None
    (x * w).sin().sum().backward()
    tallow.testing.assert_close(own, (x.grad, w.grad))


def test_gradients_by_what_is_outside_are_each_examples_own():
    w = tallow.tensor([1.0, 2.0], requires_grad=True)
    x = tallow.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    got = func.vmap(lambda x: tallow.autograd.grad((w * x).sum(), w)[0])(x)
    assert got.tolist() == x.tolist()
    func.vmap(lambda x: (w * x).sum().backward() or x)(x)
    assert w.grad.tolist() == [9.0, 12.0]


def test_chunks():
    sizes = []

    def seen(x):
        sizes.append(state.batch[-1][1])
        return x * 2, x.sum()

    x = tallow.tensor(X)
    double, total = func.vmap(seen, in_dims=1, out_dims=(1, 0), chunk_size=2)(x)
    assert sizes == [2, 2, 1]
    tallow.testing.assert_close((double, total), (x * 2, x.sum((0, 2))))


def test_what_cannot_be_batched_is_looped_over():
    calls = []

    def function(x):
        calls.append(1)
        return x if x.sum() > 0 else -x

    x = tallow.tensor([[1.0], [-2.0]])
    assert func.vmap(function)(x).tolist() == [[1.0], [2.0]]
    assert len(calls) == 3  # once for all, in vain


def test_functions_of_ones_own():
    class Product(tallow.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

    w = tallow.tensor([1.0, 2.0], requires_grad=True)
    x = tallow.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    func.vmap(lambda x: Product.apply(x, w))(x).sum().backward()
    assert w.grad.tolist() == [9.0, 12.0]
    y = tallow.tensor([1.0, 2.0], requires_grad=True)
    assert func.jacrev(lambda y: Product.apply(y, y))(y).tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_what_is_the_same_for_all_is_not_changed():
    total = tallow.zeros(2)

    def function(x):
        total.add_(x)
        return x

    func.vmap(function)(tallow.ones(3, 2))
    assert total.tolist() == [3.0, 3.0]
