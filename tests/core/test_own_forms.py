"""Torch's own forms of what nn.functional has; most are compared in test_opinfo."""

import pytest

import tallow
from tallow.errors import ArgumentError

torch = pytest.importorskip("torch")

CALLS = [
    lambda t, x: t.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
    lambda t, x: t.instance_norm(x[None], None, None, None, None, True, 0.1, 1e-5, False),
    lambda t, x: t.embedding(x, t.tensor([1, 0])),
    lambda t, x: t.kl_div(x, x.softmax(-1), 1),
    lambda t, x: t.binary_cross_entropy_with_logits(x, x * 0, None, None, 2),
    lambda t, x: t.hinge_embedding_loss(x, x * 0 + 1, 1.0, 0),
    lambda t, x: t.margin_ranking_loss(x, x * 2, x * 0 + 1),
    lambda t, x: t.poisson_nll_loss(x, x * 0 + 2, True, False, 1e-8, 1),
    lambda t, x: t.triplet_margin_loss(x, x + 1, x - 2),
    lambda t, x: t.cosine_embedding_loss(x, x + 1, t.ones(4)),
    lambda t, x: t.convolution(x[None], x.new_ones(2, 4, 2), None, [1], [0], [1], False, [0], 1),
    lambda t, x: t.convolution(x[None], x.new_ones(4, 2, 2), None, [2], [0], [1], True, [1], 1),
    lambda t, x: t.grid_sampler(x[None, None], t.zeros(1, 1, 1, 2), 0, 0, True),
    lambda t, x: t.affine_grid_generator(t.ones(1, 2, 3), [1, 1, 2, 2], False),
]


@pytest.mark.parametrize("call", CALLS)
def test_values(call):
    values = torch.arange(20.0).reshape(4, 5).sin()
    got, expected = call(tallow, tallow.from_numpy(values.numpy())), call(torch, values)
    assert torch.allclose(torch.from_numpy(got.numpy().copy()), expected, 1e-5, 1e-6)


def test_a_mode_that_there_is_not():
    with pytest.raises(ArgumentError, match="grid_sampler: expected a number from 0 to 2, got 7"):
        tallow.grid_sampler(tallow.ones(1, 1, 2, 2), tallow.zeros(1, 1, 1, 2), 7, 0, True)
