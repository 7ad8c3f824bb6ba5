"""The most used modules against numbers that PyTorch 2.13 gave, for where it is not installed.

`python tests/core/nn/test_golden.py` records them again, with PyTorch.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import tallow

RECORD = Path(__file__).with_name("golden.json")

# How a module is made, and the shapes of its inputs (arrays are inputs as they are).
MODULES = [
    ("Linear(6, 4)", [(3, 6)]),
    ("Bilinear(3, 4, 2)", [(3, 3), (3, 4)]),
    ("Conv1d(3, 4, 3, padding=1)", [(2, 3, 8)]),
    ("Conv2d(3, 4, 3, stride=2, padding=1)", [(2, 3, 8, 8)]),
    ("Conv2d(4, 4, 3, groups=4, dilation=2)", [(2, 4, 8, 8)]),
    ("Conv3d(2, 3, 2)", [(1, 2, 4, 4, 4)]),
    ("ConvTranspose2d(3, 2, 3, stride=2, output_padding=1)", [(2, 3, 4, 4)]),
    ("BatchNorm1d(4)", [(6, 4)]),
    ("BatchNorm2d(3)", [(2, 3, 4, 4)]),
    ("InstanceNorm2d(3, affine=True)", [(2, 3, 4, 4)]),
    ("LayerNorm(6)", [(3, 6)]),
    ("GroupNorm(2, 4)", [(2, 4, 5)]),
    ("RMSNorm(6)", [(3, 6)]),
    ("Dropout(0.4)", [(5, 6)]),
    ("Embedding(7, 4, padding_idx=0)", [np.array([[0, 3, 6], [2, 3, 0]])]),
    ("EmbeddingBag(7, 4)", [np.array([[1, 3, 6], [2, 3, 0]])]),
    ("MaxPool2d(2)", [(2, 3, 6, 6)]),
    ("AvgPool2d(3, stride=2, padding=1)", [(2, 3, 6, 6)]),
    ("AdaptiveAvgPool2d((2, 3))", [(2, 3, 5, 7)]),
    ("ReflectionPad2d(2)", [(2, 3, 4, 4)]),
    ("Upsample(scale_factor=2, mode='bilinear')", [(2, 3, 4, 4)]),
    ("PixelShuffle(2)", [(2, 8, 3, 3)]),
    ("ReLU()", [(4, 5)]),
    ("LeakyReLU(0.2)", [(4, 5)]),
    ("ELU()", [(4, 5)]),
    ("PReLU()", [(4, 5)]),
    ("GELU()", [(4, 5)]),
    ("SiLU()", [(4, 5)]),
    ("Sigmoid()", [(4, 5)]),
    ("Tanh()", [(4, 5)]),
    ("Softplus()", [(4, 5)]),
    ("Hardswish()", [(4, 5)]),
    ("Softmax(1)", [(4, 5)]),
    ("CrossEntropyLoss(label_smoothing=0.1)", [(4, 5), np.array([0, 2, 4, 1])]),
    ("NLLLoss()", [(4, 5), np.array([0, 2, 4, 1])]),
    ("MSELoss()", [(4, 5), (4, 5)]),
    ("L1Loss()", [(4, 5), (4, 5)]),
    ("SmoothL1Loss()", [(4, 5), (4, 5)]),
    ("BCEWithLogitsLoss()", [(4, 5), np.tile(np.float32([0, 1, 1, 0, 1]), (4, 1))]),
    ("KLDivLoss(reduction='batchmean', log_target=True)", [(4, 5), (4, 5)]),
    ("CTCLoss()", [(6, 2, 4), np.array([[1, 2], [3, 3]]), np.array([6, 5]), np.array([2, 1])]),
    ("CosineSimilarity()", [(4, 5), (4, 5)]),
    ("RNN(4, 3, num_layers=2)", [(5, 2, 4)]),
    ("LSTM(4, 3, bidirectional=True)", [(5, 2, 4)]),
    ("GRU(4, 3, batch_first=True)", [(2, 5, 4)]),
    ("MultiheadAttention(8, 2)", [(4, 2, 8), (5, 2, 8), (5, 2, 8)]),
    ("TransformerEncoderLayer(8, 2, 16)", [(5, 2, 8)]),
    ("TransformerDecoderLayer(8, 2, 16)", [(4, 2, 8), (5, 2, 8)]),
]


def digest(x):
    """Two numbers that tell one array from another: its sum, and a weighted one."""
    x = np.asarray(x.detach().numpy(), np.float64).ravel()
    return [float(x.sum()), float(x @ np.cos(np.arange(len(x))))]


def numbers(module, text, shapes):
    """Digests of the outputs and of all gradients of one seeded forward and backward."""
    module.manual_seed(0)
    layer = eval(f"nn.{text}", {"nn": module.nn})
    inputs = []
    for n, shape in enumerate(shapes):
        if isinstance(shape, np.ndarray):
            inputs.append(module.tensor(shape))
            continue
        values = np.sin(np.arange(np.prod(shape)) * 1.7 + n).reshape(shape).astype(np.float32)
        inputs.append(module.tensor(values, requires_grad=True))
    outputs = flat(layer(*inputs))
    sum((x * x.detach().cos()).sum() for x in outputs if x.requires_grad).backward()
    slopes = [x.grad for x in (*inputs, *layer.parameters()) if x.requires_grad]
    return [digest(x) for x in (*outputs, *slopes, *layer.buffers())]


def flat(value):
    return [x for part in value for x in flat(part)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("text, shapes", MODULES, ids=[text for text, _ in MODULES])
def test_numbers(text, shapes):
    expected = json.loads(RECORD.read_text())[text]
    np.testing.assert_allclose(numbers(tallow, text, shapes), expected, rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
    import torch

    found = {text: numbers(torch, text, shapes) for text, shapes in MODULES}
    lines = [f"{json.dumps(text)}: {json.dumps(values)}" for text, values in found.items()]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
