"""`tallow.masked`; its values and gradients are compared with PyTorch's in test_opinfo."""

import pytest

import tallow
from tallow import masked
from tallow.errors import OutOfRangeError, ShapeError


def test_what_is_masked_does_not_count():
    x = tallow.tensor([[1.0, 9.0], [3.0, float("nan")]])
    mask = tallow.tensor([[True, True], [True, False]])
    assert masked.sum(x, 0, mask=mask).tolist() == [4, 9]
    assert masked.mean(x, 0, mask=mask).tolist() == [2, 9]
    assert masked.amin(x, mask=mask).item() == 1
    assert masked.argmax(x, 1, mask=mask, dtype=tallow.int64).tolist() == [1, 0]
    assert masked.softmax(x, 1, mask=mask)[1].tolist() == [1, 0]
    assert masked.std(x, 1, mask=mask, correction=0)[0].item() == 4


def test_mistakes():
    with pytest.raises(OutOfRangeError, match="expected a mask that broadcasts"):
        masked.sum(tallow.ones(2), mask=tallow.ones(2, 2, dtype=tallow.bool))
    with pytest.raises(ShapeError, match="expected a floating or complex dtype, got tallow.int64"):
        masked.mean(tallow.ones(2, dtype=tallow.int64))
