"""What the functions of linear algebra check and share."""

from contextlib import contextmanager

import numpy as np

from tallow import dtypes
from tallow.errors import (
    DtypeError,
    LinAlgError,
    NotSupportedError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.tensor import Tensor

HALVES = (dtypes.float16, dtypes.bfloat16)


def inexact(name, A):
    """Raise unless A is a tensor of floating or complex numbers; returns it."""
    if not isinstance(A, Tensor):
        raise TypeMismatchError(f"linalg.{name}: expected a tensor, got {type(A).__name__}")
    if A.dtype.category < dtypes.FLOATING:
        raise DtypeError(f"linalg.{name}: expected floating or complex numbers, got {describe(A)}")
    return A


def matrices(name, A):
    """Raise unless A is a matrix, or a batch of them, of a dtype that LAPACK has; returns it."""
    if inexact(name, A).array.ndim < 2:
        raise ShapeError(f"linalg.{name}: expected a matrix or a batch of them, got {describe(A)}")
    if A.dtype in HALVES:
        raise NotSupportedError(f"linalg.{name}: expected float32 or float64, got {describe(A)}")
    return A


def square(name, A):
    """Raise unless A is a square matrix, or a batch of them; returns it."""
    if matrices(name, A).array.shape[-1] != A.array.shape[-2]:
        raise ShapeError(f"linalg.{name}: expected square matrices, got {describe(A)}")
    return A


def same_dtype(name, A, B):
    if A.dtype is not B.dtype:
        raise DtypeError(
            f"linalg.{name}: expected one dtype, got {describe(A)} and {describe(B)}; convert one "
            "with .to(dtype)"
        )


@contextmanager
def lapack(name, expected):
    """LAPACK's failures as LinAlgError."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: expected {expected}, got others; {error}") from None
