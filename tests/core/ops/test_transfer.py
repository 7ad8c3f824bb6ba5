"""Cases of tallow.ops.transfer."""

import numpy as np
import pytest

from tallow import backend
from tallow.device import device
from tallow.ops import transfer as ops
from tallow.tensor import wrap
from tallow.testing import Case, checks, given
from tallow.testing.devices import devices

HERE = device("cpu")
CASES = [
    Case(
        ops.transfer, lambda x, source, target: x,
        given((2, 3), source=HERE, target=HERE), given((), source=HERE, target=HERE), dtypes="bifc",
    ),
]  # fmt: skip


HOST_CHECKS = [c for c in checks(CASES) if str(c).endswith(("value", "path", "gradient"))]


@pytest.mark.parametrize("check", HOST_CHECKS, ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("name", devices())
def test_there_and_back(name):
    there = device(name)
    x = wrap(np.arange(3.0), requires_grad=True)
    y = ops.transfer(x, source=HERE, target=there)
    assert isinstance(y.array, backend.for_device(name).array_type)
    z = ops.transfer(y * y, source=there, target=HERE)
    z.sum().backward()
    assert isinstance(z.array, np.ndarray) and isinstance(x.grad.array, np.ndarray)
    assert z.tolist() == [0, 1, 4] and x.grad.tolist() == [0, 2, 4]
