"""Tensors that know what they show: images, videos, masks, boxes and points.

A transform looks at the type to know what to do: a crop cuts an `Image` and a `Mask`, and moves
`BoundingBoxes`. What operators and functions of tallow compute from them are plain tensors again;
`wrap` gives these a type.
"""

import functools
from enum import Enum

import PIL.Image

import tallow
from tallow.errors import ArgumentError, DtypeError, ShapeError, describe
from tallow.tensor import disabled_torch_function
from tallowvision._pil import pil_to_tensor

__all__ = [
    "BoundingBoxFormat", "BoundingBoxes", "Image", "KeyPoints", "Mask", "TVTensor", "Video",
    "is_rotated_bounding_format", "set_return_type", "wrap",
]  # fmt: skip


class TVTensor(tallow.Tensor):
    """The base of the typed tensors. `metadata` names the attributes that belong to a type."""

    metadata: tuple[str, ...] = ()
    __torch_function__ = staticmethod(disabled_torch_function)

    def __new__(cls, data, *, dtype=None, device=None, requires_grad=None):
        return cls._typed(_tensor(data, dtype, device, requires_grad))

    @classmethod
    def _typed(cls, tensor, **metadata):
        """The tensor as one of this type; a subclass checks it, and keeps what comes with it."""
        typed = tensor.as_subclass(cls)
        typed.__dict__.update(metadata)
        return typed

    def to(self, *args, **kwargs):
        """As `Tensor.to`, and still of this type."""
        return wrap(super().to(*args, **kwargs), like=self)

    def clone(self, *args, **kwargs):
        """As `Tensor.clone`, and still of this type."""
        return wrap(super().clone(*args, **kwargs), like=self)

    def detach(self):
        """As `Tensor.detach`, and still of this type."""
        return wrap(super().detach(), like=self)

    def __repr__(self):
        name = type(self).__name__
        head, *lines = super().__repr__().removeprefix("tensor").split("\n")
        shift = " " * (len(name) - len("tensor"))
        text = "\n".join([name + head, *(shift + line for line in lines)])
        extra = "".join(f", {key}={getattr(self, key)}" for key in self.metadata)
        return f"{text[:-1]}{extra})"


def _tensor(data, dtype, device, requires_grad):
    if isinstance(data, PIL.Image.Image):
        data = pil_to_tensor(data)
    tensor = tallow.as_tensor(data, dtype=dtype, device=device)
    return tensor if requires_grad is None else tensor.requires_grad_(requires_grad)


def wrap(wrappee, *, like, **kwargs):
    """A tensor in the type of `like`, with its metadata unless `kwargs` says otherwise.

    >>> from tallowvision import tv_tensors
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 4]], format="XYXY", canvas_size=(8, 8))
    >>> tv_tensors.wrap(boxes * 2, like=boxes, canvas_size=(16, 16)).canvas_size
    (16, 16)
    """
    if not isinstance(like, TVTensor):
        return wrappee
    metadata = {name: getattr(like, name) for name in like.metadata} | kwargs
    return type(like)._typed(wrappee, **metadata)


_METHODS = (
    "abs", "add", "ceil", "clamp", "clip", "contiguous", "cpu", "cuda", "div", "double", "exp",
    "flip", "float", "floor", "half", "int", "log", "long", "maximum", "minimum", "mul", "neg",
    "pow", "roll", "round", "sqrt", "sub", "type",
)  # fmt: skip
_OPERATORS = "add radd sub rsub mul rmul truediv rtruediv floordiv mod pow neg abs".split()


def set_return_type(return_type):
    """Whether methods and operators on typed tensors give plain ones, "Tensor", or "TVTensor".

    It holds from now on, or in a `with` block. Only what keeps pixels and boxes what they are is
    changed; functions such as `tallow.add` give plain tensors either way.

    >>> import tallow
    >>> from tallowvision import tv_tensors
    >>> image = tv_tensors.Image(tallow.zeros(1, 2, 2))
    >>> with tv_tensors.set_return_type("TVTensor"):
    ...     print(type(image + 1).__name__)
    Image
    >>> type(image + 1).__name__
    'Tensor'
    """
    wanted = {"tensor": False, "tvtensor": True}.get(str(return_type).lower())
    if wanted is None:
        raise ArgumentError(
            f"set_return_type: expected 'Tensor' or 'TVTensor', got {return_type!r}"
        )
    before = "__add__" in TVTensor.__dict__
    _keep_types(wanted)
    return _Restoring(before)


def _keep_types(wanted):
    for name in (*_METHODS, *(f"__{name}__" for name in _OPERATORS)):
        if wanted:
            setattr(TVTensor, name, _typed_method(getattr(tallow.Tensor, name)))
        elif name in TVTensor.__dict__:
            delattr(TVTensor, name)


def _typed_method(method):
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        out = method(self, *args, **kwargs)
        return wrap(out, like=self) if type(out) is tallow.Tensor else out

    return call


class _Restoring:
    """Sets the type that was set before, at the end of a block."""

    def __init__(self, before):
        self.before = before

    def __enter__(self):
        return self

    def __exit__(self, *error):
        _keep_types(self.before)


class Image(TVTensor):
    """Images (..., C, H, W); of data with two dims, (H, W), an image of one channel.

    >>> from tallowvision import tv_tensors
    >>> tuple(tv_tensors.Image([[0, 1], [2, 3]]).shape)
    (1, 2, 2)
    """

    @classmethod
    def _typed(cls, tensor):
        if tensor.ndim < 2:
            raise ShapeError(f"Image: expected (..., C, H, W) or (H, W), got {describe(tensor)}")
        return super()._typed(tensor[None] if tensor.ndim == 2 else tensor)


class Video(TVTensor):
    """Videos (..., T, C, H, W), T being frames."""

    @classmethod
    def _typed(cls, tensor):
        if tensor.ndim < 4:
            raise ShapeError(f"Video: expected (..., T, C, H, W), got {describe(tensor)}")
        return super()._typed(tensor)


class Mask(TVTensor):
    """Segmentation masks (..., H, W): a class or an instance number for each pixel, or truths."""


class BoundingBoxFormat(Enum):
    """What the numbers of a box are, in pixels; R is an angle in degrees, counter-clockwise.

    XYXY: left, top, right, bottom. XYWH: left, top, width, height. CXCYWH: centre, width, height.
    XYWHR and CXCYWHR: the same turned by R about the first point. XYXYXYXY: four corners.
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


_ROTATED = {BoundingBoxFormat.XYWHR, BoundingBoxFormat.CXCYWHR, BoundingBoxFormat.XYXYXYXY}


def box_format(format):
    """A `BoundingBoxFormat` of one or of its name in any case; ArgumentError for an unknown one."""
    if isinstance(format, BoundingBoxFormat):
        return format
    try:
        return BoundingBoxFormat[format.upper()]
    except (KeyError, AttributeError):
        names = ", ".join(BoundingBoxFormat.__members__)
        raise ArgumentError(f"format: expected one of {names}, got {format!r}") from None


def is_rotated_bounding_format(format):
    """True if boxes of this format may be turned."""
    return box_format(format) in _ROTATED


class BoundingBoxes(TVTensor):
    """Boxes (N, K): K is 4, or 5 or 8 for turned ones, as `format` says (`BoundingBoxFormat`).

    `canvas_size` is the (height, width) of the image they lie in. `clamping_mode` says what
    transforms do with a box that they move over its edge: "soft" or "hard" cut it there (the two
    differ for turned boxes only), None leaves it.

    >>> from tallowvision import tv_tensors
    >>> tv_tensors.BoundingBoxes([1, 2, 3, 4], format="xywh", canvas_size=(8, 8)).format
    <BoundingBoxFormat.XYWH: 'XYWH'>
    """

    metadata = ("format", "canvas_size", "clamping_mode")

    def __new__(
        cls, data, *, format, canvas_size, clamping_mode="soft", dtype=None, device=None,
        requires_grad=None,
    ):  # fmt: skip
        tensor = _tensor(data, dtype, device, requires_grad)
        format = box_format(format)
        if format in _ROTATED and not tensor.is_floating_point():
            raise DtypeError(
                f"BoundingBoxes: expected floating-point numbers for {format.name}, "
                f"got {describe(tensor)}"
            )
        return cls._typed(
            tensor, format=format, canvas_size=canvas_size, clamping_mode=clamping_mode
        )

    @classmethod
    def _typed(cls, tensor, *, format, canvas_size, clamping_mode):
        if tensor.ndim not in (1, 2):
            raise ShapeError(f"BoundingBoxes: expected (N, K) or (K,), got {describe(tensor)}")
        format = box_format(format)
        numbers = 8 if format is BoundingBoxFormat.XYXYXYXY else 5 if format in _ROTATED else 4
        if tensor.shape[-1] != numbers:
            raise ShapeError(
                f"BoundingBoxes: expected {numbers} numbers for each box of {format.name}, got "
                f"{describe(tensor)}"
            )
        if clamping_mode not in ("soft", "hard", None):
            raise ArgumentError(
                f"BoundingBoxes: expected mode 'soft', 'hard' or None, got {clamping_mode!r}"
            )
        return super()._typed(
            tensor[None] if tensor.ndim == 1 else tensor,
            format=format,
            canvas_size=tuple(canvas_size),
            clamping_mode=clamping_mode,
        )


class KeyPoints(TVTensor):
    """Points (..., 2), each x and y in pixels, in an image of `canvas_size` (height, width)."""

    metadata = ("canvas_size",)

    def __new__(cls, data, *, canvas_size, dtype=None, device=None, requires_grad=None):
        return cls._typed(_tensor(data, dtype, device, requires_grad), canvas_size=canvas_size)

    @classmethod
    def _typed(cls, tensor, *, canvas_size):
        if not tensor.ndim or tensor.shape[-1] != 2:
            raise ShapeError(f"KeyPoints: expected (..., 2), got {describe(tensor)}")
        tensor = tensor[None] if tensor.ndim == 1 else tensor
        return super()._typed(tensor, canvas_size=tuple(canvas_size))


def is_pure_tensor(inpt):
    """True for a tensor that is not one of the types here."""
    return isinstance(inpt, tallow.Tensor) and not isinstance(inpt, TVTensor)
