"""Transforms of colours and light."""

import math

import tallow
from tallow.errors import ArgumentError
from tallowvision.transforms import functional as F
from tallowvision.transforms._transform import RandomTransform, Transform, draw
from tallowvision.transforms.functional._registry import lookup


def channels_of(name, leaves):
    """How many channels the first picture in a sample has."""
    for leaf in leaves:
        measure = lookup(F.get_num_channels, type(leaf))
        if measure:
            return measure(leaf)
    raise ArgumentError(f"{name}: expected a sample with a picture, got none")


class Grayscale(Transform):
    """The brightness of the picture, in one channel or in three alike."""

    def __init__(self, num_output_channels=1):
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt, params):
        return self._call_kernel(
            F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels
        )


class RandomGrayscale(RandomTransform):
    """The picture in grey, with as many channels as before, with probability `p`."""

    def __init__(self, p=0.1):
        super().__init__(p)

    def make_params(self, flat_inputs):
        return {"num_output_channels": channels_of("RandomGrayscale", flat_inputs)}

    def transform(self, inpt, params):
        return self._call_kernel(F.rgb_to_grayscale, inpt, **params)


class RGB(Transform):
    """A grey picture with three channels alike; one with colours as it is."""

    def transform(self, inpt, params):
        return self._call_kernel(F.grayscale_to_rgb, inpt)


def _bounds(name, value, center, least, most):
    """(low, high) of a factor given as its distance from `center` or as a pair; None for none."""
    if value is None:
        return None
    if isinstance(value, int | float):
        if value < 0:
            raise ArgumentError(f"{name}: expected 0 or more, got {value}")
        value = (center - value, center + value)
        value = (max(value[0], 0), value[1]) if center else value
    if len(value) != 2 or not least <= value[0] <= value[1] <= most:
        raise ArgumentError(f"{name}: expected (min, max) from {least} to {most}, got {value}")
    return None if value[0] == value[1] == center else (float(value[0]), float(value[1]))


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    A number x draws the factor from [1 - x, 1 + x] (of hue from [-x, x], at most 0.5); a pair gives
    (min, max); None leaves a property as it is.

    >>> import tallow
    >>> from tallowvision import transforms
    >>> transforms.ColorJitter(0.4, hue=(-0.1, 0.1))
    ColorJitter(brightness=(0.6, 1.4), hue=(-0.1, 0.1))
    """

    def __init__(self, brightness=None, contrast=None, saturation=None, hue=None):
        super().__init__()
        self.brightness = _bounds("ColorJitter: brightness", brightness, 1, 0, math.inf)
        self.contrast = _bounds("ColorJitter: contrast", contrast, 1, 0, math.inf)
        self.saturation = _bounds("ColorJitter: saturation", saturation, 1, 0, math.inf)
        self.hue = _bounds("ColorJitter: hue", hue, 0, -0.5, 0.5)

    def make_params(self, flat_inputs):
        order = tallow.randperm(4).tolist()
        bounds = (self.brightness, self.contrast, self.saturation, self.hue)
        return {"order": order, "factors": [pair and draw(*pair) for pair in bounds]}

    def transform(self, inpt, params):
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in params["order"]:
            if params["factors"][i] is not None:
                inpt = self._call_kernel(changes[i], inpt, params["factors"][i])
        return inpt


class RandomPhotometricDistort(Transform):
    """Brightness, contrast, saturation, hue and the order of channels changed, each with `p`.

    As images are varied to train SSD (Liu et al., 2016). Factors are drawn from pairs (min, max).
    """

    def __init__(
        self, brightness=(0.875, 1.125), contrast=(0.5, 1.5), saturation=(0.5, 1.5),
        hue=(-0.05, 0.05), p=0.5,
    ):  # fmt: skip
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.p = p

    def make_params(self, flat_inputs):
        channels = channels_of("RandomPhotometricDistort", flat_inputs)
        bounds = (self.brightness, self.contrast, self.saturation, self.hue)
        factors = [draw(*pair) if tallow.rand(1) < self.p else None for pair in bounds]
        contrast_first = bool(tallow.rand(()) < 0.5)
        order = tallow.randperm(channels).tolist() if tallow.rand(1) < self.p else None
        return {"factors": factors, "contrast_first": contrast_first, "permutation": order}

    def transform(self, inpt, params):
        brightness, contrast, saturation, hue = params["factors"]
        first, last = (contrast, None) if params["contrast_first"] else (None, contrast)
        changes = (
            (F.adjust_brightness, brightness), (F.adjust_contrast, first),
            (F.adjust_saturation, saturation), (F.adjust_hue, hue), (F.adjust_contrast, last),
            (F.permute_channels, params["permutation"]),
        )  # fmt: skip
        for change, argument in changes:
            if argument is not None:
                inpt = self._call_kernel(change, inpt, argument)
        return inpt


class RandomChannelPermutation(Transform):
    """The channels in a random order."""

    def make_params(self, flat_inputs):
        channels = channels_of("RandomChannelPermutation", flat_inputs)
        return {"permutation": tallow.randperm(channels).tolist()}

    def transform(self, inpt, params):
        return self._call_kernel(F.permute_channels, inpt, **params)


class GaussianNoise(Transform):
    """The picture with normal noise; the arguments are those of `functional.gaussian_noise`."""

    def __init__(self, mean=0.0, sigma=0.1, clip=True):
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt, params):
        return self._call_kernel(
            F.gaussian_noise, inpt, mean=self.mean, sigma=self.sigma, clip=self.clip
        )


class RandomInvert(RandomTransform):
    """The negative of the picture, with probability `p`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.invert, inpt)


class RandomPosterize(RandomTransform):
    """The picture with 2 ** bits levels of each colour, with probability `p`."""

    def __init__(self, bits, p=0.5):
        super().__init__(p)
        self.bits = bits

    def transform(self, inpt, params):
        return self._call_kernel(F.posterize, inpt, self.bits)


class RandomSolarize(RandomTransform):
    """The negative of what is at least as light as `threshold`, with probability `p`."""

    def __init__(self, threshold, p=0.5):
        super().__init__(p)
        self.threshold = threshold

    def transform(self, inpt, params):
        return self._call_kernel(F.solarize, inpt, self.threshold)


class RandomAdjustSharpness(RandomTransform):
    """The picture blurred (factor below 1) or sharpened, with probability `p`."""

    def __init__(self, sharpness_factor, p=0.5):
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt, params):
        return self._call_kernel(F.adjust_sharpness, inpt, self.sharpness_factor)


class RandomAutocontrast(RandomTransform):
    """Each channel from black to white, with probability `p`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.autocontrast, inpt)


class RandomEqualize(RandomTransform):
    """All levels about equally frequent, with probability `p`."""

    def transform(self, inpt, params):
        return self._call_kernel(F.equalize, inpt)


class GaussianBlur(Transform):
    """The picture blurred by a Gaussian whose sigma, in pixels, is drawn from (min, max) or given.

    `kernel_size` is one odd number of pixels, or two, (x, y).
    """

    def __init__(self, kernel_size, sigma=(0.1, 2.0)):
        super().__init__()
        sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
        if len(sizes) != 2 or any(size < 1 or size % 2 == 0 for size in sizes):
            raise ArgumentError(f"GaussianBlur: expected odd sizes above 0, got {kernel_size}")
        sigma = (float(sigma), float(sigma)) if isinstance(sigma, int | float) else tuple(sigma)
        if not 0 < sigma[0] <= sigma[1]:
            raise ArgumentError(f"GaussianBlur: expected sigma as (min, max) above 0, got {sigma}")
        self.kernel_size = sizes
        self.sigma = sigma

    def make_params(self, flat_inputs):
        return {"sigma": [draw(*self.sigma)] * 2}

    def transform(self, inpt, params):
        return self._call_kernel(F.gaussian_blur, inpt, self.kernel_size, **params)
