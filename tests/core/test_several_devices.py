"""Two devices of one kind: work is done where its tensors are, whichever is the current one."""

import pytest

import tallow
from tallow import backend, nn
from tallow.errors import DeviceError
from tallow.nn import functional as F
from tallow.testing import devices

FIRST, SECOND = "standin:0", "standin:1"


def test_tensors_go_to_both_and_back():
    x = tallow.arange(3.0)
    for where in (FIRST, SECOND):
        assert str(x.to(where).device) == where and x.to(where).tolist() == [0, 1, 2]
    moved = x.to(SECOND).to(FIRST)
    assert str(moved.device) == FIRST and moved.tolist() == [0, 1, 2]
    assert str(x.to("standin").device) == FIRST, "the current one"


def test_they_copy_without_the_host(monkeypatch):
    x = tallow.arange(6.0, device=FIRST).reshape(2, 3)
    monkeypatch.setitem(
        backend._by_name, "standin", backend.for_device(FIRST)._replace(from_host=None)
    )
    monkeypatch.setitem(backend._by_type, devices.Array, backend.for_device(FIRST))
    y = x.T.requires_grad_().to(SECOND)
    assert str(y.device) == SECOND and y.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_mixing_is_an_error():
    x, y = tallow.ones(2, device=FIRST), tallow.ones(2, device=SECOND)
    both = f"expected all operands on one device, got .* on {FIRST}, .* on {SECOND}"
    for wrong in (lambda: x + y, lambda: x @ y, lambda: tallow.cat([x, y])):
        with pytest.raises(DeviceError, match=both):
            wrong()


def test_gradients_pass_between_them():
    x = tallow.ones(3, device=FIRST, requires_grad=True)
    y = (x * 2).to(SECOND).requires_grad_()
    w = tallow.arange(3.0, device=SECOND).requires_grad_()
    (y * w).exp().to(FIRST).sum().backward()
    assert str(x.grad.device) == FIRST and str(w.grad.device) == SECOND
    (w * 3).sum().backward()
    assert w.grad.tolist() == pytest.approx([5, 2 * 2.718281828**2 + 3, 2 * 2.718281828**4 + 3])


def test_making_and_changing():
    x = tallow.zeros(2, 3, device=SECOND)
    made = [
        tallow.ones_like(x), x.new_full((2,), 3), tallow.arange(4, device=SECOND), x.clone(),
        tallow.rand(3, device=SECOND), x[0], x[x == 0], x.T.contiguous(), x.double(), x > 1,
        tallow.where(x > 0, x, 1), tallow.nn.functional.pad(x, (1, 1)), x.sort().values, x + 1,
        x.gather(1, tallow.zeros(2, 1, dtype=tallow.int64, device=SECOND)), x.cumsum(1), x.std(),
    ]  # fmt: skip
    assert {str(y.device) for y in made} == {SECOND}
    x[0] = 2
    x[:, 1].add_(1)
    x[x > 2] = 7
    assert x.tolist() == [[2, 7, 2], [0, 1, 0]]


class Net(nn.Module):
    """Layers of many kinds."""

    def __init__(self):
        super().__init__()
        self.words, self.conv = nn.Embedding(7, 4), nn.Conv1d(4, 6, 3, padding=1)
        self.norm, self.cell = nn.BatchNorm1d(6), nn.LSTM(6, 5, batch_first=True)
        self.heads, self.out = nn.MultiheadAttention(5, 1, 0.1, batch_first=True), nn.Linear(5, 3)

    def forward(self, index):
        x = self.norm(self.conv(self.words(index).transpose(1, 2))).relu().transpose(1, 2)
        x, _ = self.cell(F.dropout(x, 0.1))
        return self.out(self.heads(x, x, x)[0].mean(1))


@pytest.mark.parametrize("make", [
    lambda params: tallow.optim.SGD(params, lr=0.1, momentum=0.9),
    lambda params: tallow.optim.AdamW(params, lr=0.01, fused=True),
])  # fmt: skip
def test_models_train_on_the_second(make):
    model = Net().to(SECOND)
    optimizer = make(model.parameters())
    index = (tallow.arange(20) % 7).reshape(4, 5).to(SECOND)
    label = tallow.tensor([0, 1, 2, 1], device=SECOND)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(index), label)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and str(loss.device) == SECOND


def test_an_optimizer_s_parameters_may_be_on_both():
    params = [nn.Parameter(tallow.ones(2, device=where)) for where in (FIRST, SECOND, "cpu")]
    for p in params:
        p.grad = tallow.ones_like(p)
    tallow.optim.SGD(params, lr=0.5).step()
    assert [p.tolist() for p in params] == [[0.5, 0.5]] * 3
