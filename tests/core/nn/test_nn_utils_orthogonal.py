"""Orthogonal parametrizations are PyTorch's."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn.utils import parametrizations, parametrize

torch = pytest.importorskip("torch")


def results(shape, dtype, assigned=None, **settings):
    """The weight, its gradient's effect and the original, in both libraries."""
    found = []
    for library in (tallow, torch):
        library.manual_seed(0)
        module = library.nn.Module()
        rng = np.random.default_rng(0)
        start = rng.standard_normal(shape).astype("float64")
        if dtype == "complex128":
            start = start + 1j * rng.standard_normal(shape)
        module.weight = library.nn.Parameter(library.from_numpy(start.astype(dtype)))
        library.nn.utils.parametrizations.orthogonal(module, **settings)
        if assigned is not None:
            module.weight = library.from_numpy(assigned)
        original = module.parametrizations.weight.original
        with library.no_grad():
            noise = 0.1 * rng.standard_normal(shape)  # below the diagonal, which may hold signs
            original += library.from_numpy(noise.astype(dtype)).tril(-1)
        weight = module.weight
        factor = library.from_numpy(rng.standard_normal(shape).astype(dtype))
        (weight * factor).sum().abs().backward()
        found.append([x.detach().numpy() for x in (weight, original, original.grad)])
    return found


def close(found):
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def is_orthogonal(q):
    q = q if q.shape[-2] >= q.shape[-1] else np.swapaxes(q, -1, -2)
    product = np.conj(np.swapaxes(q, -1, -2)) @ q
    identity = np.broadcast_to(np.eye(q.shape[-1]), product.shape)
    np.testing.assert_allclose(product, identity, atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (4, 1), (2, 5, 3)])
def test_reflections(shape):
    rng = np.random.default_rng(2)
    wide = shape[-2] < shape[-1]
    tall = (*shape[:-2], *shape[:-3:-1]) if wide else shape
    q = np.linalg.qr(rng.standard_normal(tall))[0]
    assigned = np.ascontiguousarray(np.swapaxes(q, -1, -2) if wide else q)
    settings = {"orthogonal_map": "householder", "use_trivialization": False}
    found = results(shape, "float64", assigned, **settings)
    is_orthogonal(found[0][0])
    close(found)


def test_assignment_to_reflections():
    layer = nn.Linear(3, 3)
    settings = {"orthogonal_map": "householder", "use_trivialization": False}
    parametrizations.orthogonal(layer, **settings)
    for q in (tallow.eye(3), -tallow.eye(3), tallow.eye(3)[[1, 2, 0]]):
        layer.weight = q
        assert tallow.allclose(layer.weight, q, atol=1e-6)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 5, 3)])
def test_maps(orthogonal_map, shape):
    found = results(shape, "float64", orthogonal_map=orthogonal_map)
    is_orthogonal(found[0][0])
    close(found)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", None])
def test_complex_weights(orthogonal_map):
    found = results((4, 3), "complex128", orthogonal_map=orthogonal_map)
    is_orthogonal(found[0][0])
    close(found)


def test_assignment():
    layer = parametrizations.orthogonal(nn.Linear(3, 3))
    q = tallow.eye(3)[[1, 2, 0]]
    layer.weight = q
    assert tallow.allclose(layer.weight, q, atol=1e-6)
    with pytest.raises(RuntimeError, match=r"expected \(3, 3\), got float32 \(2, 2\)"):
        layer.weight = tallow.eye(2)


def test_what_cannot_be_assigned():
    layer = parametrizations.orthogonal(nn.Linear(2, 2), use_trivialization=False)
    with pytest.raises(NotImplementedError, match="expected use_trivialization to assign"):
        layer.weight = tallow.eye(2)


def test_training_keeps_it():
    tallow.manual_seed(0)
    layer = parametrizations.orthogonal(nn.Linear(4, 4, bias=False).double())
    optimizer = tallow.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        layer(tallow.randn(8, 4).double()).relu().sum().backward()
        optimizer.step()
    is_orthogonal(layer.weight.detach().numpy())
    assert parametrize.is_parametrized(layer)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="orthogonal: expected a matrix or a batch, got float32"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="one of matrix_exp, cayley, householder, got 'qr'"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    module = nn.Module()
    module.weight = nn.Parameter(tallow.zeros(2, 2, dtype=tallow.complex64))
    with pytest.raises(ValueError, match="expected a real weight for 'householder', got complex"):
        parametrizations.orthogonal(module, orthogonal_map="householder")
