"""Functionals: functions on pictures of every kind, each a table from input types to kernels.

    @functional
    def invert(image): ...             # for tensors, and for the types Image and Video

    @invert.on(PIL.Image.Image)
    def _(image): ...                  # another kernel

A kernel for a type of `tv_tensors` may return a plain tensor: it is given the type of the input.
"""

import functools
from functools import partial

import PIL.Image

from tallow import Tensor
from tallow.errors import TypeMismatchError
from tallowvision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video, wrap

IMAGES = (Tensor, Image, Video)
DENSE = (*IMAGES, Mask)
EVERYTHING = (*DENSE, BoundingBoxes, KeyPoints, PIL.Image.Image)


def functional(kernel=None, *, types=IMAGES):
    """Make a functional of its first kernel, which is for inputs of `types`."""
    if kernel is None:
        return partial(functional, types=types)

    @functools.wraps(kernel)
    def call(inpt, *args, **kwargs):
        return find(call, type(inpt))(inpt, *args, **kwargs)

    def on(*types):
        """Decorator: the kernel for inputs of these types."""

        def register(kernel):
            for cls in types:
                call.table[cls] = _typed(kernel) if issubclass(cls, TVTensor) else kernel
            return kernel

        return register

    call.table, call.on = {}, on
    on(*types)(kernel)
    return call


def _typed(kernel):
    """The kernel for a type of tensor: what it returns has that type again."""

    @functools.wraps(kernel)
    def call(inpt, *args, **kwargs):
        out = kernel(inpt, *args, **kwargs)
        return wrap(out, like=inpt) if type(out) is Tensor else out

    return call


def lookup(function, input_type):
    """The kernel of a functional for a type or its nearest base; None if it has none."""
    kernel = function.table.get(input_type)
    if kernel is not None:
        return kernel
    bases = input_type.__mro__
    if issubclass(input_type, TVTensor):  # never treated as a plain tensor, which is an image
        bases = bases[: bases.index(TVTensor)]
    return next((function.table[base] for base in bases if base in function.table), None)


def find(function, input_type, passthrough=False):
    """The kernel of a functional for a type, or TypeMismatchError.

    With `passthrough`, a tensor type that it has no kernel for gets one that changes nothing.
    """
    kernel = lookup(function, input_type)
    if kernel is not None:
        return kernel
    if passthrough and issubclass(input_type, TVTensor):
        return _unchanged
    known = ", ".join(cls.__name__ for cls in function.table)
    raise TypeMismatchError(
        f"{function.__name__}: expected one of {known}, got {input_type.__name__}"
    )


def _unchanged(inpt, *args, **kwargs):
    return inpt


def register_kernel(functional, tv_tensor_cls):
    """Decorator: the kernel of a functional for a type of one's own, or in place of the one it has.

    >>> from tallowvision import tv_tensors
    >>> from tallowvision.transforms import functional as F
    >>> class Heat(tv_tensors.TVTensor): ...
    >>> @F.register_kernel(F.horizontal_flip, Heat)
    ... def flip_heat(heat):
    ...     return tv_tensors.wrap(heat.flip(-1), like=heat)
    >>> F.horizontal_flip(Heat([[1, 2]]))
    Heat([[2, 1]])
    """
    if not isinstance(getattr(functional, "table", None), dict):
        raise TypeMismatchError(f"register_kernel: expected a functional, got {functional!r}")

    def register(kernel):
        functional.table[tv_tensor_cls] = kernel
        return kernel

    return register
