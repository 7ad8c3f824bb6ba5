"""Colours and light: grey, brightness, contrast, saturation, hue, single levels, blur."""

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageOps

import tallow
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError, describe
from tallowvision._pil import pil_to_tensor, require_unit, to_pil_image
from tallowvision.transforms.functional._registry import functional
from tallowvision.transforms.functional._values import max_value, to_dtype


def _channels(name, image):
    """How many channels an image has: 1 or 3, or TypeMismatchError."""
    channels = image.shape[-3] if image.ndim > 2 else 0
    if channels not in (1, 3):
        raise TypeMismatchError(f"{name}: expected 1 or 3 channels, got {describe(image)}")
    return channels


def _not_negative(name, what, value):
    if value < 0:
        raise ArgumentError(f"{name}: expected {what} of 0 or more, got {value}")


# Grey


@functional
def rgb_to_grayscale(image, num_output_channels=1):
    """The brightness of an image, 0.2989 R + 0.587 G + 0.114 B, in one channel or three alike."""
    if num_output_channels not in (1, 3):
        raise ArgumentError(
            f"rgb_to_grayscale: expected 1 or 3 output channels, got {num_output_channels}"
        )
    grey = image
    if _channels("rgb_to_grayscale", image) == 3:
        grey = _brightness(image).to(image.dtype)
    return tallow.cat([grey] * num_output_channels, -3)


def _brightness(image):
    """The brightness of an RGB image, not rounded: one channel."""
    r, g, b = image.unbind(-3)
    return (r * 0.2989 + g * 0.587 + b * 0.114).unsqueeze(-3)


@rgb_to_grayscale.on(PIL.Image.Image)
def _(image, num_output_channels=1):
    grey = image.convert("L")
    return grey if num_output_channels == 1 else PIL.Image.merge("RGB", [grey] * 3)


to_grayscale = rgb_to_grayscale


@functional
def grayscale_to_rgb(image):
    """A grey image with three channels alike; one with colours as it is."""
    return tallow.cat([image] * 3, -3) if image.shape[-3] == 1 else image


@grayscale_to_rgb.on(PIL.Image.Image)
def _(image):
    return image.convert("RGB")


# Mixtures of an image with a plainer one


def _mixed(image, other, factor):
    """`factor` of the image and 1 - factor of the other, within the range of the dtype."""
    mixed = image * factor + other * (1.0 - factor)
    return mixed.clamp(0, max_value(image.dtype)).to(image.dtype)


def _whole(image, values):
    """Values rounded down where the image has integers."""
    return values if image.is_floating_point() else values.floor()


@functional
def adjust_brightness(image, brightness_factor):
    """The image darker (factor below 1; 0 is black) or lighter."""
    _channels("adjust_brightness", image)
    _not_negative("adjust_brightness", "a factor", brightness_factor)
    return (image * brightness_factor).clamp(0, max_value(image.dtype)).to(image.dtype)


@functional
def adjust_contrast(image, contrast_factor):
    """The image closer to its mean grey (factor below 1; 0 is that grey) or farther from it."""
    _not_negative("adjust_contrast", "a factor", contrast_factor)
    if _channels("adjust_contrast", image) == 3:
        grey = _whole(image, _brightness(image))
    else:
        grey = image if image.is_floating_point() else image.float()
    return _mixed(image, grey.mean((-3, -2, -1), keepdim=True), contrast_factor)


@functional
def adjust_saturation(image, saturation_factor):
    """The image with paler colours (factor below 1; 0 is grey) or stronger ones."""
    _not_negative("adjust_saturation", "a factor", saturation_factor)
    if _channels("adjust_saturation", image) == 1:
        return image
    return _mixed(image, _whole(image, _brightness(image)), saturation_factor)


@functional
def adjust_sharpness(image, sharpness_factor):
    """The image blurred (factor below 1) or sharpened; the pixels at the edges stay."""
    channels = _channels("adjust_sharpness", image)
    _not_negative("adjust_sharpness", "a factor", sharpness_factor)
    height, width = image.shape[-2:]
    if height <= 2 or width <= 2 or not image.numel():
        return image
    exact = image if image.is_floating_point() else image.float()
    planes = exact.reshape(-1, channels, height, width)
    kernel = tallow.full((channels, 1, 3, 3), 1 / 13, dtype=exact.dtype, device=image.device)
    kernel[:, :, 1, 1] = 5 / 13
    smooth = tallow.nn.functional.conv2d(planes, kernel, groups=channels)
    smooth = smooth if image.is_floating_point() else smooth.round()
    inner = planes[..., 1:-1, 1:-1]
    change = tallow.nn.functional.pad((smooth - inner) * (1.0 - sharpness_factor), (1, 1, 1, 1))
    sharp = (planes + change).clamp(0, max_value(image.dtype))
    return sharp.reshape(image.shape).to(image.dtype)


def _enhanced(adjust, enhancer, factor, image):
    _not_negative(adjust.__name__, "a factor", factor)
    return enhancer(image).enhance(factor)


@adjust_brightness.on(PIL.Image.Image)
def _(image, brightness_factor):
    return _enhanced(adjust_brightness, PIL.ImageEnhance.Brightness, brightness_factor, image)


@adjust_contrast.on(PIL.Image.Image)
def _(image, contrast_factor):
    return _enhanced(adjust_contrast, PIL.ImageEnhance.Contrast, contrast_factor, image)


@adjust_saturation.on(PIL.Image.Image)
def _(image, saturation_factor):
    return _enhanced(adjust_saturation, PIL.ImageEnhance.Color, saturation_factor, image)


@adjust_sharpness.on(PIL.Image.Image)
def _(image, sharpness_factor):
    return _enhanced(adjust_sharpness, PIL.ImageEnhance.Sharpness, sharpness_factor, image)


# Hue and gamma


@functional
def adjust_hue(image, hue_factor):
    """The colours turned around the colour circle: `hue_factor` from -0.5 to 0.5 of a round."""
    _check_hue(hue_factor)
    if _channels("adjust_hue", image) == 1 or not image.numel():
        return image
    hue, saturation, value = _hsv_of_rgb(to_dtype(image, tallow.float32, scale=True))
    turned = _rgb_of_hsv((hue + hue_factor).remainder(1.0), saturation, value)
    return to_dtype(turned, image.dtype, scale=True)


def _check_hue(hue_factor):
    if not -0.5 <= hue_factor <= 0.5:
        raise ArgumentError(f"adjust_hue: expected a factor from -0.5 to 0.5, got {hue_factor}")


def _hsv_of_rgb(image):
    """Hue, saturation and value, in [0, 1] (Smith, Color Gamut Transform Pairs, 1978)."""
    r, g, b = image.unbind(-3)
    high, low = image.amax(-3), image.amin(-3)
    grey = high == low
    spread = tallow.where(grey, 1.0, high - low)
    saturation = (high - low) / tallow.where(grey, 1.0, high)
    of_green = tallow.where(high == g, 2.0 + (b - r) / spread, 4.0 + (r - g) / spread)
    sixths = tallow.where(high == r, (g - b) / spread, of_green)
    return (sixths / 6.0).remainder(1.0), saturation, high


def _rgb_of_hsv(hue, saturation, value):
    """Each channel is `value`, less saturation * value in a part of the circle."""
    channels = []
    for start in (5.0, 3.0, 1.0):
        place = (hue * 6.0 + start).remainder(6.0)
        fall = tallow.minimum(place, 4.0 - place).clamp(0, 1)
        channels.append((value * (1.0 - saturation * fall)).clamp(0, 1))
    return tallow.stack(channels, -3)


@adjust_hue.on(PIL.Image.Image)
def _(image, hue_factor):
    _check_hue(hue_factor)
    if image.mode in ("L", "1", "I", "F"):
        return image
    hue, saturation, value = image.convert("HSV").split()
    shift = int(hue_factor * 255) % 256
    turned = hue.point([(level + shift) % 256 for level in range(256)])
    return PIL.Image.merge("HSV", (turned, saturation, value)).convert(image.mode)


@functional
def adjust_gamma(image, gamma, gain=1):
    """gain * image ** gamma, white being 1: darker shadows for gamma above 1, lighter below."""
    _not_negative("adjust_gamma", "gamma", gamma)
    exact = image if image.is_floating_point() else to_dtype(image, tallow.float32, scale=True)
    curved = exact**gamma
    curved = curved if gain == 1 else (curved * gain).clamp(0, 1)
    return to_dtype(curved, image.dtype, scale=True)


@adjust_gamma.on(PIL.Image.Image)
def _(image, gamma, gain=1):
    _not_negative("adjust_gamma", "gamma", gamma)
    levels = [int((256 - 1e-3) * gain * (level / 255) ** gamma) for level in range(256)]
    return image.convert("RGB").point(levels * 3).convert(image.mode)


# Single levels


@functional
def invert(image):
    """The negative: white becomes black."""
    return max_value(image.dtype) - image


@functional
def posterize(image, bits):
    """The image with 2 ** bits levels of each colour."""
    if not isinstance(bits, int) or not 0 <= bits <= 8:
        raise TypeMismatchError(f"posterize: expected bits from 0 to 8, got {bits!r}")
    if image.is_floating_point():
        levels = 2**bits
        return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)
    step = 2 ** max(max_value(image.dtype).bit_length() - bits, 0)
    return image // step * step if step <= max_value(image.dtype) else image * 0


@functional
def solarize(image, threshold):
    """The negative where the image is at least as light as `threshold`."""
    if threshold > max_value(image.dtype):
        raise TypeMismatchError(
            f"solarize: expected a threshold up to {max_value(image.dtype)}, got {threshold}"
        )
    return tallow.where(image >= threshold, invert(image), image)


@functional
def autocontrast(image):
    """Each channel stretched so that its darkest pixel is black and its lightest white."""
    _channels("autocontrast", image)
    if not image.numel():
        return image
    white = max_value(image.dtype)
    exact = image if image.is_floating_point() else image.float()
    low, high = exact.amin((-2, -1), keepdim=True), exact.amax((-2, -1), keepdim=True)
    flat = low == high
    low = tallow.where(flat, 0.0, low)
    scale = tallow.where(flat, 1.0, (high - low) * (1.0 / white))
    return ((exact - low) / scale).clamp(0, white).to(image.dtype)


@functional
def equalize(image):
    """Each channel with its levels spread so that all are about equally frequent.

    In 256 levels, as Pillow does it; a channel whose levels are too few stays as it is.
    """
    if not image.numel():
        return image
    require_unit("equalize", image)
    levels = to_dtype(image, tallow.uint8, scale=True)
    planes = levels.reshape(-1, image.shape[-2] * image.shape[-1]).long()
    counts = tallow.zeros(len(planes), 256, dtype=tallow.int64, device=image.device)
    counts = counts.scatter_add(1, planes, tallow.ones_like(planes))
    sums = counts.cumsum(1)
    last = counts.gather(1, planes.amax(1, keepdim=True))  # how many are of the lightest level
    step = (planes.shape[1] - last) // 255
    table = ((sums - counts + step // 2) // step.clamp(min=1)).clamp(0, 255)
    spread = tallow.where(step > 0, table.gather(1, planes), planes)
    return to_dtype(spread.to(tallow.uint8).reshape(image.shape), image.dtype, scale=True)


_OPS = {
    invert: PIL.ImageOps.invert,
    posterize: PIL.ImageOps.posterize,
    solarize: PIL.ImageOps.solarize,
    autocontrast: PIL.ImageOps.autocontrast,
    equalize: PIL.ImageOps.equalize,
}
for _functional, _operation in _OPS.items():
    _functional.on(PIL.Image.Image)(_operation)


@functional
def permute_channels(image, permutation):
    """The channels in another order: channel i of the result is channel permutation[i]."""
    order = [int(i) for i in permutation]
    if len(order) != image.shape[-3]:
        raise ShapeError(
            f"permute_channels: expected {image.shape[-3]} channel numbers, got {len(order)}"
        )
    return image.index_select(-3, tallow.tensor(order, device=image.device))


@permute_channels.on(PIL.Image.Image)
def _(image, permutation):
    return to_pil_image(permute_channels(pil_to_tensor(image), permutation))


# Blur


@functional
def gaussian_blur(image, kernel_size, sigma=None):
    """The image blurred by a Gaussian, mirrored beyond its edges.

    `kernel_size` is one odd number of pixels or two, (x, y); `sigma`, the standard deviation in
    pixels, one or two, by default 0.15 * kernel_size + 0.35.
    """
    sizes = _pair("kernel_size", kernel_size)
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ArgumentError(f"gaussian_blur: expected odd sizes above 0, got {kernel_size}")
    sigmas = [size * 0.15 + 0.35 for size in sizes] if sigma is None else _pair("sigma", sigma)
    if min(sigmas) <= 0:
        raise ArgumentError(f"gaussian_blur: expected a sigma above 0, got {sigma}")
    if not image.numel():
        return image
    exact = image if image.is_floating_point() else image.float()
    planes = exact.reshape(-1, 1, *image.shape[-2:])
    x, y = (size // 2 for size in sizes)
    planes = tallow.nn.functional.pad(planes, (x, x, y, y), mode="reflect")
    for size, spread, shape in zip(sizes, sigmas, ((1, 1, 1, -1), (1, 1, -1, 1)), strict=True):
        kernel = tallow.from_numpy(_gaussian(size, spread)).to(image.device, exact.dtype)
        planes = tallow.nn.functional.conv2d(planes, kernel.reshape(shape))
    blurred = planes.reshape(image.shape)
    return blurred if image.is_floating_point() else blurred.round().to(image.dtype)


def _pair(what, values):
    pair = list(values) if isinstance(values, tuple | list) else [values]
    if len(pair) not in (1, 2):
        raise ArgumentError(f"gaussian_blur: expected one {what} or two, got {values}")
    return pair * (3 - len(pair))


def _gaussian(size, sigma):
    steps = np.arange(size) - (size - 1) / 2
    weights = np.exp(-((steps / sigma) ** 2) / 2)
    return weights / weights.sum()


@gaussian_blur.on(PIL.Image.Image)
def _(image, kernel_size, sigma=None):
    return to_pil_image(gaussian_blur(pil_to_tensor(image), kernel_size, sigma), mode=image.mode)
