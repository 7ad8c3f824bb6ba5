"""Tensors whose memory several processes share."""

import multiprocessing

import pytest

import tallow
from tallow import nn


def train(model, plain):
    with tallow.no_grad():
        model.weight += 1
        plain += 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_see_changes(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    model, plain = nn.Linear(2, 1).share_memory(), tallow.zeros(1)
    before = model.weight.detach().clone()
    assert model.weight.is_shared() and not plain.is_shared()
    process = multiprocessing.get_context(method).Process(target=train, args=(model, plain))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert tallow.equal(model.weight, before + 1) and plain == 0
    assert isinstance(model.weight, nn.Parameter) and model.weight.requires_grad


def test_a_tensor_itself():
    x = tallow.arange(6).reshape(2, 3)
    assert x.share_memory_() is x and x.tolist() == [[0, 1, 2], [3, 4, 5]]
    memory = x.data_ptr()
    assert x.share_memory_().data_ptr() == memory and x[1].is_shared()
    assert tallow.ones(0).share_memory_().numel() == 0
    with pytest.raises(NotImplementedError, match="share_memory_: expected a CPU tensor"):
        tallow.ones(1, device="meta").share_memory_()
