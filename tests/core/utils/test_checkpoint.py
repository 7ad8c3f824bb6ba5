"""Checkpointing: gradients as without it, fewer tensors kept, the same random numbers again."""

import contextlib
import gc
import weakref

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError, GradientError
from tallow.utils.checkpoint import checkpoint, checkpoint_sequential


def model():
    tallow.manual_seed(0)
    return tallow.nn.Sequential(
        tallow.nn.Linear(3, 8),
        tallow.nn.Tanh(),
        tallow.nn.Dropout(0.5),
        tallow.nn.Linear(8, 8),
        tallow.nn.Sigmoid(),
        tallow.nn.Linear(8, 1),
    )


def gradients(call, module, x):
    """The result, the gradients of parameters and of x, and a random number drawn afterwards."""
    tallow.manual_seed(1)
    y = call(module, x)
    y.sum().backward()
    found = [y.detach(), x.grad, *(p.grad for p in module.parameters()), tallow.rand(3)]
    module.zero_grad()
    x.grad = None
    return [part.clone() for part in found]


CALLS = {
    "whole": lambda module, x: checkpoint(module, x, use_reentrant=False),
    "reentrant": lambda module, x: checkpoint(module, x, use_reentrant=True),
    "halves": lambda module, x: checkpoint(module[3:], checkpoint(module[:3], x)),
    "nested": lambda module, x: checkpoint(lambda x: module[3:](checkpoint(module[:3], x)), x),
    "within": lambda module, x: module[5](checkpoint(module[1:5], module[0](x))),
    "slowly": lambda module, x: checkpoint(module, x, early_stop=False),
    "sequential": lambda module, x: checkpoint_sequential(module, 3, x, use_reentrant=False),
    "list": lambda module, x: checkpoint_sequential(list(module), 2, x),
    "one segment": lambda module, x: checkpoint_sequential(module, 1, x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_gradients_are_those_without(call):
    module = model()
    x = tallow.rand(4, 3).requires_grad_()
    expected = gradients(lambda module, x: module(x), module, x)
    for got, right in zip(gradients(call, module, x), expected, strict=True):
        assert np.array_equal(got.numpy(), right.numpy())


def test_what_changes_in_place_within():
    layer = tallow.nn.Conv2d(3, 2, 1)
    relu = tallow.nn.ReLU(inplace=True)
    x = tallow.randn(1, 3, 4, 4).requires_grad_()
    expected, _ = tallow.autograd.grad(layer(relu(x * 2)).sum(), [x, layer.weight])
    out = checkpoint(lambda x: layer(relu(x * 2)), x, use_reentrant=False)
    got, _ = tallow.autograd.grad(out.sum(), [x, layer.weight])
    assert np.array_equal(got.numpy(), expected.numpy())


def test_parameters_alone():
    """Inputs that require no gradients do not stop those of parameters."""
    module = tallow.nn.Linear(2, 1)
    checkpoint(module, tallow.ones(1, 2)).backward()
    assert module.weight.grad.tolist() == [[1, 1]]


def test_results_and_keywords_of_any_kind():
    def function(x, factor, *, shift):
        return {"sum": x * factor + shift["by"], "name": "x"}

    x = tallow.ones(2, requires_grad=True)
    shift = tallow.ones(2, requires_grad=True)
    result = checkpoint(function, x, 3, shift={"by": shift * 2})
    assert result["name"] == "x"
    result["sum"].sum().backward()
    assert x.grad.tolist() == [3, 3] and shift.grad.tolist() == [2, 2]


def test_what_is_kept():
    """Of the tensors in between none is held until the backward pass."""
    between = []

    def function(x):
        y = x.exp()
        between.append(weakref.ref(y))
        return (y * y).sum()

    gc.collect()
    gc.disable()
    try:
        x = tallow.ones(2, requires_grad=True)
        y = checkpoint(function, x)
        assert between[0]() is None
        y.backward()
        assert len(between) == 2 and between[1]() is None
    finally:
        gc.enable()


def test_runs():
    """Once for each backward pass, and not past the last tensor that is needed."""
    log = []

    def function(x):
        log.append("start")
        y = x.exp()
        log.append("end")
        return y

    x = tallow.ones(2, requires_grad=True)
    y = checkpoint(function, x).sum()
    assert log == ["start", "end"]
    y.backward(retain_graph=True)
    assert log == ["start", "end", "start"]
    y.backward()
    assert log == ["start", "end", "start", "start"]
    assert x.grad.tolist() == pytest.approx([2 * 2.7182817] * 2)


def test_without_gradients():
    x = tallow.ones(2, requires_grad=True)
    with tallow.no_grad():
        assert not checkpoint(lambda x: x * 2, x).requires_grad
    assert not checkpoint(lambda x: x * 2, tallow.ones(2)).requires_grad


def test_second_order():
    def f(x):
        return (x.sin() * x).exp().sum()

    x = tallow.tensor([0.5, -1.0], dtype=tallow.float64, requires_grad=True)
    assert tallow.autograd.gradcheck(lambda x: checkpoint(f, x), x)
    assert tallow.autograd.gradgradcheck(lambda x: checkpoint(f, x), x)


def test_autocast_is_as_it_was():
    module = tallow.nn.Linear(2, 2)
    x = tallow.ones(1, 2, requires_grad=True)
    with tallow.autocast("cpu"):
        y = checkpoint(lambda x: module(x).tanh(), x)
    assert y.dtype is tallow.bfloat16
    y.sum().backward()
    got = x.grad.clone()
    x.grad = None
    with tallow.autocast("cpu"):
        y = module(x).tanh()
    y.sum().backward()
    tallow.testing.assert_close(got, x.grad)


def test_contexts():
    log = []

    @contextlib.contextmanager
    def noting(name):
        log.append(name)
        yield

    x = tallow.ones(1, requires_grad=True)
    y = checkpoint(tallow.exp, x, context_fn=lambda: (noting("first"), noting("second")))
    assert log == ["first"]
    y.backward()
    assert log == ["first", "second"]


def test_other_random_numbers_if_asked():
    log = []

    def noting(x):
        draws = tallow.rand(2)
        log.append(draws.tolist())
        return x * draws

    x = tallow.ones(2, requires_grad=True)
    for preserve in (True, False):
        log.clear()
        checkpoint(noting, x, preserve_rng_state=preserve).sum().backward()
        assert (log[0] == log[1]) is preserve


def test_messages():
    x = tallow.ones(2, requires_grad=True)
    with pytest.raises(ArgumentError, match="expected determinism_check 'default' or 'none'"):
        checkpoint(tallow.exp, x, determinism_check="some")
    sizes = iter([2, 1])

    def function(x):
        return x[: next(sizes)].exp()

    y = checkpoint(function, x)
    with pytest.raises(GradientError, match=r"expected float32 \(2,\) to be saved again, got .*1,"):
        y.sum().backward()


def test_message_of_a_function_that_does_less():
    x = tallow.ones(2, requires_grad=True)
    calls = iter([2, 1])

    def function(x):
        for _ in range(next(calls)):
            x = x.exp()
        return x

    y = checkpoint(function, x)
    with pytest.raises(GradientError, match="expected 2 tensors to be saved again, got only 1"):
        y.sum().backward()
