"""PyTorch's own database of optimizers: ten steps with all settings in it, and all its mistakes.

One walk for all, since the database alone takes longer to import than the walk does.
"""

import contextlib
import warnings

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")  # which the database imports


@pytest.fixture(scope="module")
def database():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal import common_optimizers
    return common_optimizers.optim_db


def as_ours(x):
    """What PyTorch's optimizer is given as what tallow's is given."""
    if isinstance(x, torch.nn.Parameter):
        return tallow.nn.Parameter(tallow.from_numpy(x.detach().numpy().copy()))
    if isinstance(x, torch.Tensor) and x.is_sparse:
        return as_ours(x.to_dense()).to_sparse()
    if isinstance(x, torch.Tensor):
        made = tallow.from_numpy(x.numpy().copy())
        made.grad = as_ours(x.grad)
        return made
    if isinstance(x, dict):
        return {key: as_ours(value) for key, value in x.items()}
    if isinstance(x, tuple | list):
        return type(x)(map(as_ours, x))
    return x


def fit(library, name, settings, dtype, steps=10):
    """A regression: its losses, and where the parameters end."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in ((5, 3), (2, 3), (5, 2))]
    x, start, y = (library.from_numpy(a) for a in arrays)
    weights = [library.nn.Parameter(start.clone()), library.nn.Parameter(start.new_ones(1, 2))]
    optimizer = getattr(library.optim, name)(weights, **settings)

    def closure():
        optimizer.zero_grad()
        loss = ((x @ weights[0].T + weights[1] - y) ** 2).mean()
        loss.backward()
        if name == "SparseAdam":
            for w in weights:
                w.grad = w.grad.to_sparse()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return losses, [w.detach().numpy() for w in weights]


def variants(info):
    """The database's settings, plain and with each flag that chooses an implementation."""
    flags = [flag for flag in info.supported_impls if flag != "differentiable"]
    if "cpu" not in info.supports_fused_on:
        flags = [flag for flag in flags if flag != "fused"]
    for case in info.optim_inputs_func("cpu", torch.float32):
        yield case.kwargs
        if not any(isinstance(value, torch.Tensor) for value in case.kwargs.values()):
            yield from (case.kwargs | {flag: True} for flag in flags)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("float64", 1e-7)])
def test_steps(subtests, database, dtype, tolerance):
    for info in database:
        if info.name == "Muon":  # iterates in bfloat16 in PyTorch: an order of additions shows
            tolerance = 3e-3
        with subtests.test(info.name):
            for settings in variants(info):
                expected, ends = fit(torch, info.name, settings, dtype)
                losses, own_ends = fit(tallow, info.name, as_ours(settings), dtype)
                what = f"{info.name} {settings}"
                np.testing.assert_allclose(losses, expected, tolerance, tolerance, err_msg=what)
                for a, b in zip(own_ends, ends, strict=True):
                    np.testing.assert_allclose(a, b, tolerance, tolerance, err_msg=what)


def test_mistakes(subtests, database):
    for info in database:
        with subtests.test(info.name):
            for case in info.optim_error_inputs_func("cpu", torch.float32):
                given = case.optimizer_error_input
                params = given.params
                if params is None:
                    params = [torch.nn.Parameter(torch.zeros(1, 1))]
                mistake(info.name, case, as_ours_once(params), as_ours(given.kwargs))


def as_ours_once(params):
    """Parameters as tallow's, one that is there twice as one."""
    made = {}

    def once(x):
        if isinstance(x, torch.Tensor):
            return made.setdefault(id(x), as_ours(x))
        if isinstance(x, dict):
            return {key: once(value) for key, value in x.items()}
        return type(x)(map(once, x)) if isinstance(x, tuple | list) else x

    return once(params)


def mistake(name, case, params, settings):
    kind = case.error_type
    with contextlib.ExitStack() as raises:
        if issubclass(kind, Warning):
            raises.enter_context(pytest.warns(kind))
        else:
            error = raises.enter_context(pytest.raises(kind))
        optimizer = getattr(tallow.optim, name)(params, **settings)
        if case.error_on.name == "STEP_ERROR":
            optimizer.step()
    if not issubclass(kind, Warning):
        assert isinstance(error.value, tallow.errors.TallowError), repr(error.value)
