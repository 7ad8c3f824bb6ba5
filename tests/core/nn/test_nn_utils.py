"""clip_grad_norm_ and its relatives; parameters as one vector."""

import pytest

import tallow
from tallow import nn
from tallow.nn import utils


def parameters():
    """Two parameters with gradients [3, 0] and [[4]], and one without."""
    a, b = nn.Parameter(tallow.ones(2)), nn.Parameter(tallow.ones(1, 1))
    (a * tallow.tensor([3.0, 0.0])).sum().backward()
    (b * 4).sum().backward()
    return [a, b, nn.Parameter(tallow.ones(1))]


def test_clip_by_norm():
    given = parameters()
    assert utils.clip_grad_norm_(iter(given), 1.0).item() == 5
    assert utils.get_total_norm([p.grad for p in given[:2]]).item() == pytest.approx(1, abs=1e-5)
    assert given[0].grad.tolist() == pytest.approx([0.6, 0], abs=1e-5)
    assert given[2].grad is None


def test_norms_below_the_bound_stay():
    given = parameters()
    assert utils.clip_grad_norm_(given, 10.0).item() == 5
    assert given[0].grad.tolist() == [3, 0]


@pytest.mark.parametrize("norm_type, expected", [(1.0, 7), (3.0, 91 ** (1 / 3)), (float("inf"), 4)])
def test_other_norms(norm_type, expected):
    given = parameters()
    assert utils.clip_grad_norm_(given, 1.0, norm_type).item() == pytest.approx(expected)
    after = utils.get_total_norm([p.grad for p in given[:2]], norm_type)
    assert after.item() == pytest.approx(1, abs=1e-5)


def test_one_tensor_and_none():
    single = parameters()[1]
    assert utils.clip_grad_norm_(single, 1.0).item() == 4
    assert utils.clip_grad_norm_([], 1.0).item() == 0


def test_infinite_norms():
    weight = nn.Parameter(tallow.ones(1))
    (weight * float("inf")).sum().backward()
    with pytest.raises(RuntimeError, match="total norm of order 2.0: expected a finite number"):
        utils.clip_grad_norm_(weight, 1.0, error_if_nonfinite=True)


def test_clip_by_value():
    given = parameters()
    utils.clip_grad_value_(given, 3.5)
    assert given[0].grad.tolist() == [3, 0] and given[1].grad.tolist() == [[3.5]]


def test_vector_and_back():
    layer = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (8,) and vector.requires_grad
    utils.vector_to_parameters(tallow.arange(8.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1, 2], [3, 4, 5]] and layer.bias.tolist() == [6, 7]
    assert layer.weight.is_leaf
    with pytest.raises(RuntimeError, match="expected 8 elements, got 7"):
        utils.vector_to_parameters(tallow.arange(7.0), layer.parameters())
