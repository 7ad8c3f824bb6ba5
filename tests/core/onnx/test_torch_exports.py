"""What PyTorch's exporters write, run by tallow: what ONNX Runtime makes of it."""

import io
import warnings

import numpy as np
import pytest

import tallow
from tallow.onnx import load

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
nn = torch.nn


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x):
        return torch.relu(self.body(x) + x)


class Squeeze(nn.Module):
    """Depthwise convolution, and a gate for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 4, 1), nn.ReLU(),
            nn.Conv2d(4, channels, 1), nn.Hardsigmoid(),
        )  # fmt: skip

    def forward(self, x):
        x = nn.functional.hardswish(self.conv(x))
        return x * self.gate(x)


class Upsample(nn.Module):
    def forward(self, x):
        small = nn.functional.interpolate(x, size=(5, 9), mode="bilinear", align_corners=False)
        return torch.cat([small, small.flip(-1)], 1), nn.functional.interpolate(x, scale_factor=2)


def head(channels):
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5)


def encoder(**options):
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, **options)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


IMAGE, STEPS = (2, 3, 16, 16), (2, 5, 16)
NETWORKS = {
    "resnet": (lambda: nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.BatchNorm2d(8), nn.ReLU(),
               nn.MaxPool2d(3, 2, 1), Residual(8), *head(8)), IMAGE),
    "mobilenet": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU6(), Squeeze(8),
                  *head(8)), IMAGE),
    "upsample": (Upsample, IMAGE),
    "lstm": (lambda: nn.LSTM(16, 8, 2, batch_first=True), STEPS),
    "both ways": (lambda: nn.LSTM(16, 8, bidirectional=True), STEPS),
    "gru": (lambda: nn.GRU(16, 8, batch_first=True), STEPS),
    "rnn": (lambda: nn.RNN(16, 8, nonlinearity="relu"), STEPS),
    "transformer": (encoder, STEPS),
    "transformer, norm first": (lambda: encoder(norm_first=True, activation="gelu"), STEPS),
    "norms": (lambda: nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True),
              nn.LayerNorm(6), nn.GELU(approximate="tanh"), nn.SiLU(), nn.PReLU()), (2, 4, 6)),
}  # fmt: skip


def flat(out):
    return [x for part in out for x in flat(part)] if isinstance(out, tuple) else [out]


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_exports(name, dynamo):
    if dynamo:
        pytest.importorskip("onnxscript")
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    network, x, file = make().eval(), torch.randn(shape), io.BytesIO()
    with torch.no_grad():
        for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.running_mean.normal_()
        expected = flat(network(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        torch.onnx.export(network, (x,), file, dynamo=dynamo, verbose=False)
    session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    theirs = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    file.seek(0)
    with tallow.no_grad():
        ours = flat(load(file)(tallow.tensor(x.numpy())))
    assert len(ours) == len(theirs) == len(expected)
    for a, b, c in zip(ours, theirs, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-4, atol=1e-5, strict=True)
        np.testing.assert_allclose(b, c.numpy(), rtol=1e-4, atol=1e-5)
