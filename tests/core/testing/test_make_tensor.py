"""`make_tensor`: PyTorch's numbers."""

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.testing import make_tensor

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64"]
DTYPES += ["float16", "bfloat16", "complex128"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"low": 0, "high": 2},
        {"low": -0.5, "high": 1.5},
        {"noncontiguous": True},
        {"exclude_zero": True},
    ],
)
@pytest.mark.parametrize("shape", [(4, 25), (), (3,), (0, 2), (1,)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers(dtype, shape, options):
    torch = pytest.importorskip("torch")
    made = []
    for library in (torch, tallow):
        library.manual_seed(3)
        kind = getattr(library, dtype)
        try:
            made.append(library.testing.make_tensor(shape, dtype=kind, device="cpu", **options))
        except ValueError as error:
            made.append(error)
    theirs, ours = made
    if isinstance(theirs, ValueError):
        assert isinstance(ours, ValueError)
        return
    assert ours.shape == tuple(theirs.shape) and ours.is_contiguous() == theirs.is_contiguous()
    wide = "complex128" if theirs.is_complex() else "float64"
    right = theirs.to(getattr(torch, wide)).numpy()
    np.testing.assert_array_equal(ours.to(getattr(tallow, wide)).numpy(), right)


def test_sizes_and_gradients():
    x = make_tensor(2, 3, dtype=tallow.float64, device="cpu", requires_grad=True)
    assert x.shape == (2, 3) and x.requires_grad and x.is_leaf
    assert make_tensor([2], dtype=tallow.int32, device="standin").device.type == "standin"


def test_no_zeros():
    x = make_tensor(200, dtype=tallow.int8, device="cpu", low=0, high=2, exclude_zero=True)
    assert (x == 1).all()


def test_whole_range():
    x = make_tensor(100, dtype=tallow.float32, device="cpu", low=-1e60, high=1e60)
    assert x.isfinite().all() and x.abs().max() > 1e38


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 2, "high": 1}, "expected low < high, got 2 and 1"),
        ({"low": float("nan")}, "expected numbers for low and high"),
        ({"low": 1000, "high": 2000, "dtype": tallow.int8}, r"expected a range in \[-128, 128\)"),
        (
            {"dtype": tallow.int8, "requires_grad": True},
            "expected a floating-point or complex dtype",
        ),
        ({"noncontiguous": True, "memory_format": tallow.contiguous_format}, "got both"),
    ],
)
def test_messages(options, message):
    with pytest.raises(ArgumentError, match=f"make_tensor: .*{message}"):
        make_tensor(2, **{"dtype": tallow.float32, "device": "cpu", **options})


def test_message_of_a_dtype():
    with pytest.raises(TypeMismatchError, match="make_tensor: expected a dtype, got 'float'"):
        make_tensor(2, dtype="float", device="cpu")
