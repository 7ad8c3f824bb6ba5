"""Between Pillow images and tensors."""

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, ShapeError, TallowError, TypeMismatchError, describe


class ImageFileError(TallowError, OSError, RuntimeError):
    """A file, or bytes, that are no whole image."""


def open_image(source, use, name=None):
    """What `use` makes of the image in a file (a path or an open one).

    ImageFileError, with the path or `name`, if it is no whole image, or one of so many pixels that
    it is an attack on memory (Pillow's limit).
    """
    name = source if name is None else name
    try:
        if hasattr(source, "read"):
            with PIL.Image.open(source) as image:
                return use(image)
        with open(source, "rb") as file, PIL.Image.open(file) as image:
            return use(image)
    except (FileNotFoundError, IsADirectoryError, PermissionError, TallowError):
        raise
    except (OSError, SyntaxError, ValueError, EOFError, PIL.Image.DecompressionBombError) as error:
        raise ImageFileError(f"{name}: expected a whole image, got {error}") from error


# int16 for the 16-bit greys of a PNG would lose the upper half of them.
_WIDER = {"I;16": np.int32, "I;16B": np.int32, "I;16L": np.int32}


def pil_to_tensor(pic):
    """The pixels of a Pillow image as they are: (C, H, W), uint8 for most modes.

    Mode "1" gives bool, "I" and "I;16" int32, "F" float32.

    >>> import PIL.Image
    >>> from tallowvision.transforms import functional as F
    >>> tuple(F.pil_to_tensor(PIL.Image.new("RGB", (5, 4))).shape)
    (3, 4, 5)
    """
    if not isinstance(pic, PIL.Image.Image):
        raise TypeMismatchError(f"pil_to_tensor: expected a PIL image, got {type(pic).__name__}")
    pixels = np.array(pic, _WIDER.get(pic.mode))
    return tallow.from_numpy(_channels_first(pixels))


def _channels_first(pixels):
    """(H, W) or (H, W, C) -> (C, H, W), in memory too."""
    if pixels.ndim == 2:
        return pixels[None]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def to_tensor(pic):
    """A Pillow image or an array (H, W, C) as a tensor (C, H, W); bytes are scaled to [0, 1].

    Pixels of 8 bits (Pillow's modes L, LA, P, RGB, RGBA, CMYK, YCbCr and 1; arrays of uint8) become
    numbers of the default floating dtype; all others keep their values.

    >>> import numpy
    >>> from tallowvision.transforms import functional as F
    >>> F.to_tensor(numpy.array([[0, 255]], numpy.uint8))
    tensor([[[0., 1.]]])
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ShapeError(f"to_tensor: expected (H, W) or (H, W, C), got {describe(pic)}")
        pixels = pic
    elif isinstance(pic, PIL.Image.Image):
        if pic.mode == "1":
            pic = pic.convert("L")
        pixels = np.array(pic, np.int16 if pic.mode == "I;16" else None)
    else:
        raise TypeMismatchError(
            f"to_tensor: expected a PIL image or a numpy.ndarray, got {type(pic).__name__}"
        )
    pixels = _channels_first(pixels)
    if pixels.dtype == np.uint8 and tallow.get_default_dtype() is tallow.float32:
        return tallow.from_numpy(np.divide(pixels, 255, dtype=np.float32))
    tensor = tallow.from_numpy(pixels)
    if tensor.dtype is tallow.uint8:
        return tensor.to(tallow.get_default_dtype()) / 255
    return tensor.clone() if np.shares_memory(tensor.numpy(), pixels) else tensor


_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV", "LAB"), 4: ("RGBA", "CMYK", "RGBX")}
_GREYS = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F", "bool": "L"}


def to_pil_image(pic, mode=None):
    """A Pillow image of a tensor (C, H, W) or (H, W), or of an array (H, W, C) or (H, W).

    One channel gives mode L, I;16, I or F by its dtype, two LA, three RGB, four RGBA, unless `mode`
    says otherwise. A floating-point tensor holds numbers in [0, 1], which become bytes (but for
    mode F); ArgumentError if it does not.
    """
    if isinstance(pic, tallow.Tensor):
        pixels = _pixels(pic.detach().cpu(), mode)
    elif isinstance(pic, np.ndarray):
        pixels = pic[..., None] if pic.ndim == 2 else pic
    else:
        raise TypeMismatchError(
            f"to_pil_image: expected a tensor or a numpy.ndarray, got {type(pic).__name__}"
        )
    if pixels.ndim != 3 or not 1 <= pixels.shape[-1] <= 4:
        raise ShapeError(
            f"to_pil_image: expected (C, H, W) or (H, W) of 1 to 4 channels, got {describe(pic)}"
        )
    channels, kind = pixels.shape[-1], pixels.dtype.name
    modes = _MODES.get(channels) or (_GREYS.get(kind),)
    if (kind != "uint8" and channels > 1) or modes[0] is None:
        raise TypeMismatchError(f"to_pil_image: expected uint8 pixels, got {describe(pic)}")
    if mode is not None and mode not in modes and (channels > 1 or mode not in ("1", *modes)):
        raise ArgumentError(
            f"to_pil_image: expected mode {' or '.join(modes)} for {channels} channels of {kind}, "
            f"got {mode!r}"
        )
    return _image(pixels[..., 0] if channels == 1 else pixels, mode or modes[0])


def require_unit(name, image):
    """ArgumentError for floating-point pixels outside [0, 1]."""
    if not image.is_floating_point() or not image.numel():
        return
    low, high = image.min().item(), image.max().item()
    if not (low >= 0 and high <= 1):
        raise ArgumentError(
            f"{name}: expected floating-point pixels in [0, 1], got some from {low:.4g} to "
            f"{high:.4g}; undo a normalization, or clamp(0, 1), first"
        )


def _pixels(tensor, mode):
    """(H, W, C) of a tensor, floating-point numbers made bytes."""
    if tensor.ndim == 2:
        tensor = tensor[None]
    if tensor.is_floating_point() and mode != "F":
        require_unit("to_pil_image", tensor)
        tensor = (tensor * 255).byte()
    return tensor.numpy().transpose(1, 2, 0) if tensor.ndim == 3 else tensor.numpy()


def _image(pixels, mode):
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    # Pillow guesses a mode from the type of an array, and cannot be told another: it takes bytes.
    raw = {"1": "L"}.get(mode, mode)
    image = PIL.Image.frombytes(raw, (width, height), pixels.tobytes())
    return image.convert("1") if mode == "1" else image
