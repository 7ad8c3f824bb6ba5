"""Initialisers: what they promise, and PyTorch's numbers for the same seed."""

import math

import numpy as np
import pytest

import tallow
from tallow.nn import init

DRAWS = [
    ("uniform_", (3, 5), dict(a=-2, b=3)),
    ("normal_", (4, 8), dict(mean=1, std=2)),
    ("normal_", (3, 3), dict()),
    ("xavier_uniform_", (4, 3, 3, 3), dict(gain=2)),
    ("xavier_normal_", (4, 6), dict()),
    ("kaiming_uniform_", (4, 6), dict(a=math.sqrt(5))),
    ("kaiming_uniform_", (4, 2, 3), dict(mode="fan_out", nonlinearity="relu")),
    ("kaiming_normal_", (4, 6), dict(nonlinearity="tanh")),
    ("trunc_normal_", (8, 8), dict()),
    ("trunc_normal_", (8, 8), dict(mean=0.5, std=0.02, a=-2, b=2)),
    ("trunc_normal_", (8, 8), dict(std=2, a=0.5, b=1.0)),
    ("orthogonal_", (4, 6), dict()),
    ("orthogonal_", (6, 2, 2), dict(gain=2)),
    ("sparse_", (6, 4), dict(sparsity=0.4)),
]


@pytest.mark.parametrize("name, shape, arguments", DRAWS)
def test_same_seed_same_numbers(name, shape, arguments):
    torch = pytest.importorskip("torch")
    tallow.manual_seed(3)
    torch.manual_seed(3)
    ours = getattr(init, name)(tallow.empty(shape), **arguments)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **arguments)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


def test_it_fills_in_place_and_unrecorded():
    w = tallow.nn.Parameter(tallow.empty(3, 3))
    for name in ("ones_", "zeros_", "eye_", "normal_", "orthogonal_", "trunc_normal_"):
        assert getattr(init, name)(w) is w
        assert w.is_leaf and w.requires_grad


def test_generator():
    draws = [
        init.normal_(tallow.empty(20), generator=tallow.Generator().manual_seed(1)).tolist()
        for _ in range(2)
    ]
    assert draws[0] == draws[1]


def test_constants():
    assert init.constant_(tallow.empty(2), 3).tolist() == [3, 3]
    assert init.ones_(tallow.empty(2)).tolist() == [1, 1]
    assert init.zeros_(tallow.empty(2)).tolist() == [0, 0]
    assert init.eye_(tallow.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_channels(groups):
    w = init.dirac_(tallow.empty(4, 2, 3), groups).numpy()
    assert w.sum() == 2 * groups
    assert w[0, 0, 1] == w[1, 1, 1] == 1
    assert groups == 1 or w[2, 0, 1] == w[3, 1, 1] == 1


def test_sparse_has_the_zeros():
    w = init.sparse_(tallow.empty(10, 4), sparsity=0.25)
    assert (w == 0).sum(0).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(tallow.empty(shape), gain=2).numpy().reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_empty_tensors_stay_empty():
    for name in ("kaiming_uniform_", "kaiming_normal_", "orthogonal_"):
        assert getattr(init, name)(tallow.empty(0, 3)).shape == (0, 3)


def test_gains():
    assert init.calculate_gain("conv2d") == init.calculate_gain("sigmoid") == 1
    assert init.calculate_gain("tanh") == 5 / 3 and init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)


@pytest.mark.parametrize(
    "act, message",
    [
        (lambda: init.calculate_gain("swish"), "expected one of linear, .*, got 'swish'"),
        (lambda: init.calculate_gain("leaky_relu", "steep"), "expected a number as slope"),
        (lambda: init.kaiming_uniform_(tallow.empty(3)), "at least 2 dimensions, got 1"),
        (lambda: init.kaiming_normal_(tallow.empty(3, 3), mode="in"), "'fan_out', got 'in'"),
        (lambda: init.eye_(tallow.empty(3)), "eye_: expected a tensor of 2 dimensions, got 1"),
        (lambda: init.dirac_(tallow.empty(3, 3)), "dirac_: expected a tensor of 3 or 4 or 5"),
        (lambda: init.dirac_(tallow.empty(3, 3, 3), 2), "divisible by groups=2, got 3"),
        (lambda: init.orthogonal_(tallow.empty(3)), "orthogonal_: expected at least 2 dimensions"),
        (lambda: init.trunc_normal_(tallow.empty(3), a=2, b=1), "expected bounds a < b, got a=2"),
    ],
)  # fmt: skip
def test_misuse_says_what_was_expected(act, message):
    with pytest.raises(ValueError, match=message):
        act()
