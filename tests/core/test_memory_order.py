"""Results lie in order in memory where PyTorch's do, so that `view` takes them."""

import pytest

import tallow

RESULTS = [
    lambda t, x: x[:, t.tensor([0, 2])],
    lambda t, x: x[..., t.tensor([True, False, True, False])],
    lambda t, x: x.index_select(2, t.tensor([1, 0])),
    lambda t, x: x.transpose(0, 2).sum(1),
    lambda t, x: x.transpose(0, 2).mean(0, keepdim=True),
    lambda t, x: x.transpose(0, 2).amax(1),
    lambda t, x: x.transpose(0, 2).var(1),
    lambda t, x: x.transpose(0, 2).argmax(1),
    lambda t, x: x.topk(2, 1).indices,
    lambda t, x: x.topk(2, 1).values,
    lambda t, x: x.argsort(1, descending=True),
    lambda t, x: x.transpose(0, 2).repeat(1, 1, 1),
    lambda t, x: x.transpose(0, 2).tril(),
    lambda t, x: x.transpose(0, 2).masked_fill(x.transpose(0, 2) > 1, 0.0),
    lambda t, x: t.nn.functional.layer_norm(x.transpose(1, 2), (3,)),
    lambda t, x: x.transpose(1, 2).ravel(),
    lambda t, x: x[0, :, :3].diag(),
]


@pytest.mark.parametrize("result", RESULTS)
def test_in_order(result):
    got = result(tallow, tallow.arange(24.0).reshape(2, 3, 4))
    assert got.is_contiguous()
    assert got.view(-1).tolist() == got.reshape(-1).tolist()
    torch = pytest.importorskip("torch")
    expected = result(torch, torch.arange(24.0).reshape(2, 3, 4))
    assert expected.is_contiguous()
    assert torch.allclose(torch.from_numpy(got.numpy().copy()), expected)
