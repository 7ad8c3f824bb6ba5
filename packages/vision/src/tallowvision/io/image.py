"""Images decoded and encoded by Pillow, as uint8 tensors (C, H, W)."""

import io
import os
from enum import Enum

import numpy as np
import PIL.Image
import PIL.ImageOps
import PIL.ImageSequence

import tallow
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError, describe
from tallowvision._pil import ImageFileError, open_image, pil_to_tensor, to_pil_image


class ImageReadMode(Enum):
    """The channels that an image is read with; UNCHANGED: those of the file."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_MODES = {
    ImageReadMode.GRAY: "L", ImageReadMode.GRAY_ALPHA: "LA", ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}  # fmt: skip
_DEEP = ("I", "I;16", "I;16B", "I;16L")  # modes of more than 8 bits


def _read_mode(mode):
    if isinstance(mode, ImageReadMode):
        return mode
    try:
        return ImageReadMode[mode.upper()]
    except (KeyError, AttributeError):
        names = ", ".join(ImageReadMode.__members__)
        raise ArgumentError(f"mode: expected one of {names}, got {mode!r}") from None


def read_image(path, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """The image in a JPEG, PNG, GIF, WebP or BMP file: uint8 (C, H, W).

    `mode` converts to other channels. `apply_exif_orientation` turns it as the camera was held.
    16-bit PNG files give int32, unless another mode makes bytes of them. ImageFileError names a
    file that is no whole image.
    """
    return open_image(path, _decoder(mode, apply_exif_orientation))


def decode_image(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """The image in the bytes of a file, a uint8 tensor (N) or bytes; see `read_image`.

    >>> import tallow
    >>> from tallowvision import io
    >>> image = tallow.arange(12, dtype=tallow.uint8).reshape(1, 3, 4)
    >>> tallow.equal(io.decode_image(io.encode_png(image)), image)
    True
    """
    return _decode(input, _decoder(mode, apply_exif_orientation))


def _decode(input, use, formats=None):
    content = _content(input)
    source = io.BytesIO(content)
    if formats is None:
        return open_image(source, use, "decode_image")
    return open_image(source, lambda image: use(_of_format(image, formats)), f"decode_{formats}")


def _content(input):
    """The bytes in a tensor of them."""
    if isinstance(input, bytes | bytearray | memoryview):
        return bytes(input)
    if not isinstance(input, tallow.Tensor) or input.dtype is not tallow.uint8 or input.ndim != 1:
        raise TypeMismatchError(f"decode_image: expected a uint8 tensor (N), got {describe(input)}")
    return input.numpy().tobytes()


def _of_format(image, expected):
    if image.format.lower() != expected:
        raise ImageFileError(f"decode_{expected}: expected {expected}, got {image.format}")
    return image


def _decoder(mode, apply_exif_orientation):
    """What makes a tensor of an opened image."""
    mode = _read_mode(mode)

    def decode(image):
        if mode is ImageReadMode.GRAY:
            image.draft("L", image.size)  # JPEG holds brightness apart: no other channel is read
        if apply_exif_orientation:
            image = PIL.ImageOps.exif_transpose(image)
        return pil_to_tensor(_converted(image, mode))

    return decode


def _converted(image, mode):
    if mode is ImageReadMode.UNCHANGED:
        if image.mode == "P":
            return image.convert("RGBA" if "transparency" in image.info else "RGB")
        return image.convert("L") if image.mode == "1" else image
    if image.mode in _DEEP:
        image = PIL.Image.fromarray((np.asarray(image).astype(np.int32) >> 8).astype(np.uint8))
    return image if image.mode == _MODES[mode] else image.convert(_MODES[mode])


def decode_jpeg(
    input, mode=ImageReadMode.UNCHANGED, device="cpu", apply_exif_orientation=False
):  # fmt: skip
    """The image in the bytes of a JPEG file; see `decode_image`. A list of them gives a list."""
    if isinstance(input, list | tuple):
        return [decode_jpeg(one, mode, device, apply_exif_orientation) for one in input]
    return _decode(input, _decoder(mode, apply_exif_orientation), "jpeg").to(device)


def decode_png(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """The image in the bytes of a PNG file; see `decode_image`."""
    return _decode(input, _decoder(mode, apply_exif_orientation), "png")


def decode_webp(input, mode=ImageReadMode.UNCHANGED):
    """The image in the bytes of a WebP file; see `decode_image`."""
    return _decode(input, _decoder(mode, False), "webp")


def decode_gif(input):
    """The RGB images in the bytes of a GIF file: (C, H, W), or (frames, C, H, W) of several."""

    def frames(image):
        pictures = [pil_to_tensor(f.convert("RGB")) for f in PIL.ImageSequence.Iterator(image)]
        return pictures[0] if len(pictures) == 1 else tallow.stack(pictures)

    return _decode(input, frames, "gif")


def _encode(name, input, **options):
    if not isinstance(input, tallow.Tensor) or input.dtype is not tallow.uint8:
        raise TypeMismatchError(f"encode_{name}: expected a uint8 tensor, got {describe(input)}")
    if input.ndim != 3 or input.shape[0] not in (1, 3):
        raise ShapeError(
            f"encode_{name}: expected (C, H, W) of 1 or 3 channels, got {describe(input)}"
        )
    made = io.BytesIO()
    to_pil_image(input).save(made, name, **options)
    return tallow.from_numpy(np.frombuffer(made.getvalue(), np.uint8).copy())


def encode_png(input, compression_level=6):
    """The bytes of a PNG file of an image uint8 (C, H, W), 1 or 3 channels; level 0 to 9."""
    if not 0 <= compression_level <= 9:
        raise ArgumentError(
            f"encode_png: expected a compression_level from 0 to 9, got {compression_level}"
        )
    return _encode("png", input, compress_level=compression_level)


def encode_jpeg(input, quality=75):
    """The bytes of a JPEG file of an image uint8 (C, H, W), 1 or 3 channels; quality 1 to 100.

    A list of images gives a list.
    """
    if not 1 <= quality <= 100:
        raise ArgumentError(f"encode_jpeg: expected a quality from 1 to 100, got {quality}")
    if isinstance(input, list | tuple):
        return [encode_jpeg(image, quality) for image in input]
    return _encode("jpeg", input, quality=quality)


def write_png(input, filename, compression_level=6):
    """Write an image to a PNG file; see `encode_png`."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input, filename, quality=75):
    """Write an image to a JPEG file; see `encode_jpeg`."""
    write_file(filename, encode_jpeg(input, quality))


def read_file(path):
    """The bytes of a file: a uint8 tensor (N)."""
    return tallow.from_numpy(np.fromfile(path, np.uint8))


def write_file(filename, data):
    """Write a uint8 tensor (N) of bytes to a file, which is replaced once the new one is whole."""
    content = _content(data)
    partial = f"{filename}.partial"
    with open(partial, "wb") as file:
        file.write(content)
    os.replace(partial, filename)
