"""Rotation, affine and perspective maps: pictures drawn anew from where their pixels came from.

A map is a matrix (3, 3) on homogeneous coordinates (x, y, 1), in pixels. Pictures need the one from
the new picture to the old, boxes and points its inverse.
"""

import math

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, NotSupportedError, describe
from tallowvision import tv_tensors
from tallowvision._boxes import convert_boxes
from tallowvision._pil import pil_to_tensor, to_pil_image
from tallowvision.transforms.functional._geometry import pillow_fill
from tallowvision.transforms.functional._meta import clamp_boxes
from tallowvision.transforms.functional._registry import functional
from tallowvision.transforms.functional._resize import (
    InterpolationMode,
    interpolation_mode,
    pillow_filter,
)
from tallowvision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR

# Matrices


def _shift(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _affine_matrix(angle, translate, scale, shear, middle):
    """From the old picture to the new: shear, scale, turn by degrees about `middle`, and move."""
    turn, shear_x, shear_y = (math.radians(degrees) for degrees in (angle, *shear))
    cos = math.cos(turn - shear_y) / math.cos(shear_y)
    sin = math.sin(turn - shear_y) / math.cos(shear_y)
    tangent = math.tan(shear_x)
    linear = np.eye(3)
    linear[0, :2] = scale * cos, scale * (-cos * tangent - math.sin(turn))
    linear[1, :2] = scale * sin, scale * (-sin * tangent + math.cos(turn))
    x, y = middle
    return _shift(x + translate[0], y + translate[1]) @ linear @ _shift(-x, -y)


def _affine_arguments(name, angle, translate, scale, shear, center):
    """The arguments as numbers and pairs of them, checked."""
    pairs = {"translate": translate, "shear": shear, "center": center}
    if isinstance(shear, int | float):
        pairs["shear"] = (shear, 0.0)
    elif len(shear) == 1:
        pairs["shear"] = (shear[0], shear[0])
    for what, pair in pairs.items():
        if pair is not None and len(pair) != 2:
            raise ArgumentError(f"{name}: expected {what} of two numbers, got {pair}")
    if scale <= 0:
        raise ArgumentError(f"{name}: expected a scale above 0, got {scale}")
    return float(angle), pairs["translate"], float(scale), pairs["shear"], pairs["center"]


def perspective_coefficients(startpoints, endpoints):
    """The eight numbers of the map that takes four corners `endpoints` back to `startpoints`.

    (x, y) of the new picture comes from ((a x + b y + c) / (g x + h y + 1),
    (d x + e y + f) / (g x + h y + 1)).
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ArgumentError(
            f"perspective: expected four corners, got {len(startpoints)} and {len(endpoints)}"
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    corners = np.array(startpoints, np.float64).reshape(8)
    try:
        found = np.linalg.solve(np.array(rows, np.float64), corners)
    except np.linalg.LinAlgError:
        raise ArgumentError(
            f"perspective: expected corners of which no three lie in a line, got {endpoints}"
        ) from None
    return found.astype(np.float32).tolist()


# Pixels


def _check_mode(name, interpolation):
    mode = interpolation_mode(interpolation)
    if mode not in (NEAREST, BILINEAR):
        raise NotSupportedError(
            f"{name}: {mode.value} is for Pillow images; use nearest or bilinear with tensors"
        )
    return mode.value


def _warp(name, image, matrix, size, interpolation, fill, origin=0.0):
    """The new picture (..., C, *size) of an image (..., C, H, W).

    Coordinates are those from the middle (origin 0) or from the upper left corner (1).
    """
    grid = _source_grid(matrix, size, image.shape[-2:], origin, _exact_dtype(image).numpy)
    return _read(name, image, tallow.from_numpy(grid[None]), interpolation, fill)


def _exact_dtype(image):
    return image.dtype if image.is_floating_point() else tallow.float32


def _read(name, image, grid, interpolation, fill):
    """The new picture (..., C, H', W') whose pixels come from places (1, H', W', 2)."""
    mode = _check_mode(name, interpolation)
    channels, height, width = image.shape[-3:]
    shape = (*image.shape[:-2], *grid.shape[1:3])
    if not image.numel():
        return image.reshape(shape)
    planes = image.to(_exact_dtype(image)).reshape(1, -1, height, width)
    grid = grid.to(image.device)
    if fill is not None:  # a plane that says how much of a pixel comes from the picture
        planes = tallow.cat([planes, tallow.ones_like(planes[:, :1])], 1)
    warped = tallow.nn.functional.grid_sample(planes, grid, mode, "zeros", align_corners=False)
    if fill is not None:
        warped = _filled(name, warped[:, :-1], warped[:, -1:], fill, channels, mode)
    warped = warped.reshape(shape)
    return warped if image.is_floating_point() else warped.round().to(image.dtype)


def _source_grid(matrix, size, old_size, origin, dtype):
    """Where the pixels of the new picture come from: (H, W, 2), -1 and 1 at the old edges."""
    y, x = ((np.arange(n) - (n - 1) / 2 + origin * n / 2).astype(dtype) for n in size)
    scale = np.array([2 / old_size[1], 2 / old_size[0], 1.0])[:, None]
    rows = (matrix * scale).astype(dtype)
    across, down, constant = rows.T
    places = x[None, :, None] * across + y[:, None, None] * down + constant
    if tuple(rows[2]) == (0, 0, 1):
        return places[..., :2] - dtype.type(origin)
    return places[..., :2] / places[..., 2:] - dtype.type(origin)


def _filled(name, image, share, fill, channels, mode):
    fills = [float(x) for x in fill] if isinstance(fill, tuple | list) else [float(fill)]
    if len(fills) not in (1, channels):
        raise ArgumentError(f"{name}: expected one fill or {channels} of them, got {fill}")
    fills = fills * (image.shape[1] // len(fills))
    colour = tallow.tensor(fills, dtype=image.dtype, device=image.device)[:, None, None]
    if mode == "nearest":
        return tallow.where(share < 0.5, colour, image)
    return (image - colour) * share + colour


# Points and boxes


def _move_points(points, matrix):
    """Points (..., 2), in pixels from the upper left corner, through a matrix (3, 3) on these."""
    rows = tallow.from_numpy(matrix).to(points.device, points.dtype)
    moved = points @ rows[:, :2].T + rows[:, 2]
    return moved[..., :2] if tuple(matrix[2]) == (0, 0, 1) else moved[..., :2] / moved[..., 2:]


def _refuse_turned(name, boxes):
    if tv_tensors.is_rotated_bounding_format(boxes.format):
        raise NotSupportedError(f"{name}: turned boxes are not warped yet; make upright ones first")


def _move_targets(name, targets, matrix, canvas_size):
    """Boxes or points through a matrix, on another canvas. A box becomes the one around it."""
    exact = targets if targets.is_floating_point() else targets.float()
    if isinstance(targets, KeyPoints):
        moved = _move_points(exact, matrix)
        return tv_tensors.wrap(moved.to(targets.dtype), like=targets, canvas_size=canvas_size)
    _refuse_turned(name, targets)
    return _boxes_around(
        targets, _move_points(_corners(exact, targets.format), matrix), canvas_size
    )


def _corners(boxes, format):
    """The corners (N, 4, 2) of upright boxes."""
    left, top, right, bottom = convert_boxes(boxes, format, BoundingBoxFormat.XYXY).unbind(1)
    points = tallow.stack([left, top, right, top, right, bottom, left, bottom], 1)
    return points.reshape(-1, 4, 2)


def _boxes_around(boxes, corners, canvas_size):
    """Upright boxes like others around corners (N, 4, 2)."""
    around = tallow.cat([corners.amin(1), corners.amax(1)], 1)
    around = clamp_boxes(around, BoundingBoxFormat.XYXY, canvas_size, boxes.clamping_mode)
    numbers = convert_boxes(around, BoundingBoxFormat.XYXY, boxes.format).to(boxes.dtype)
    return tv_tensors.wrap(numbers, like=boxes, canvas_size=canvas_size)


def _as_planes(mask):
    return mask if mask.ndim > 2 else mask[None]


# Affine maps


@functional
def affine(image, angle, translate, scale, shear, interpolation=NEAREST, fill=None, center=None):
    """The picture turned clockwise by degrees, moved by pixels (x, y), scaled and sheared (x, y).

    `shear` is in degrees. All is about `center` (x, y), by default the middle. `fill` is the colour
    around the picture, black by default. Boxes and points move along.
    """
    angle, translate, scale, shear, center = _affine_arguments(
        "affine", angle, translate, scale, shear, center
    )
    height, width = image.shape[-2:]
    middle = (0, 0) if center is None else (center[0] - width / 2, center[1] - height / 2)
    matrix = np.linalg.inv(_affine_matrix(angle, translate, scale, shear, middle))
    return _warp("affine", image, matrix, (height, width), interpolation, fill)


@affine.on(Mask)
def _(mask, angle, translate, scale, shear, interpolation=NEAREST, fill=None, center=None):
    planes = affine.table[tallow.Tensor](
        _as_planes(mask), angle, translate, scale, shear, NEAREST, fill, center
    )
    return planes.reshape(mask.shape)


@affine.on(PIL.Image.Image)
def _(image, angle, translate, scale, shear, interpolation=NEAREST, fill=None, center=None):
    angle, translate, scale, shear, center = _affine_arguments(
        "affine", angle, translate, scale, shear, center
    )
    middle = (image.width / 2, image.height / 2) if center is None else center
    matrix = np.linalg.inv(_affine_matrix(angle, translate, scale, shear, middle))
    return image.transform(
        image.size, PIL.Image.Transform.AFFINE, matrix[:2].ravel().tolist(),
        pillow_filter(interpolation), fillcolor=_pillow_colour(image, fill),
    )  # fmt: skip


def _pillow_colour(image, fill):
    return None if fill is None else pillow_fill(image, fill)


@affine.on(BoundingBoxes, KeyPoints)
def _(targets, angle, translate, scale, shear, interpolation=None, fill=None, center=None):
    angle, translate, scale, shear, center = _affine_arguments(
        "affine", angle, translate, scale, shear, center
    )
    height, width = targets.canvas_size
    middle = (width / 2, height / 2) if center is None else center
    matrix = _affine_matrix(angle, translate, scale, shear, middle)
    return _move_targets("affine", targets, matrix, targets.canvas_size)


@functional
def rotate(image, angle, interpolation=NEAREST, expand=False, center=None, fill=None):
    """The picture turned counter-clockwise by degrees about `center` (x, y), or the middle.

    `expand` makes the new picture large enough for all of the old one (turned about the middle).
    """
    height, width = image.shape[-2:]
    if center is None and angle % 90 == 0 and (angle % 180 == 0 or expand or height == width):
        return _quarter_turns(image, int(angle % 360) // 90)
    matrix, size = _rotation(angle, center, (height, width), expand)
    return _warp("rotate", image, np.linalg.inv(matrix), size, interpolation, fill)


def _rotation(angle, center, size, expand):
    """The matrix from the old picture to the new, from middle to middle, and the new size."""
    height, width = size
    middle = (0, 0) if center is None else (center[0] - width / 2, center[1] - height / 2)
    matrix = _affine_matrix(-(angle % 360), (0, 0), 1.0, (0, 0), middle)
    if not expand:
        return matrix, size
    if center is None and angle % 90 == 0:
        return matrix, size if angle % 180 == 0 else (width, height)
    return matrix, _expanded_size(np.linalg.inv(matrix), height, width)


def _quarter_turns(image, count):
    """Turned counter-clockwise by `count` times 90 degrees, from 0 to 3."""
    if count % 2 == 0:
        return image.flip(-2, -1) if count else image.clone()
    return image.transpose(-2, -1).flip(-2 if count == 1 else -1)


def _expanded_size(matrix, height, width):
    """(height, width) of the picture around a turned one."""
    x, y = width / 2, height / 2
    corners = np.array([(-x, -y, 1), (-x, y, 1), (x, y, 1), (x, -y, 1)]) @ matrix[:2].T + (x, y)
    # in steps of 1e-4, so that rounding errors add no pixel
    low, high = (np.trunc(edge(0) * 1e4) / 1e4 for edge in (corners.min, corners.max))
    new_width, new_height = (np.ceil(high) - np.floor(low)).astype(int).tolist()
    return new_height, new_width


@rotate.on(Mask)
def _(mask, angle, interpolation=NEAREST, expand=False, center=None, fill=None):
    planes = rotate.table[tallow.Tensor](_as_planes(mask), angle, NEAREST, expand, center, fill)
    return planes if mask.ndim > 2 else planes[0]


@rotate.on(PIL.Image.Image)
def _(image, angle, interpolation=NEAREST, expand=False, center=None, fill=None):
    return image.rotate(
        angle, pillow_filter(interpolation), expand, center, fillcolor=_pillow_colour(image, fill)
    )


@rotate.on(BoundingBoxes, KeyPoints)
def _(targets, angle, interpolation=None, expand=False, center=None, fill=None):
    matrix, size = _rotation(angle, center, targets.canvas_size, expand)
    height, width = targets.canvas_size
    matrix = _shift(size[1] / 2, size[0] / 2) @ matrix @ _shift(-width / 2, -height / 2)
    return _move_targets("rotate", targets, matrix, size)


# Perspective


def _perspective_matrix(startpoints, endpoints, coefficients):
    """From the new picture to the old, in pixels from the upper left corner."""
    if (coefficients is None) == (startpoints is None or endpoints is None):
        raise ArgumentError(
            "perspective: expected startpoints and endpoints, or coefficients, and not both"
        )
    if coefficients is None:
        coefficients = perspective_coefficients(startpoints, endpoints)
    if len(coefficients) != 8:
        raise ArgumentError(f"perspective: expected 8 coefficients, got {len(coefficients)}")
    return np.array([*coefficients, 1.0]).reshape(3, 3)


@functional
def perspective(
    image, startpoints, endpoints, interpolation=BILINEAR, fill=None, coefficients=None
):
    """The picture seen askew: its corners `startpoints`, four of (x, y), move to `endpoints`.

    In place of them, `coefficients` are the eight numbers of `perspective_coefficients`.
    """
    height, width = image.shape[-2:]
    matrix = _perspective_matrix(startpoints, endpoints, coefficients)
    return _warp("perspective", image, matrix, (height, width), interpolation, fill, origin=1.0)


@perspective.on(Mask)
def _(mask, startpoints, endpoints, interpolation=None, fill=None, coefficients=None):
    planes = perspective.table[tallow.Tensor](
        _as_planes(mask), startpoints, endpoints, NEAREST, fill, coefficients
    )
    return planes.reshape(mask.shape)


@perspective.on(PIL.Image.Image)
def _(image, startpoints, endpoints, interpolation=BILINEAR, fill=None, coefficients=None):
    matrix = _perspective_matrix(startpoints, endpoints, coefficients)
    return image.transform(
        image.size, PIL.Image.Transform.PERSPECTIVE, matrix.ravel()[:8].tolist(),
        pillow_filter(interpolation), fillcolor=_pillow_colour(image, fill),
    )  # fmt: skip


@perspective.on(BoundingBoxes, KeyPoints)
def _(targets, startpoints, endpoints, interpolation=None, fill=None, coefficients=None):
    matrix = _perspective_matrix(startpoints, endpoints, coefficients)
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        raise ArgumentError(
            f"perspective: expected coefficients that can be inverted, got {coefficients}"
        ) from None
    return _move_targets("perspective", targets, inverse, targets.canvas_size)


# Elastic maps


def _displaced(displacement, size, dtype):
    """The displacement in a dtype, if it is one of a picture of a size; and where pixels are."""
    if not isinstance(displacement, tallow.Tensor) or displacement.shape != (1, *size, 2):
        raise ArgumentError(
            f"elastic: expected a displacement (1, {size[0]}, {size[1]}, 2), got "
            f"{describe(displacement)}"
        )
    here = _source_grid(np.eye(3), size, size, 0.0, dtype.numpy)[None]
    return displacement.to(dtype), tallow.from_numpy(here).to(displacement.device)


@functional
def elastic(image, displacement, interpolation=BILINEAR, fill=None):
    """The picture with each pixel read from elsewhere, by `displacement` (1, H, W, 2).

    It holds x and y, in halves of the width and the height.
    """
    moved, here = _displaced(displacement, tuple(image.shape[-2:]), _exact_dtype(image))
    return _read("elastic", image, here + moved, interpolation, fill)


@elastic.on(Mask)
def _(mask, displacement, interpolation=None, fill=None):
    planes = elastic.table[tallow.Tensor](_as_planes(mask), displacement, NEAREST, fill)
    return planes.reshape(mask.shape)


@elastic.on(PIL.Image.Image)
def _(image, displacement, interpolation=BILINEAR, fill=None):
    changed = elastic(pil_to_tensor(image), displacement, interpolation, fill)
    return to_pil_image(changed, mode=image.mode)


@elastic.on(BoundingBoxes, KeyPoints)
def _(targets, displacement, interpolation=None, fill=None):
    exact = targets if targets.is_floating_point() else targets.float()
    moved, here = _displaced(displacement, targets.canvas_size, exact.dtype)
    height, width = targets.canvas_size

    def move(points):
        """Against the displacement of the pixel that a point is in."""
        x, y = (points[..., i].long().clamp(0, n - 1) for i, n in ((0, width), (1, height)))
        size = tallow.tensor([width, height], dtype=exact.dtype, device=exact.device)
        return ((here - moved)[0, y, x] + 1) * (0.5 * size) - 0.5

    if isinstance(targets, KeyPoints):
        return move(exact).to(targets.dtype)
    _refuse_turned("elastic", targets)
    corners = _corners(targets, targets.format).to(exact.dtype).ceil()
    return _boxes_around(targets, move(corners).to(targets.dtype), targets.canvas_size)


elastic_transform = elastic
