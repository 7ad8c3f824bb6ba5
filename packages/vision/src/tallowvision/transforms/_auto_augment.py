"""Policies of random operations: AutoAugment, RandAugment, TrivialAugment."""

import math
from enum import Enum

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowvision import tv_tensors
from tallowvision.transforms import _policies, _tree
from tallowvision.transforms import functional as F
from tallowvision.transforms._geometry import fill_for
from tallowvision.transforms._mix import dirichlet
from tallowvision.transforms._sample import has_any
from tallowvision.transforms._transform import Transform
from tallowvision.transforms.functional._values import max_value


class AutoAugmentPolicy(Enum):
    """The datasets that policies were learned for."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


def _solarize(image, part):
    white = max_value(image.dtype) if isinstance(image, tallow.Tensor) else 255.0
    return F.solarize(image, white * part)


def _affine(image, options, shear=(0.0, 0.0), translate=(0, 0), center=None):
    return F.affine(image, 0.0, translate, 1.0, shear, center=center, **options)


def _degrees(slope):
    return math.degrees(math.atan(slope))


# What an operation does with a magnitude. Those that move pixels take options as well.
_MOVES = {
    "ShearX": lambda x, m, o: _affine(x, o, (_degrees(m), 0.0), center=(0, 0)),
    "ShearY": lambda x, m, o: _affine(x, o, (0.0, _degrees(m)), center=(0, 0)),
    "TranslateX": lambda x, m, o: _affine(x, o, translate=(int(m), 0)),
    "TranslateY": lambda x, m, o: _affine(x, o, translate=(0, int(m))),
    "Rotate": lambda x, m, o: F.rotate(x, m, **o),
}
_CHANGES = {
    "Identity": lambda x, m: x,
    "Brightness": lambda x, m: F.adjust_brightness(x, 1.0 + m),
    "Color": lambda x, m: F.adjust_saturation(x, 1.0 + m),
    "Contrast": lambda x, m: F.adjust_contrast(x, 1.0 + m),
    "Sharpness": lambda x, m: F.adjust_sharpness(x, 1.0 + m),
    "Posterize": lambda x, m: F.posterize(x, int(m)),
    "Solarize": _solarize,
    "AutoContrast": lambda x, m: F.autocontrast(x),
    "Equalize": lambda x, m: F.equalize(x),
    "Invert": lambda x, m: F.invert(x),
}
_SIGNED = {*_MOVES, "Brightness", "Color", "Contrast", "Sharpness"}


def _ranges(shear, move_x, move_y, turn, change, bits):
    """The ends of the range of each operation that has one."""
    ends = {"ShearX": shear, "ShearY": shear, "Rotate": turn}
    ends |= {"TranslateX": move_x, "TranslateY": move_y}
    ends |= dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"), change)
    ranges = {name: (0.0, end) for name, end in ends.items()}
    return ranges | {"Posterize": (8, bits), "Solarize": (1.0, 0.0)}


def _learned_ranges(image):
    """The ranges that AutoAugment's policies were learned with, on pictures of 331 pixels."""
    height, width = F.get_size(image)
    return _ranges(0.3, 150.0 / 331.0 * width, 150.0 / 331.0 * height, 30.0, 0.9, 4)


class _Policy(Transform):
    """The base of policies: the one picture of a sample goes through some operations."""

    def __init__(self, interpolation, fill):
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill

    def check_inputs(self, flat_inputs):
        name = type(self).__name__
        if has_any(flat_inputs, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints, tv_tensors.Mask):
            raise TypeMismatchError(f"{name}: expected a picture only, got boxes, masks or points")

    def forward(self, *inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, rebuild = _tree.flatten(sample)
        self.check_inputs(leaves)
        chosen = self._chosen(leaves)
        if len(chosen) != 1:
            raise TypeMismatchError(
                f"{type(self).__name__}: expected one picture in a sample, got {len(chosen)}"
            )
        leaves[chosen[0]] = self._augmented(leaves[chosen[0]])
        return rebuild(leaves)

    def _apply(self, image, name, place, bins, ranges):
        """The operation at a place of `bins` from the beginning of its range to the end."""
        magnitude = 0.0
        if name in ranges:
            magnitude = _magnitude(name, place, bins, ranges[name])
            if name in _SIGNED and tallow.rand(()) <= 0.5:
                magnitude = -magnitude
        if name in _CHANGES:
            return _CHANGES[name](image, magnitude)
        fill = fill_for(self.fill, type(image))
        return _MOVES[name](image, magnitude, {"interpolation": self.interpolation, "fill": fill})


def _magnitude(name, place, bins, ends):
    low, high = ends
    if name == "Posterize":
        return float((low - tallow.arange(bins) / ((bins - 1) / (low - high))).round()[place])
    return tallow.linspace(low, high, bins)[place].item()


class AutoAugment(_Policy):
    """A policy, chosen from those learned for a dataset, applied to the picture.

    `policy` is an AutoAugmentPolicy. Cubuk et al., "AutoAugment: learning augmentation strategies
    from data" (2019).
    """

    def __init__(
        self, policy=AutoAugmentPolicy.IMAGENET, interpolation="nearest", fill=None
    ):  # fmt: skip
        super().__init__(interpolation, fill)
        if not isinstance(policy, AutoAugmentPolicy):
            raise ArgumentError(f"AutoAugment: expected an AutoAugmentPolicy, got {policy!r}")
        self.policy = policy
        self._choices = _policies.parsed(getattr(_policies, policy.name))

    def _augmented(self, image):
        ranges = _learned_ranges(image)
        for name, p, place in self._choices[int(tallow.randint(len(self._choices), ()))]:
            if tallow.rand(()) <= p:
                image = self._apply(image, name, place, 10, ranges)
        return image


class RandAugment(_Policy):
    """`num_ops` operations chosen at random, all at one magnitude.

    `magnitude` counts from 0 to `num_magnitude_bins` - 1. Cubuk et al., "RandAugment" (2020).
    """

    operations = [
        "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness",
        "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize",
    ]  # fmt: skip

    def __init__(
        self, num_ops=2, magnitude=9, num_magnitude_bins=31, interpolation="nearest", fill=None
    ):
        super().__init__(interpolation, fill)
        if num_ops < 0 or not 0 <= magnitude < num_magnitude_bins:
            raise ArgumentError(
                "RandAugment: expected num_ops of 0 or more and a magnitude below "
                f"{num_magnitude_bins}, got {num_ops} and {magnitude}"
            )
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def _augmented(self, image):
        ranges = _learned_ranges(image)
        for _ in range(self.num_ops):
            name = self.operations[int(tallow.randint(len(self.operations), ()))]
            image = self._apply(image, name, self.magnitude, self.num_magnitude_bins, ranges)
        return image


class TrivialAugmentWide(_Policy):
    """One operation at one magnitude, both chosen at random (Müller and Hutter, 2021)."""

    operations = RandAugment.operations

    def __init__(self, num_magnitude_bins=31, interpolation="nearest", fill=None):
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def _augmented(self, image):
        ranges = _ranges(0.99, 32.0, 32.0, 135.0, 0.99, 2)
        name = self.operations[int(tallow.randint(len(self.operations), ()))]
        place = None
        if name in ranges:
            place = int(tallow.randint(self.num_magnitude_bins, ()))
        return self._apply(image, name, place, self.num_magnitude_bins, ranges)


class AugMix(_Policy):
    """A random mixture of the picture and `mixture_width` others made of it by random operations.

    `severity` from 1 to 10 bounds the magnitudes. There are `chain_depth` operations one after the
    other, or 1 to 3 if that is not above 0; without `all_ops` none that changes brightness, colour,
    contrast or sharpness. `alpha` is the parameter of the mixture's distribution. Hendrycks et al.,
    "AugMix" (2020).
    """

    operations = [
        "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Posterize", "Solarize",
        "AutoContrast", "Equalize", "Brightness", "Color", "Contrast", "Sharpness",
    ]  # fmt: skip

    def __init__(
        self, severity=3, mixture_width=3, chain_depth=-1, alpha=1.0, all_ops=True,
        interpolation="bilinear", fill=None,
    ):  # fmt: skip
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise ArgumentError(f"AugMix: expected a severity from 1 to 10, got {severity}")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def _augmented(self, image):
        if not isinstance(image, tallow.Tensor):
            return F.to_pil_image(self._augmented(F.pil_to_tensor(image)), mode=image.mode)
        height, width = F.get_size(image)
        ranges = _ranges(0.3, width / 3.0, height / 3.0, 30.0, 0.9, 0) | {"Posterize": (4, 0)}
        own, others = dirichlet([self.alpha] * 2)
        mixture = own * image
        for weight in dirichlet([self.alpha] * self.mixture_width):
            mixture = mixture + weight * others * self._chain(image, ranges)
        return tv_tensors.wrap(mixture.to(image.dtype), like=image)

    def _chain(self, image, ranges):
        names = self.operations if self.all_ops else self.operations[:9]
        depth = self.chain_depth if self.chain_depth > 0 else int(tallow.randint(1, 4, (1,)))
        for _ in range(depth):
            name = names[int(tallow.randint(len(names), ()))]
            place = int(tallow.randint(self.severity, ())) if name in ranges else None
            image = self._apply(image, name, place, 10, ranges)
        return image
