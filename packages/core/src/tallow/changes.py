"""Methods that change a tensor itself: its values, or what memory it shows and how."""

import numpy as np

import tallow.ops.elementwise as ops
from tallow import backend, conversion, creation, dtypes, shaping
from tallow.autograd import inplace
from tallow.autograd.modes import state
from tallow.diagonals import diagonal
from tallow.elementwise import named
from tallow.errors import DtypeError, GradientError, ShapeError, describe
from tallow.promotion import as_operand, can_cast, to_dtype, wrapped
from tallow.tensor import Tensor, wrap

__all__ = ["fill", "fill_", "zero_"]
METHODS = ["apply_", "copy_", "fill_diagonal_", "map_", "set_"]

# In-place forms of functions


def in_place(name, function, update=None):
    """The method `name` that writes what `function` gives for a tensor into the tensor itself.

    `update(array, other)` is the same on arrays, where nothing is recorded or converted.
    """

    def method(self, *args, **kwargs):
        others = (*args, *kwargs.values())
        recording = state.enabled and (
            self.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in others)
        )
        alone = recording and inplace.is_alone(self)
        if recording:
            inplace.check(self, name, True)
            result = function(inplace.snapshot(self, copy=not alone), *args, **kwargs)
        elif update is not None and _updatable(self, args, kwargs):
            _update(name, update, self.array, args[0])
            inplace.bump(self, name)
            return self
        else:
            result = function(self, *args, **kwargs)
        if not can_cast(result.dtype, self.dtype):
            raise DtypeError(
                f"{name}: expected a result that fits {self.dtype}, got {result.dtype}"
            )
        if result.array.shape != self.array.shape:
            raise ShapeError(
                f"{name}: expected a result of the tensor's own shape {tuple(self.array.shape)}, "
                f"got {tuple(result.array.shape)}; operands may not enlarge it"
            )
        return inplace.assign(self, to_dtype(result, self.dtype), name, alone)

    doc = f"`{function.__name__}`, written into the tensor itself; returns it."
    return named(method, name, doc)


def _update(name, update, array, other):
    other = other.array if isinstance(other, Tensor) else other
    try:
        if type(array) is np.ndarray:  # which is all that a context would find
            update(array, other)
        else:
            with backend.at(array):
                update(array, other)
    except ValueError:
        raise ShapeError(
            f"{name}: expected an operand that broadcasts to {tuple(array.shape)}, got "
            f"{tuple(other.shape)}; operands may not enlarge the tensor"
        ) from None


def _updatable(self, args, kwargs):
    """True if `array op= other` needs no conversion: floats of one dtype, or a number."""
    if kwargs or len(args) != 1 or self.dtype.category != dtypes.FLOATING or not _writable(self):
        return False
    if inplace.watchers:  # they are told the new value, which an update does not make
        return False
    other = args[0]
    if isinstance(other, Tensor):
        same = type(other.array) is type(self.array) and other.array.dtype == self.array.dtype
        same = same and (type(self.array) is np.ndarray or self.device == other.device)
        return same and other.array.ndim <= self.array.ndim
    return type(other) in (int, float)


def _writable(self):
    """True if the memory may change without a record; raises for a leaf that requires gradients."""
    inplace.check(self, "in-place operation", False)
    return getattr(self.array.flags, "writeable", True)  # CuPy's arrays are always


def view_in_place(name, function):
    """The `name_` method of a function that gives a view: the tensor then shows what that shows."""

    def method(self, *args, **kwargs):
        inplace.check(self, name, False)
        old = wrap(self.array, self._requires_grad)
        old.node, old.alias = self.node, self.alias
        view = function(old, *args, **kwargs)
        self.array, self.node, self.alias = view.array, view.node, view.alias
        return self

    doc = f"`{function.__name__}` of the tensor itself, which shows the same memory."
    return named(method, name, doc)


# Values


def copy_(input, src, non_blocking=False):
    """Copy the values of `src`, which may broadcast and convert, into this tensor; returns it.

    `non_blocking`: a copy of pinned memory to a GPU is not waited for.

    >>> tallow.zeros(2, 2).copy_(tallow.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return _write("copy_", input, src, non_blocking)


def _write(name, input, src, non_blocking=False):
    src = as_operand(name, src)
    if isinstance(src, Tensor):
        src = to_dtype(src, input.dtype)
        src = conversion.to(src, device=input.device, non_blocking=non_blocking)
    elif isinstance(src, int) and input.dtype.category == dtypes.INTEGER:
        src = wrapped(src, input.array.dtype)
    if state.enabled and (input.requires_grad or getattr(src, "requires_grad", False)):
        inplace.check(input, name, True)
        return inplace.assign(input, ops.fill(inplace.snapshot(input), src), name)
    try:
        return inplace.assign(input, src.array if isinstance(src, Tensor) else src, name)
    except ValueError:
        raise ShapeError(
            f"{name}: expected a source that broadcasts to {describe(input)}, got {describe(src)}"
        ) from None


def fill_(input, value):
    """Set every element to a number or a 0-d tensor; returns the tensor."""
    if isinstance(value, Tensor) and value.array.ndim:
        raise ShapeError(f"fill_: expected a number or a 0-d tensor, got {describe(value)}")
    return _write("fill_", input, value)


def fill(input, value):
    """A tensor like `input` whose every element is a number or a 0-d tensor."""
    return fill_(conversion.to(input, copy=True), value)


def zero_(input):
    """Set every element to 0; returns the tensor."""
    return _write("zero_", input, 0)


def fill_diagonal_(input, fill_value, wrap=False):
    """Set the main diagonal (all indices equal) to a number; returns the tensor.

    `wrap` goes on below the square part of a tall matrix, a row further down.

    >>> tallow.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    shape = input.array.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(
            f"fill_diagonal_: expected a matrix, or more dims of equal sizes, got {describe(input)}"
        )
    columns = shape[1]
    for top in range(0, shape[0] if wrap and len(shape) == 2 else 1, columns + 1):
        part = input[top:]
        while part.array.ndim > 1:
            part = diagonal(part, 0, 0, -1)
        fill_(part, fill_value)
    return input


def apply_(input, callable):
    """Replace each element by `callable(element)`, called with Python numbers: slow."""
    return _write_each("apply_", input, map(callable, input.flatten().tolist()))


def map_(input, tensor, callable):
    """Replace each element by `callable(element, element of tensor)`, which broadcasts: slow."""
    others = shaping.expand(tensor, input.array.shape).flatten().tolist()
    return _write_each("map_", input, map(callable, input.flatten().tolist(), others))


def _write_each(name, input, values):
    if input.requires_grad:
        raise GradientError(f"{name}: expected a tensor without gradients; use .detach()")
    host = np.array(list(values), input.array.dtype).reshape(input.array.shape)
    return _write(name, input, creation.place(host, input.device))


def set_(input, source=None):
    """Show the memory of another tensor of the same dtype, of none without one."""
    if source is None:
        source = creation.empty(0, dtype=input.dtype, device=input.device)
    if source.dtype is not input.dtype:
        raise DtypeError(f"set_: expected a source of {input.dtype}, got {describe(source)}")
    inplace.check(input, "set_", False)
    input.array = source.array
    inplace.bump(input, "set_")
    return input
