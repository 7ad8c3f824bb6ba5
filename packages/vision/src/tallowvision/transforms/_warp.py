"""Transforms that turn, shear and distort pictures at random."""

import tallow
from tallow.errors import ArgumentError
from tallowvision.transforms import functional as F
from tallowvision.transforms._geometry import fill_for
from tallowvision.transforms._sample import query_size
from tallowvision.transforms._transform import RandomTransform, Transform, draw
from tallowvision.transforms.functional._warp import perspective_coefficients


def _range(name, value, lengths=(2,)):
    """Bounds given as a number x, for (-x, x), or as a sequence of one of some lengths."""
    if isinstance(value, int | float):
        if value < 0:
            raise ArgumentError(f"{name}: expected a number of 0 or more, got {value}")
        return (-float(value), float(value))
    if len(value) not in lengths:
        counts = " or ".join(map(str, lengths))
        raise ArgumentError(f"{name}: expected a number or {counts} of them, got {value}")
    return tuple(float(x) for x in value)


class RandomRotation(Transform):
    """The picture turned counter-clockwise by degrees drawn from (min, max), or from (-x, x).

    The other arguments are those of `functional.rotate`.
    """

    def __init__(self, degrees, interpolation="nearest", expand=False, center=None, fill=0):
        super().__init__()
        self.degrees = _range("RandomRotation: degrees", degrees)
        self.interpolation = interpolation
        self.expand = expand
        self.center = center
        self.fill = fill

    def make_params(self, flat_inputs):
        return {"angle": draw(*self.degrees)}

    def transform(self, inpt, params):
        return self._call_kernel(
            F.rotate, inpt, **params, interpolation=self.interpolation, expand=self.expand,
            center=self.center, fill=fill_for(self.fill, type(inpt)),
        )  # fmt: skip


class RandomAffine(Transform):
    """The picture turned, moved, scaled and sheared at random.

    `degrees` and `shear`, in degrees, are (min, max) or a number x for (-x, x); four numbers give
    (min, max) of the shear along x, then along y. `translate` are the largest parts of the width
    and the height to move by, `scale` is (min, max) of a factor. The others are those of
    `functional.affine`.
    """

    def __init__(
        self, degrees, translate=None, scale=None, shear=None, interpolation="nearest", fill=0,
        center=None,
    ):  # fmt: skip
        super().__init__()
        self.degrees = _range("RandomAffine: degrees", degrees)
        if translate is not None and not (
            len(translate) == 2 and all(0 <= t <= 1 for t in translate)
        ):
            raise ArgumentError(f"RandomAffine: expected two parts from 0 to 1, got {translate}")
        if scale is not None and not (len(scale) == 2 and min(scale) > 0):
            raise ArgumentError(f"RandomAffine: expected scale (min, max) above 0, got {scale}")
        self.translate = translate
        self.scale = scale
        self.shear = shear if shear is None else _range("RandomAffine: shear", shear, (2, 4))
        self.interpolation = interpolation
        self.fill = fill
        self.center = center

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomAffine")
        angle, translate, scale, shear = draw(*self.degrees), (0, 0), 1.0, [0.0, 0.0]
        if self.translate is not None:
            most = (self.translate[0] * width, self.translate[1] * height)
            translate = tuple(round(draw(-limit, limit)) for limit in most)
        if self.scale is not None:
            scale = draw(*self.scale)
        if self.shear is not None:
            bounds = (self.shear[:2], self.shear[2:])
            shear = [draw(*pair) if pair else 0.0 for pair in bounds]
        return {"angle": angle, "translate": translate, "scale": scale, "shear": shear}

    def transform(self, inpt, params):
        return self._call_kernel(
            F.affine, inpt, **params, interpolation=self.interpolation,
            fill=fill_for(self.fill, type(inpt)), center=self.center,
        )  # fmt: skip


class RandomPerspective(RandomTransform):
    """The picture seen askew, with probability `p`.

    Each corner moves inwards by up to `distortion_scale`, from 0 to 1, of half the size.
    """

    def __init__(self, distortion_scale=0.5, p=0.5, interpolation="bilinear", fill=0):
        super().__init__(p)
        if not 0 <= distortion_scale <= 1:
            raise ArgumentError(
                f"RandomPerspective: expected distortion_scale from 0 to 1, got {distortion_scale}"
            )
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill

    def make_params(self, flat_inputs):
        height, width = query_size(flat_inputs, "RandomPerspective")
        room_x = int(self.distortion_scale * (width // 2)) + 1
        room_y = int(self.distortion_scale * (height // 2)) + 1
        left, right = (0, room_x), (width - room_x, width)
        top, bottom = (0, room_y), (height - room_y, height)
        order = ((left, top), (right, top), (right, bottom), (left, bottom))
        moved = [[tallow.randint(*bounds, (1,)).item() for bounds in corner] for corner in order]
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        return {"coefficients": perspective_coefficients(corners, moved)}

    def transform(self, inpt, params):
        return self._call_kernel(
            F.perspective, inpt, None, None, interpolation=self.interpolation,
            fill=fill_for(self.fill, type(inpt)), **params,
        )  # fmt: skip


class ElasticTransform(Transform):
    """The picture as if seen through moving water: each pixel from a random place near by.

    The random displacements are up to `alpha` halves of a pixel, smoothed by a Gaussian of `sigma`
    pixels; both may be pairs, for x and y. Simard et al., "Best practices for convolutional neural
    networks" (2003).
    """

    def __init__(self, alpha=50.0, sigma=5.0, interpolation="bilinear", fill=0):
        super().__init__()
        self.alpha = _pair("ElasticTransform: alpha", alpha)
        self.sigma = _pair("ElasticTransform: sigma", sigma)
        self.interpolation = interpolation
        self.fill = fill

    def make_params(self, flat_inputs):
        size = query_size(flat_inputs, "ElasticTransform")
        moves = []
        for alpha, sigma, length in zip(self.alpha, self.sigma, size[::-1], strict=True):
            noise = tallow.rand(1, 1, *size) * 2 - 1
            if sigma > 0:
                kernel = int(8 * sigma + 1) | 1  # odd
                noise = F.gaussian_blur(noise, [kernel, kernel], self.sigma)
            moves.append(noise[:, 0] * alpha / length)
        return {"displacement": tallow.stack(moves, -1)}

    def transform(self, inpt, params):
        return self._call_kernel(
            F.elastic, inpt, **params, interpolation=self.interpolation,
            fill=fill_for(self.fill, type(inpt)),
        )  # fmt: skip


def _pair(name, value):
    """A number, or a sequence of one or two, as two numbers."""
    values = [value] if isinstance(value, int | float) else list(value)
    if len(values) not in (1, 2):
        raise ArgumentError(f"{name}: expected a number or two, got {value}")
    return [float(x) for x in values] * (3 - len(values))
