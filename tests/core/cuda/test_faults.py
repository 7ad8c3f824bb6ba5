"""Indices out of range on a device: noted by kernels, raised when the host next waits or checks."""

from contextlib import suppress

import pytest

import tallow
from tallow.nn import functional as F


def wrong(where):
    """Calls with an index out of range, and what their errors say."""
    x, table = tallow.zeros(4, 3).to(where), tallow.ones(5, 2).to(where)
    label = tallow.tensor([0, 3, -100, 1]).to(where)
    return {
        "cross_entropy: expected indices from 0 to 2, got 3": lambda: F.cross_entropy(x, label),
        "nll_loss: expected indices from 0 to 2, got 3": lambda: F.nll_loss(x, label),
        "embedding: expected indices from 0 to 4, got -100": lambda: F.embedding(label, table),
        "gather: expected indices from 0 to 2, got": lambda: x.gather(1, label[:, None]),
        "index: expected indices from 0 to 3, got -100": lambda: x[label],
    }


@pytest.mark.parametrize("message", wrong("cpu"))
def test_an_index_out_of_range_is_raised_later(message, emulated):
    with suppress(IndexError):  # of NumPy's, where CuPy goes on
        wrong("standin")[message]()
    with pytest.raises(IndexError, match=message):
        tallow.ones(1).to("standin").cpu()
    assert tallow.ones(2).to("standin").tolist() == [1, 1], "the device goes on"


def test_it_is_raised_by_the_next_check(emulated):
    table, index = tallow.ones(5, 2).to("standin"), tallow.tensor([7]).to("standin")
    F.embedding(index, table)
    with pytest.raises(IndexError, match="embedding: expected indices from 0 to 4, got 7"):
        F.embedding(index * 0, table)
    assert F.embedding(index * 0, table).sum().item() == 2


@pytest.mark.parametrize("wait", [lambda x: x.item(), bool, lambda x: x.tolist(), repr])
def test_every_wait_looks(wait, emulated):
    table, index = tallow.ones(5, 2).to("standin"), tallow.tensor([7]).to("standin")
    total = F.embedding(index, table).sum()
    with pytest.raises(IndexError, match="got 7"):
        wait(total)


def test_labels_that_are_ignored_are_in_range(emulated):
    x = tallow.rand(4, 3, requires_grad=True)
    label = tallow.tensor([0, 2, -100, 1])
    expected = F.cross_entropy(x, label)
    expected.backward()
    y = x.detach().to("standin").requires_grad_()
    loss = F.cross_entropy(y, label.to("standin"))
    loss.backward()
    assert loss.item() == pytest.approx(expected.item())
    assert tallow.allclose(y.grad.cpu(), x.grad)
