"""Parts of pictures covered, and pictures spoilt by compression."""

import io

import PIL.Image

import tallow
from tallowvision._pil import pil_to_tensor, to_pil_image
from tallowvision.transforms.functional._registry import functional


@functional
def erase(image, i, j, h, w, v, inplace=False):
    """The image with the numbers `v`, (C, h, w) or what broadcasts to it, at row i and column j."""
    image = image if inplace else image.clone()
    image[..., i : i + h, j : j + w] = v.to(image.dtype)
    return image


@erase.on(PIL.Image.Image)
def _(image, i, j, h, w, v, inplace=False):
    return to_pil_image(erase(pil_to_tensor(image), i, j, h, w, v), mode=image.mode)


@functional
def jpeg(image, quality):
    """The image, uint8 (..., C, H, W), as JPEG of a quality from 1 to 100 leaves it."""
    from tallowvision.io import decode_jpeg, encode_jpeg

    if not image.numel():
        return image.clone()
    images = image.reshape(-1, *image.shape[-3:])
    spoilt = [decode_jpeg(encode_jpeg(one, quality)) for one in images]
    return tallow.stack(spoilt).reshape(image.shape)


@jpeg.on(PIL.Image.Image)
def _(image, quality):
    made = io.BytesIO()
    image.save(made, "JPEG", quality=quality)
    return PIL.Image.open(made).copy()
