"""Parametrizations: a parameter that is computed from others whenever it is read.

The module becomes of a class of its own, `ParametrizedLinear` for a Linear, which has the name of
the parameter as a property. What it is computed from, and how, is in `module.parametrizations`.
"""

import copy
from collections.abc import Sequence
from contextlib import contextmanager

from tallow.autograd.modes import no_grad
from tallow.errors import ArgumentError, describe
from tallow.nn.modules.container import ModuleDict, ModuleList
from tallow.nn.parameter import Parameter
from tallow.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization",
    "remove_parametrizations", "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]  # fmt: skip


class _Cache:
    depth = 0  # of `cached()` contexts
    tensors: dict = {}  # by the module's id and the name


@contextmanager
def cached():
    """Compute each parametrized tensor once within the context, however often it is read.

    >>> from tallow import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.tensors = {}


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in turn, and what the first is applied to.

    That is `original`, or where the last `right_inverse` gives several tensors `original0`,
    `original1`, ...: parameters if the tensor was one, else buffers.
    """

    def __init__(self, modules, original, unsafe=False):
        if not modules:
            raise ArgumentError("ParametrizationList: expected modules, got none")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        inverse = self._inverse_where_defined(original)
        self.is_tensor = isinstance(inverse, Tensor)
        if not self.is_tensor and not isinstance(inverse, Sequence):
            raise ArgumentError(
                f"right_inverse: expected a tensor or several, got {type(inverse).__name__}"
            )
        self.ntensors = 1 if self.is_tensor else len(inverse)
        if self.is_tensor:
            if (inverse.dtype, inverse.device) != (original.dtype, original.device):
                raise ArgumentError(
                    f"right_inverse: expected {original.dtype} on {original.device}, got "
                    f"{inverse.dtype} on {inverse.device}"
                )
            original.data = inverse
            _register(self, "original", original)
        else:
            for i, tensor in enumerate(inverse):
                self._register_part(i, tensor, original)
        if not unsafe:
            _check_like(shape, dtype, self(), "parametrization")

    @no_grad()
    def _inverse_where_defined(self, value):
        for module in reversed(self):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    continue
        return value

    def _register_part(self, i, tensor, original):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"right_inverse: expected tensors, got {type(tensor).__name__} at {i}"
            )
        if isinstance(original, Parameter):
            tensor = Parameter(tensor, original.requires_grad)
        tensor.requires_grad_(original.requires_grad)
        _register(self, f"original{i}", tensor)

    def originals(self):
        """The tensors that the first parametrization is applied to."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    @no_grad()
    def right_inverse(self, value):
        """Set the originals such that the parametrized tensor is `value`."""
        for module in reversed(self):
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(
                    f"{type(module).__name__}: expected a right_inverse() to assign by, got none"
                )
            value = module.right_inverse(value)
        values = [value] if self.is_tensor else value
        if not isinstance(values, Sequence) or len(values) != self.ntensors:
            raise ArgumentError(f"right_inverse: expected {self.ntensors} tensors in a sequence")
        for original, tensor in zip(self.originals(), values, strict=True):
            if not isinstance(tensor, Tensor) or tensor.dtype != original.dtype:
                raise ArgumentError(
                    f"right_inverse: expected a tensor of {original.dtype}, got {describe(tensor)}"
                )
            original.data = tensor

    def forward(self):
        first, *rest = self
        x = first(*self.originals())
        for module in rest:
            x = module(x)
        return x


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_like(shape, dtype, made, what):
    """Raise unless a parametrization made a tensor of this shape and dtype."""
    if not isinstance(made, Tensor) or made.shape != shape or made.dtype != dtype:
        raise ArgumentError(
            f"{what}: expected a tensor {tuple(shape)} of {dtype}, got {describe(made)}; "
            "or pass unsafe=True"
        )


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Compute a parameter or buffer of a module by another module whenever it is read.

    If the parametrization has a `right_inverse`, the parameter keeps its value and can be assigned
    to. One after the other may be registered. With `unsafe` it may change the shape or dtype.

    >>> from tallow import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = nn.Linear(3, 3)
    >>> _ = nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(getattr(module, tensor_name), parametrization)
        parametrizations = module.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.__class__ = _parametrized_class(type(module))
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = parametrizations
    else:
        raise ArgumentError(
            f"register_parametrization: expected a parameter or buffer of {type(module).__name__}, "
            f"got {tensor_name!r}"
        )
    return module


def _check_next(value, parametrization):
    """Raise unless a further parametrization, and its inverse, keep shape and dtype."""
    made = parametrization(value)
    _check_like(value.shape, value.dtype, made, "parametrization")
    if hasattr(parametrization, "right_inverse"):
        try:
            inverse = parametrization.right_inverse(made)
        except NotImplementedError:
            return
        _check_like(value.shape, value.dtype, inverse, "right_inverse")


def _parametrized_class(cls):
    """A subclass for one module, which gets the properties."""

    def deepcopy(self, memo):
        if id(self) not in memo:
            twin = memo[id(self)] = self.__new__(type(self))
            twin.__dict__ = copy.deepcopy(self.__dict__, memo)
        return memo[id(self)]

    def getstate(self):
        raise RuntimeError(
            f"{type(self).__name__}: expected its state_dict() to be saved, since its class is "
            "known to this process alone"
        )

    members = {"__getstate__": getstate}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = deepcopy
    return type(f"Parametrized{cls.__name__}", (cls,), members)


def _property(name):
    def get(self):
        if not _Cache.depth:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _Cache.tensors:
            _Cache.tensors[key] = self.parametrizations[name]()
        return _Cache.tensors[key]

    def set(self, value):
        self.parametrizations[name].right_inverse(value)

    return property(get, set)


def is_parametrized(module, tensor_name=None):
    """True if a module has parametrizations, or one on a tensor."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Make a tensor an ordinary one again, with its present value or, if not, its original one."""
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(
            f"remove_parametrizations: expected a parametrization on {tensor_name!r} of "
            f"{type(module).__name__}, got none"
        )
    parametrizations = module.parametrizations[tensor_name]
    if not parametrizations.is_tensor and not leave_parametrized:
        raise ArgumentError(
            "remove_parametrizations: expected leave_parametrized for a tensor that is computed "
            "from several, got False"
        )
    value = getattr(module, tensor_name)
    if not parametrizations.is_tensor:
        tensor = Parameter(value) if value.requires_grad else value
    else:
        tensor = parametrizations.original
        if leave_parametrized:
            tensor.data = value
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, tensor)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class of a module before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Share parametrizations, all or those on one tensor, with another module; returns it."""
    if is_parametrized(from_module):
        names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
        for name in names:
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name)))
            source = from_module.parametrizations[name]
            for parametrization in source:
                register_parametrization(to_module, name, parametrization)
            target = to_module.parametrizations[name]
            for key in (*source._parameters, *source._buffers):
                setattr(target, key, getattr(source, key))
    return to_module
