"""`summary`: the layers of a model, what they give, hold and compute."""

import pytest

import tallow
from tallow import nn
from tallow.utils import summary


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, groups=1, bias=False)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)
        self.head.weight.requires_grad = False

    def forward(self, x, scale=None):
        x = self.norm(self.up(self.conv(x)))
        x = self.head(self.head.weight.new_ones(4) * x.mean((2, 3)))
        return x if scale is None else x * scale


def test_a_network(capsys):
    model = Net()
    found = summary(model, (2, 3, 6, 6))
    assert capsys.readouterr().out == f"{found}\n"
    assert [layer.name for layer in found.layers] == ["", "conv", "up", "norm", "head"]
    assert [layer.output_shapes for layer in found.layers] == [
        [(2, 2)], [(2, 8, 6, 6)], [(2, 4, 12, 12)], [(2, 4, 12, 12)], [(2, 2)],
    ]  # fmt: skip
    conv, up, head = 2 * 8 * 36 * 27, 2 * 8 * 36 * 4 * 4, 2 * 4 * 2
    assert [layer.mult_adds for layer in found.layers[1:]] == [conv, up, 0, head]
    assert found.total_mult_adds == found.layers[0].mult_adds == conv + up + head
    assert found.total_params == sum(p.numel() for p in model.parameters())
    assert found.total_params - found.trainable_params == 8
    assert found.input_bytes == 2 * 3 * 36 * 4
    assert found.output_bytes == 4 * (2 * 8 * 36 + 2 * 2 * 4 * 144 + 4)
    assert found.param_bytes == 4 * (found.total_params + 8) + 8  # statistics, and their count


def test_the_model_is_left_as_it_was():
    model = Net()
    model.norm.eval()
    state = {name: x.clone() for name, x in model.state_dict().items()}
    summary(model, (2, 3, 6, 6), verbose=False)
    assert model.training and model.up.training and not model.norm.training
    assert all(tallow.equal(x, state[name]) for name, x in model.state_dict().items())
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    with pytest.raises(RuntimeError, match="expected input with 3 channels"):
        summary(model, (1, 4, 6, 6))
    summary(model, (1, 3, 6, 6), verbose=False)
    assert calls == [1]


def test_several_inputs_and_shared_layers():
    layer = nn.Linear(4, 4, bias=False)
    found = summary(nn.Sequential(layer, nn.ReLU(), layer), (3, 4), verbose=False)
    assert [row.kind for row in found.layers] == ["Sequential", "Linear", "ReLU"]
    assert found.total_params == 16 and found.layers[1].mult_adds == 2 * 3 * 16
    found = summary(Net(), [(1, 3, 6, 6), (1, 2)], verbose=False)
    assert found.input_bytes == 4 * (3 * 36 + 2)
    tokens = tallow.tensor([[1, 2, 3]])
    found = summary(nn.Embedding(5, 4), input_data=tokens, verbose=False)
    assert found.layers[0].output_shapes == [(1, 3, 4)] and found.input_bytes == 24
    found = summary(nn.Embedding(5, 4), (2, 3), dtype=tallow.int64, verbose=False)
    assert found.layers[0].output_shapes == [(2, 3, 4)]


@pytest.mark.parametrize(
    "model, shapes, work",
    [
        (nn.LSTM(4, 3, bidirectional=True), (5, 2, 4), 5 * 2 * 2 * 4 * 3 * (4 + 3)),
        (nn.LSTM(4, 3, proj_size=2), (5, 2, 4), 5 * 2 * (4 * 3 * (4 + 2) + 2 * 3)),
        (nn.GRU(4, 3, 2), (5, 2, 4), 5 * 2 * 3 * 3 * (4 + 3 + 3 + 3)),
        (nn.RNN(4, 3), (5, 2, 4), 5 * 2 * 3 * (4 + 3)),
        (nn.MultiheadAttention(8, 2), [(4, 2, 8)] * 3,
         2 * (4 * 4 * 64 + 2 * 4 * 4 * 8)),
        (nn.LazyLinear(3), (2, 5), 2 * 5 * 3),
        (nn.Bilinear(3, 4, 2), [(5, 3), (5, 4)], 5 * (3 * 4 * 2 + 4 * 2)),
        (nn.Conv1d(4, 6, 3, groups=2), (2, 4, 8), 2 * 6 * 6 * 2 * 3),
    ],
)  # fmt: skip
def test_multiply_adds(model, shapes, work):
    assert summary(model, shapes, verbose=False).total_mult_adds == work


def test_without_an_input():
    with pytest.raises(ValueError, match="summary: expected input_size or input_data, got both or"):
        summary(Net())
