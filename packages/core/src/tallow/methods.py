"""The methods of Tensor, attached to it by rule.

A public function (in the `__all__` of one of `MODULES`) whose first parameter is called `input` is
also a method, but for those in `FUNCTIONS_ONLY`; what PyTorch has as a method alone is in the
module's `METHODS`. What is in `IN_PLACE` also gets its `name_` form, which computes out of place
and writes the result, with its history, into the tensor.
"""

import copy
import inspect
import operator

import numpy as np

import tallow.ops.elementwise as ops
from tallow import (
    activations,
    backend,
    complex_parts,
    conversion,
    creation,
    diagonals,
    dtypes,
    formatting,
    graph,
    indexing,
    joining,
    logic,
    math,
    products,
    random,
    reductions,
    shaping,
    special,
    spectral,
)
from tallow.autograd import inplace
from tallow.autograd.modes import state
from tallow.errors import DtypeError, OutOfRangeError, ShapeError, TypeMismatchError, describe
from tallow.promotion import as_operand, can_cast, sizes_of, to_dtype
from tallow.size import Size
from tallow.tensor import Tensor, wrap

MODULES = (
    math,
    logic,
    special,
    activations,
    complex_parts,
    creation,
    random,
    reductions,
    shaping,
    joining,
    diagonals,
    indexing,
    products,
    spectral,
    conversion,
    graph,
)

FUNCTIONS_ONLY = {
    "empty_like", "full_like", "imag", "ones_like", "poisson", "rand_like", "randint_like",
    "randn_like", "real", "rsub", "std_mean", "var_mean", "view_as_complex", "view_as_real",
    "zeros_like",
}  # fmt: skip

IN_PLACE = """
    abs absolute acos acosh add addcdiv addcmul addmm arccos arccosh arcsin arcsinh arctan arctan2
    arctanh asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor ceil clamp clamp_max clamp_min clip conj_physical copysign cos
    cosh cumsum deg2rad div divide eq erf exp exp2 expm1 fix float_power floor floor_divide fmod
    frac gcd ge greater greater_equal gt heaviside hypot index_add index_copy index_fill index_put
    lcm ldexp le lerp less less_equal log log10 log1p log2 logical_and logical_not logical_or
    logical_xor lt masked_fill masked_scatter mul multiply nan_to_num ne neg negative nextafter
    not_equal pow rad2deg reciprocal remainder round rsqrt scatter scatter_add sgn sigmoid sign sin
    sinc sinh sqrt square sub subtract tan tanh tril triu true_divide trunc
"""

# In place on the arrays themselves, where nothing is recorded.
ARRAY_UPDATES = {
    math.add: operator.iadd, math.sub: operator.isub, math.mul: operator.imul,
    math.div: operator.itruediv,
}  # fmt: skip


def _in_place(name, function):
    """The `name_` method of an out-of-place function."""
    update = ARRAY_UPDATES.get(function)

    def method(self, *args, **kwargs):
        others = (*args, *kwargs.values())
        recording = state.enabled and (
            self.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in others)
        )
        if recording:
            inplace.check(self, name, True)
            result = function(inplace.snapshot(self), *args, **kwargs)
        elif update is not None and _updatable(self, args, kwargs):
            update(self.array, args[0].array if isinstance(args[0], Tensor) else args[0])
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
        return inplace.assign(self, to_dtype(result, self.dtype), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}`, written into the tensor itself; returns it."
    return method


def _updatable(self, args, kwargs):
    """True if `array op= other` needs no conversion: floats of one dtype, or a number."""
    if kwargs or len(args) != 1 or self.dtype.category != dtypes.FLOATING or not state_allows(self):
        return False
    other = args[0]
    if isinstance(other, Tensor):
        return other.array.dtype == self.array.dtype and other.array.ndim <= self.array.ndim
    return type(other) in (int, float)


def state_allows(self):
    """True if the memory may change without a record; raises for a leaf that requires gradients."""
    inplace.check(self, "in-place operation", False)
    return self.array.flags.writeable


def _takes_input(function):
    function = getattr(function, "__wrapped__", function)
    return inspect.isfunction(function) and function.__code__.co_varnames[:1] == ("input",)


def _attach_functions():
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            function = getattr(module, name)
            if name not in FUNCTIONS_ONLY and _takes_input(function):
                setattr(Tensor, name, function)
        for name in getattr(module, "METHODS", ()):
            setattr(Tensor, name, getattr(module, name))
    for name in IN_PLACE.split():
        setattr(Tensor, name + "_", _in_place(name + "_", getattr(Tensor, name)))
    for name in ("squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"):
        setattr(Tensor, name + "_", _view_in_place(name + "_", getattr(shaping, name)))
    for name, function in conversion.CASTS.items():
        setattr(Tensor, name, function)


# Operators

OPERANDS = Tensor | int | float | complex | np.ndarray | np.generic


def _operator(function, reflected=False, direct=None):
    """A binary operator: NotImplemented for what is no operand, so that the other side is tried.

    `direct` is the op to call for two real floating tensors of one dtype, which need no
    preparation.
    """

    def method(self, other):
        if direct is not None and isinstance(other, Tensor):
            dtype = self.array.dtype
            if dtype is other.array.dtype and dtype.kind == "f":
                return direct(self, other)
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return function(other, self) if reflected else function(self, other)

    return method


def _comparison(function):
    def method(self, other):
        return function(self, other) if isinstance(other, OPERANDS) else NotImplemented

    return method


def _invert(self):
    if self.dtype.category > dtypes.INTEGER:
        raise TypeMismatchError(f"~: expected integers or bool, got {describe(self)}")
    return logic.bitwise_not(self)


def _attach_operators():
    pairs = {
        "add": math.add, "sub": math.sub, "mul": math.mul, "truediv": math.div,
        "floordiv": math.floor_divide, "mod": math.remainder, "pow": math.pow,
        "and": logic.bitwise_and, "or": logic.bitwise_or, "xor": logic.bitwise_xor,
        "lshift": logic.bitwise_left_shift, "rshift": logic.bitwise_right_shift,
    }  # fmt: skip
    direct = {"add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div}
    for name, function in pairs.items():
        setattr(Tensor, f"__{name}__", _operator(function, direct=direct.get(name)))
        setattr(Tensor, f"__r{name}__", _operator(function, reflected=True))
        setattr(Tensor, f"__i{name}__", _in_place(f"__i{name}__", function))
    Tensor.__matmul__ = _operator(products.matmul)
    Tensor.__rmatmul__ = _operator(products.matmul, reflected=True)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Tensor, f"__{name}__", _comparison(getattr(logic, name)))
    Tensor.__hash__ = object.__hash__
    Tensor.__neg__ = math.neg
    Tensor.__pos__ = math.positive
    Tensor.__abs__ = math.abs
    Tensor.__invert__ = _invert
    Tensor.__getitem__ = indexing.getitem
    Tensor.__setitem__ = indexing.setitem
    Tensor.__bool__ = conversion.truth
    Tensor.__index__ = conversion.index
    Tensor.__array__ = conversion.array_protocol
    Tensor.__array_priority__ = 1000  # so that ndarray + tensor asks the tensor
    Tensor.__array_ufunc__ = None
    Tensor.__repr__ = formatting.tensor_repr


# Properties and Python's protocols


def _shape(self):
    return tuple.__new__(Size, self.array.shape)


def _size(self, dim=None):
    """The shape as a Size, or the length of one dim."""
    shape = self.array.shape
    if dim is None:
        return _shape(self)
    if not -len(shape) <= dim < len(shape):
        raise OutOfRangeError(f"size: expected a dim of {describe(self)}, got {dim}")
    return shape[dim]


def _numel(self):
    """How many elements there are."""
    return self.array.size


def _dim(self):
    """How many dimensions there are."""
    return self.array.ndim


def _stride(self, dim=None):
    """How many elements apart neighbours in each dim are."""
    strides = tuple(n // self.array.itemsize for n in self.array.strides)
    return strides if dim is None else strides[dim]


def _len(self):
    if not self.array.ndim:
        raise TypeMismatchError("len: expected a tensor with dimensions, got a 0-d tensor")
    return self.array.shape[0]


def _iter(self):
    if not self.array.ndim:
        raise TypeMismatchError("iteration: expected a tensor with dimensions, got a 0-d tensor")
    return iter(joining.unbind(self))


def _contains(self, item):
    return bool((logic.eq(self, as_operand("in", item))).array.any())


def _format(self, spec):
    return format(self.item(), spec) if not self.array.ndim else object.__format__(self, spec)


def _new_of(name):
    maker = getattr(creation, name)

    def method(self, *size, dtype=None, device=None, requires_grad=False, **others):
        where = self.device if device is None else device
        return maker(
            *size, dtype=dtype or self.dtype, device=where, requires_grad=requires_grad, **others
        )

    method.__doc__ = f"`{name}`, in the dtype and on the device of this tensor unless told."
    return method


def _new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """A tensor with a copy of `data`, in the dtype and on the device of this one unless told."""
    return creation.tensor(
        data, dtype=dtype or self.dtype, device=self.device if device is None else device,
        requires_grad=requires_grad,
    )  # fmt: skip


def _copy_(self, src, non_blocking=False):
    """Copy the values of `src`, which may broadcast and convert, into this tensor; returns it."""
    src = as_operand("copy_", src)
    source = (
        conversion.to(to_dtype(src, self.dtype), device=self.device)
        if isinstance(src, Tensor)
        else src
    )
    if state.enabled and (self.requires_grad or getattr(source, "requires_grad", False)):
        inplace.check(self, "copy_", True)
        return inplace.assign(self, ops.fill(inplace.snapshot(self), source), "copy_")
    inplace.check(self, "copy_", False)
    try:
        self.array[...] = source.array if isinstance(source, Tensor) else source
    except ValueError:
        raise ShapeError(
            f"copy_: expected a source that broadcasts to {describe(self)}, got {describe(src)}"
        ) from None
    inplace.bump(self, "copy_")
    return self


def _fill_(self, value):
    """Set every element to a number or a 0-d tensor; returns the tensor."""
    return _copy_(self, value)


def _zero_(self):
    """Set every element to 0; returns the tensor."""
    return _copy_(self, 0)


def _expand_as(self, other):
    """Expanded to the shape of another tensor."""
    return shaping.expand(self, *other.array.shape)


def _view_as(self, other):
    """Viewed in the shape of another tensor."""
    return shaping.view(self, *other.array.shape)


def _reshape_as(self, other):
    """Reshaped to the shape of another tensor."""
    return shaping.reshape(self, *other.array.shape)


def _view_in_place(name, function):
    """The `name_` method of a function that gives a view: the tensor then shows what that shows."""

    def method(self, *args, **kwargs):
        inplace.check(self, name, False)
        old = wrap(self.array, self._requires_grad)
        old.node, old.alias = self.node, self.alias
        view = function(old, *args, **kwargs)
        self.array, self.node, self.alias = view.array, view.node, view.alias
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}` of the tensor itself, which shows the same memory."
    return method


def _type(self, dtype=None):
    """The tensor in another dtype; without one, the name of its type."""
    if dtype is None:
        return f"tallow.{self.dtype.name}"
    return to_dtype(
        self, dtypes.BY_NAME[dtype.rpartition(".")[2]] if isinstance(dtype, str) else dtype
    )


def _deepcopy(self, memo):
    if self.node is not None:
        raise DtypeError(
            "deepcopy: expected a leaf, got the result of an operation; use .detach().clone()"
        )
    if id(self) not in memo:
        twin = wrap(self.array.copy(), self._requires_grad, type(self))
        memo[id(self)] = twin
        twin.grad = copy.deepcopy(self.grad, memo)
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return memo[id(self)]


def _reduce(self):
    array = backend.for_array(self.array).to_host(self.array)
    return _rebuild, (type(self), array, self._requires_grad, str(self.device), dict(self.__dict__))


def _rebuild(cls, array, requires_grad, where, attributes):
    tensor = wrap(
        creation.place(array, None if where == "cpu" else where).array, requires_grad, cls
    )
    tensor.__dict__.update(attributes)
    return tensor


def _legacy_new(cls, *args, dtype=None, device=None):
    """`Tensor(2, 3)`: uninitialised, of that size; `Tensor([1, 2])`: in the default dtype."""
    if len(args) == 1 and not isinstance(args[0], int | Size):
        made = creation.tensor(args[0], dtype=dtype or dtypes.get_default_dtype(), device=device)
    else:
        made = creation.empty(*sizes_of("Tensor", args), dtype=dtype, device=device)
    return made if cls is Tensor else wrap(made.array, False, cls)


def _attach_state():
    properties = {
        "shape": _shape,
        "ndim": _dim,
        "T": lambda self: shaping.permute(self, *reversed(range(self.array.ndim))),
        "mT": lambda self: shaping.transpose(self, -2, -1),
        "H": complex_parts.hermitian,
        "mH": complex_parts.adjoint,
        "itemsize": lambda self: self.array.itemsize,
        "nbytes": lambda self: self.array.nbytes,
        "is_cuda": lambda self: self.device.type == "cuda",
        "is_cpu": lambda self: self.device.type == "cpu",
        "is_sparse": lambda self: False,
        "is_quantized": lambda self: False,
        "is_meta": lambda self: False,
        "is_mps": lambda self: False,
        "grad_fn": graph.grad_fn,
        "retains_grad": graph.retains_grad,
        "_base": lambda self: self.alias and self.alias.op and self.alias.parent,
    }
    for name, getter in properties.items():
        setattr(Tensor, name, property(getter))
    Tensor.data = property(graph.data, graph.set_data)
    Tensor.real = property(complex_parts.real, complex_parts.set_real)
    Tensor.imag = property(complex_parts.imag, complex_parts.set_imag)
    methods = {
        "size": _size, "numel": _numel, "nelement": _numel, "dim": _dim, "ndimension": _dim,
        "stride": _stride,  "copy_": _copy_, "fill_": _fill_,
        "zero_": _zero_, "expand_as": _expand_as, "view_as": _view_as, "reshape_as": _reshape_as,
        "type": _type,
        "new_tensor": _new_tensor, "__len__": _len, "__iter__": _iter, "__contains__": _contains,
        "__format__": _format, "__deepcopy__": _deepcopy, "__reduce__": _reduce,
        "__new__": _legacy_new, "__float__": lambda self: float(self.item()),
        "__int__": lambda self: int(self.item()), "__complex__": lambda self: complex(self.item()),
        "element_size": lambda self: self.array.itemsize,
        "get_device": lambda self: self.device.index or -1,
        "is_floating_point": lambda self: self.dtype.is_floating_point,
        "is_complex": lambda self: self.dtype.is_complex,
        "data_ptr": lambda self: self.array.ctypes.data,
        "__dlpack__": lambda self, **options: self.array.__dlpack__(**options),
        "__dlpack_device__": lambda self: self.array.__dlpack_device__(),
    }  # fmt: skip
    for name, method in methods.items():
        setattr(Tensor, name, method)
    for name in ("empty", "full", "ones", "zeros"):
        setattr(Tensor, f"new_{name}", _new_of(name))


_attach_functions()
_attach_operators()
_attach_state()
