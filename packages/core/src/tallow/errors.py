"""The errors that tallow raises and how their messages are built.

Each is also the built-in type that PyTorch raises in the same place, so `except RuntimeError` goes
on working. A message reads `op: expected ..., got ...; hint`; an error raised inside a module names
the module's dotted path, which `Module.__call__` adds while the error passes through.
"""

import pickle


class TallowError(Exception):
    """Base of tallow's own errors. `where` is the dotted path of the module it was raised in."""

    where = ""

    def __str__(self):
        message = super().__str__()
        return f"{message}\n  in {self.where}" if self.where else message


class ShapeError(TallowError, RuntimeError):
    """Operands whose shapes do not fit together."""


class DtypeError(TallowError, NotImplementedError):
    """Operands of types that do not fit together, or that the operation is not defined for."""


class DeviceError(TallowError, RuntimeError):
    """Operands on different devices, or a device that is not there."""


class GradientError(TallowError, RuntimeError):
    """Something that automatic differentiation cannot do or was asked to do twice."""


class ArgumentError(TallowError, ValueError, RuntimeError):
    """An argument out of its range, for which PyTorch raises now the one, now the other type."""


class DistributionError(ArgumentError):
    """A parameter that a random distribution or generator cannot have."""


class DivisionByZeroError(TallowError, RuntimeError, ZeroDivisionError):
    """Integers divided by 0; floating-point numbers give inf or nan instead."""


class TypeMismatchError(TallowError, TypeError):
    """An argument of a wrong kind."""


class OutOfRangeError(TallowError, IndexError):
    """An index, label or dimension out of range."""


class CheckpointError(TallowError, RuntimeError, pickle.UnpicklingError):
    """A file that is no whole checkpoint, or that asks for more than data: it names the file."""


class IndexKindError(OutOfRangeError, TypeError):
    """A key that cannot be an index."""


class IndexValueError(OutOfRangeError, RuntimeError):
    """A number in an index tensor out of its range."""


class LinAlgError(TallowError, RuntimeError):
    """A matrix without what was asked for: singular, not positive definite, no convergence."""


class OutOfMemoryError(TallowError, RuntimeError, MemoryError):
    """No memory on a device: it says what was asked, what is held and what is free."""


class DistributedError(TallowError, RuntimeError):
    """Processes that do not do the same, or that do not answer."""


class NotSupportedError(TallowError, NotImplementedError):
    """Something PyTorch has and tallow has not, with the reason or the way around."""


class LeftOutError(NotSupportedError, AttributeError):
    """A name of PyTorch's that tallow leaves out on purpose (`tallow.left_out`)."""


def describe(operand):
    """An operand in a few words for a message: `float32 (2, 3)`, or the Python value itself."""
    shape = getattr(operand, "shape", None)
    if shape is None:
        return (
            repr(operand) if isinstance(operand, int | float | complex) else type(operand).__name__
        )
    name = getattr(operand.dtype, "name", operand.dtype)
    return f"{name} {tuple(shape)}"


def listing(operands):
    """`describe` of several operands, joined: `float32 (2, 3) and int64 (4,)`."""
    return " and ".join(describe(operand) for operand in operands)
