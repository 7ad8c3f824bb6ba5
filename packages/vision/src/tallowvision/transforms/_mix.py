"""Batches of pictures and labels mixed with each other."""

import math

import PIL.Image

import tallow
from tallow.errors import ArgumentError, describe
from tallow.nn.functional import one_hot
from tallowvision import tv_tensors
from tallowvision.transforms import _tree
from tallowvision.transforms._sample import has_any, labels_getter_of, query_size
from tallowvision.transforms._transform import Transform

_TARGETS = (PIL.Image.Image, tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints)


def dirichlet(concentrations):
    """Positive numbers that add up to 1, from a Dirichlet distribution."""
    drawn = [_gamma(alpha) for alpha in concentrations]
    return [one / sum(drawn) for one in drawn]


def _gamma(alpha):
    """A number from a gamma distribution: Marsaglia and Tsang, "A simple method ..." (2000)."""
    if alpha < 1:
        return _unit() ** (1 / alpha) * _gamma(alpha + 1)
    d = alpha - 1 / 3
    while True:
        x = tallow.randn((), dtype=tallow.float64).item()
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0:
            u = _unit()
            if u < 1 - 0.0331 * x**4 or math.log(u) < 0.5 * x * x + d * (1 - v + math.log(v)):
                return d * v


def _unit():
    """A uniform number in (0, 1]."""
    return 1 - tallow.rand((), dtype=tallow.float64).item()


class _Mix(Transform):
    """The base of mixtures of each sample of a batch with the one before it."""

    def __init__(self, *, alpha=1.0, num_classes=None, labels_getter="default"):
        super().__init__()
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._labels_getter = labels_getter_of(type(self).__name__, labels_getter)

    def forward(self, *inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, rebuild = _tree.flatten(sample)
        name = type(self).__name__
        if has_any(leaves, *_TARGETS):
            raise ArgumentError(f"{name}: expected tensors of images, got PIL images or targets")
        labels = self._labels_getter(sample)
        self._check_labels(name, labels)
        chosen = [i for i in self._chosen(leaves) if leaves[i] is not labels]
        for i in chosen:
            self._check_batch(name, leaves[i], len(labels))
        params = self.make_params([leaves[i] for i in chosen])
        for i in chosen:
            leaves[i] = tv_tensors.wrap(self.transform(leaves[i], params), like=leaves[i])
        place = next(i for i, leaf in enumerate(leaves) if leaf is labels)
        leaves[place] = self._mixed_labels(labels, params["share"])
        return rebuild(leaves)

    def _check_labels(self, name, labels):
        if not isinstance(labels, tallow.Tensor) or labels.ndim not in (1, 2):
            raise ArgumentError(
                f"{name}: expected labels (N), or probabilities (N, num_classes), got "
                f"{describe(labels)}"
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ArgumentError(f"{name}: expected num_classes with labels (N), got none")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[1]):
            raise ArgumentError(
                f"{name}: expected labels (N, {self.num_classes}), got {describe(labels)}"
            )

    def _check_batch(self, name, images, count):
        dims = 5 if isinstance(images, tv_tensors.Video) else 4
        if images.ndim != dims or len(images) != count:
            raise ArgumentError(
                f"{name}: expected a batch of {dims} dims for {count} labels, got "
                f"{describe(images)}"
            )

    def _mixed_labels(self, labels, share):
        if labels.ndim == 1:
            labels = one_hot(labels, num_classes=self.num_classes)
        return _mixture(labels if labels.is_floating_point() else labels.float(), share)


def _mixture(x, share):
    return x.roll(1, 0) * (1 - share) + x * share


class MixUp(_Mix):
    """Each picture of a batch, and its label, averaged with the one before it.

    A sample is a batch (N, C, H, W) with its labels: class numbers (N), and `num_classes` is given;
    or probabilities (N, num_classes). `labels_getter` finds them: a function of the sample, or
    "default", the second part or what is called labels. The share of a picture in the mixture is
    drawn from a beta distribution with both parameters `alpha`. Zhang et al., "mixup: beyond
    empirical risk minimization" (2018).

    >>> import tallow
    >>> from tallowvision import transforms
    >>> images, labels = transforms.MixUp(num_classes=4)(
    ...     tallow.rand(2, 3, 8, 8), tallow.tensor([0, 3]))
    >>> images.shape, labels.shape
    (tallow.Size([2, 3, 8, 8]), tallow.Size([2, 4]))
    """

    def make_params(self, flat_inputs):
        return {"share": dirichlet([self.alpha] * 2)[0]}

    def transform(self, inpt, params):
        if not inpt.is_floating_point():
            raise ArgumentError(f"MixUp: expected floating-point images, got {describe(inpt)}")
        return _mixture(inpt, params["share"])


class CutMix(_Mix):
    """A rectangle in each picture of a batch taken from the one before it, labels by its area.

    The arguments are those of `MixUp`. Yun et al., "CutMix" (2019).
    """

    def make_params(self, flat_inputs):
        size = dirichlet([self.alpha] * 2)[0]
        height, width = query_size(flat_inputs, "CutMix")
        x, y = tallow.randint(width, (1,)).item(), tallow.randint(height, (1,)).item()
        half = 0.5 * math.sqrt(1.0 - size)
        half_width, half_height = int(half * width), int(half * height)
        left, right = max(x - half_width, 0), min(x + half_width, width)
        top, bottom = max(y - half_height, 0), min(y + half_height, height)
        share = 1.0 - (right - left) * (bottom - top) / (width * height)
        return {"part": (..., slice(top, bottom), slice(left, right)), "share": share}

    def transform(self, inpt, params):
        mixed = inpt.clone()
        mixed[params["part"]] = inpt.roll(1, 0)[params["part"]]
        return mixed
