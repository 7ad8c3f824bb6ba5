"""Every loss against PyTorch's, value and gradient, in every reduction."""

import numpy as np
import pytest

import tallow
from tallow import nn

rng = np.random.default_rng(2)
LOGITS = rng.standard_normal((5, 4)).astype(np.float32)
OTHER = rng.standard_normal((5, 4)).astype(np.float32)
UNIT = rng.uniform(0.1, 0.9, (5, 4)).astype(np.float32)
BITS = rng.integers(0, 2, (5, 4)).astype(np.float32)
CLASSES = np.array([0, 3, -100, 1, 3])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.1], np.float32)
SIMPLEX = UNIT / UNIT.sum(1, keepdims=True)

# The class, its arguments (arrays become tensors), input and target.
LOSSES = [
    ("CrossEntropyLoss", {}, LOGITS, CLASSES),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, LOGITS, CLASSES),
    ("CrossEntropyLoss", {"ignore_index": 3}, LOGITS, np.array([0, 3, 2, 1, 3])),
    ("CrossEntropyLoss", {}, LOGITS, SIMPLEX),
    ("NLLLoss", {"weight": WEIGHT}, LOGITS, CLASSES),
    ("MSELoss", {}, LOGITS, OTHER),
    ("L1Loss", {}, LOGITS, OTHER),
    ("SmoothL1Loss", {"beta": 0.5}, LOGITS, OTHER),
    ("HuberLoss", {"delta": 0.5}, LOGITS, OTHER),
    ("BCELoss", {}, UNIT, BITS),
    ("BCELoss", {"weight": WEIGHT}, UNIT, BITS),
    ("BCEWithLogitsLoss", {}, LOGITS, BITS),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT, "weight": WEIGHT}, LOGITS, UNIT),
    ("KLDivLoss", {}, LOGITS, SIMPLEX),
    ("KLDivLoss", {"log_target": True}, LOGITS, OTHER),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name, kwargs, x, target", LOSSES)
def test_parity(name, kwargs, x, target, reduction):
    torch = pytest.importorskip("torch")
    results = []
    for module in (tallow, torch):
        options = {
            k: module.tensor(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()
        }
        loss = getattr(module.nn, name)(reduction=reduction, **options)
        leaf = module.tensor(x, requires_grad=True)
        value = loss(leaf, module.tensor(target))
        value.sum().backward()
        results.append((repr(loss), list(loss.state_dict()), value, leaf.grad))
    ours, theirs = results
    assert ours[:2] == theirs[:2]
    for a, b in zip(ours[2:], theirs[2:], strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_weights_are_buffers():
    loss = nn.CrossEntropyLoss(tallow.tensor(WEIGHT)).double()
    assert loss.weight.dtype == tallow.float64
    assert list(loss.state_dict()) == ["weight"]
