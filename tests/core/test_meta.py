"""The device "meta": shapes and dtypes without values."""

import pytest

import tallow
from tallow import nn
from tallow.errors import DeviceError, NotSupportedError

MAKERS = {
    "empty": lambda: tallow.empty(2, 3),
    "rand": lambda: tallow.rand(2, 3),
    "arange": lambda: tallow.arange(5) / 2,
    "masks": lambda: tallow.ones(3, 3).tril() > 0,
    "where": lambda: tallow.where(tallow.ones(2, 3) > 0, 1.0, tallow.zeros(3)),
    "cat": lambda: tallow.cat([tallow.ones(2, 3), tallow.zeros(1, 3)]),
    "reduction": lambda: (tallow.ones(2, 3) @ tallow.ones(3, 2)).softmax(-1).sum(),
    "index": lambda: tallow.ones(4, 3)[1:, tallow.tensor([0, 2])],
    "half": lambda: tallow.ones(2, dtype=tallow.float16).exp(),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_shapes_and_dtypes(make):
    usual = make()
    with tallow.device("meta"):
        x = make()
    assert x.is_meta and not x.is_cpu and x.device == tallow.device("meta")
    assert (x.shape, x.dtype) == (usual.shape, usual.dtype)


def test_nothing_can_be_read():
    x = tallow.ones(2, device="meta")
    for read in (x[0].item, x.tolist, x.cpu, lambda: bool(x.any()), x.sum().__float__):
        with pytest.raises(NotSupportedError, match="meta: expected a tensor with values"):
            read()
    with pytest.raises(DeviceError, match="expected all operands on one device"):
        x + tallow.ones(2)


def test_text_is_pytorchs():
    torch = pytest.importorskip("torch")
    for shape, dtype in (((2, 3), "float32"), ((2,), "int64"), ((), "float16"), ((0,), "bool")):
        texts = [
            repr(p.empty(shape, dtype=getattr(p, dtype), device="meta")) for p in (tallow, torch)
        ]
        assert texts[0].replace("tallow.", "torch.") == texts[1]


def test_memory_is_not_taken():
    x = tallow.empty(1 << 20, 1 << 20, device="meta")
    assert tallow.ones(3).to("meta").stride() == x[0].stride() == (0,) and x.numel() == 1 << 40


def test_a_model_is_filled():
    tallow.manual_seed(0)
    expected = tallow.rand(2)
    tallow.manual_seed(0)
    with tallow.device("meta"):
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LSTM(4, 2))
    assert tallow.rand(2).equal(expected)  # no number was drawn for it
    assert all(p.is_meta for p in model.state_dict().values())
    model.to_empty(device="cpu").load_state_dict(
        {key: tallow.ones_like(x, device="cpu") for key, x in model.state_dict().items()}
    )
    assert model[0](tallow.ones(1, 3)).tolist() == [[4.0] * 4]


def test_a_state_takes_the_place():
    with tallow.device("meta"):
        layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": tallow.ones(1, 2), "bias": tallow.zeros(1)}, assign=True)
    assert layer(tallow.ones(2)).item() == 2
