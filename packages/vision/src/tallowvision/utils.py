"""Pictures to look at: grids, and boxes, masks and points drawn on images."""

import math
import warnings

import numpy as np
import PIL.Image
import PIL.ImageColor
import PIL.ImageDraw
import PIL.ImageFont

import tallow
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError, describe
from tallowvision._pil import pil_to_tensor, require_unit, to_pil_image
from tallowvision.transforms import functional as F

__all__ = [
    "draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "flow_to_image",
    "make_grid", "save_image",
]  # fmt: skip


@tallow.no_grad()
def make_grid(
    tensor, nrow=8, padding=2, normalize=False, value_range=None, scale_each=False, pad_value=0.0
):
    """Images (B, C, H, W), or a list of (C, H, W), beside each other in one image (C, H', W').

    `nrow` images lie in a row, with `padding` pixels of `pad_value` between them. `normalize` takes
    `value_range`, by default from the least to the largest number (of each image, with
    `scale_each`), to [0, 1]. Grey images become RGB.

    >>> import tallow
    >>> from tallowvision.utils import make_grid
    >>> make_grid(tallow.zeros(5, 3, 10, 12), nrow=3).shape
    tallow.Size([3, 26, 44])
    """
    images = _batch(tensor)
    if normalize:
        parts = images.unbind(0) if scale_each else [images]
        images = tallow.stack([_normalized(part, value_range) for part in parts])
        images = images if scale_each else images[0]
    if len(images) == 1:
        return images[0]
    count, channels, height, width = images.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    step_y, step_x = height + padding, width + padding
    grid = images.new_full(
        (channels, rows * step_y + padding, columns * step_x + padding), pad_value
    )
    for i, image in enumerate(images):
        y, x = i // columns * step_y + padding, i % columns * step_x + padding
        grid[:, y : y + height, x : x + width] = image
    return grid


def _batch(tensor):
    """(B, C, H, W), in colour, of a batch, a list of images, an image or a plane."""
    if isinstance(tensor, list | tuple) and all(isinstance(x, tallow.Tensor) for x in tensor):
        tensor = tallow.stack(list(tensor))
    if not isinstance(tensor, tallow.Tensor):
        raise TypeMismatchError(
            f"make_grid: expected a tensor or a list of tensors, got {type(tensor).__name__}"
        )
    if tensor.ndim not in (2, 3, 4):
        raise ShapeError(f"make_grid: expected (B, C, H, W), got {describe(tensor)}")
    tensor = tensor.reshape(*(1,) * (4 - tensor.ndim), *tensor.shape)
    return tallow.cat([tensor] * 3, 1) if tensor.shape[1] == 1 else tensor


def _normalized(image, value_range):
    low, high = value_range or (float(image.min()), float(image.max()))
    return (image.clamp(low, high) - low) / max(high - low, 1e-5)


@tallow.no_grad()
def save_image(tensor, fp, format=None, **kwargs):
    """Write images in [0, 1] as a grid to a file, a path or a file object.

    `format` is Pillow's name of one, needed with a file object; `kwargs` are those of `make_grid`.
    """
    grid = make_grid(tensor, **kwargs)
    levels = (grid * 255 + 0.5).clamp(0, 255).to("cpu", tallow.uint8)
    to_pil_image(levels).save(fp, format=format)


# Drawing


def _check_image(name, image, channels):
    if not isinstance(image, tallow.Tensor):
        raise TypeMismatchError(f"{name}: expected a tensor, got {type(image).__name__}")
    if not (image.dtype is tallow.uint8 or image.is_floating_point()):
        raise ArgumentError(
            f"{name}: expected uint8 or floating-point pixels, got {describe(image)}"
        )
    if image.ndim != 3 or image.shape[0] not in channels:
        raise ArgumentError(
            f"{name}: expected one image (C, H, W) of {' or '.join(map(str, channels))} channels, "
            f"got {describe(image)}"
        )
    require_unit(name, image)


def _colours(colors, count):
    """`count` RGB triples of one colour, a list of them, or None for colours that differ."""
    if colors is None:
        steps = (2**25 - 1, 2**15 - 1, 2**21 - 1)
        return [tuple(i * step % 255 for step in steps) for i in range(count)]
    if isinstance(colors, str) or (isinstance(colors, tuple) and len(colors) == 3):
        colors = [colors] * count
    if not isinstance(colors, list) or len(colors) < count:
        raise ArgumentError(
            f"colors: expected a name, an RGB triple, or a list of {count} of them, got {colors!r}"
        )
    return [PIL.ImageColor.getrgb(c) if isinstance(c, str) else tuple(c) for c in colors]


def _drawn(image, draw, mode="RGB"):
    """The image after `draw(pen)`, in its own dtype; grey ones in RGB."""
    levels = F.to_dtype(F.grayscale_to_rgb(image), tallow.uint8, scale=True)
    picture = to_pil_image(levels)
    draw(PIL.ImageDraw.Draw(picture, mode))
    return F.to_dtype(pil_to_tensor(picture), image.dtype, scale=True).to(image.device)


@tallow.no_grad()
def draw_bounding_boxes(
    image, boxes, labels=None, colors=None, fill=False, width=1, font=None, font_size=None,
    label_colors=None, label_background_colors=None, fill_labels=False,
):  # fmt: skip
    """The image (C, H, W) with boxes (N, 4), XYXY in pixels, or (N, 8), four corners, drawn on it.

    A label is written into the upper left corner of its box, in `font`, a TrueType file, of
    `font_size` points, or in Pillow's own. Colours are names or RGB triples, one or a list of N.
    `fill` tints the boxes, `fill_labels` puts the labels on a ground.
    """
    _check_image("draw_bounding_boxes", image, (1, 3))
    if boxes.ndim != 2 or boxes.shape[1] not in (4, 8):
        raise ArgumentError(
            f"draw_bounding_boxes: expected boxes (N, 4) or (N, 8), got {describe(boxes)}"
        )
    if boxes.shape[1] == 4 and (boxes[:, :2] > boxes[:, 2:]).any():
        raise ArgumentError(
            "draw_bounding_boxes: expected boxes as (left, top, right, bottom), got some whose "
            "right or bottom comes first; convert_bounding_box_format gives that format"
        )
    count = len(boxes)
    if labels is not None and len(labels) != count:
        raise ArgumentError(
            f"draw_bounding_boxes: expected {count} labels for {count} boxes, got {len(labels)}"
        )
    if not count:
        warnings.warn("draw_bounding_boxes: there are no boxes to draw", stacklevel=2)
        return image
    lines = _colours(colors, count)
    texts = _colours(label_colors or "black", count) if label_colors or fill_labels else lines
    grounds = _colours(label_background_colors, count) if label_background_colors else lines
    letters = _font(font, font_size)

    def draw(pen):
        for i, box in enumerate(boxes.to(tallow.int64).tolist()):
            _draw_box(pen, box, lines[i], width, fill)
            if labels is not None and labels[i] is not None:
                ground = grounds[i] if fill_labels else None
                corner = (box[0] + width + 1, box[1] + width + 1)
                _write(pen, corner, labels[i], texts[i], ground, letters)

    return _drawn(image, draw, "RGBA" if fill else "RGB")


def _font(font, size):
    if font is not None:
        return PIL.ImageFont.truetype(font, size or 10)
    if size is not None:
        warnings.warn("draw_bounding_boxes: font_size counts with a font only", stacklevel=3)
    return PIL.ImageFont.load_default()


def _draw_box(pen, box, colour, width, fill):
    tint = (*colour, 100) if fill else None
    if len(box) == 4:
        pen.rectangle(box, fill=tint, outline=colour, width=width)
        return
    if fill:
        pen.polygon(box, fill=tint)
    pen.line([*box, *box[:2]], fill=colour, width=width)


def _write(pen, corner, text, colour, ground, font):
    if ground is not None:
        left, top, right, bottom = pen.textbbox(corner, text, font=font)
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=ground)
    pen.text(corner, text, fill=colour, font=font)


@tallow.no_grad()
def draw_segmentation_masks(image, masks, alpha=0.8, colors=None):
    """The image (3, H, W) with the pixels of masks, bool (N, H, W) or (H, W), tinted.

    `alpha` says how much, from 0 to 1. What lies in several masks becomes black.
    """
    _check_image("draw_segmentation_masks", image, (3,))
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.dtype is not tallow.bool or masks.ndim != 3 or masks.shape[1:] != image.shape[1:]:
        raise ArgumentError(
            f"draw_segmentation_masks: expected bool masks (N, {image.shape[1]}, "
            f"{image.shape[2]}), got {describe(masks)}"
        )
    if not len(masks):
        warnings.warn("draw_segmentation_masks: there are no masks to draw", stacklevel=2)
        return image
    tinted = image.clone()
    scale = 255 if image.is_floating_point() else 1
    for mask, colour in zip(masks, _colours(colors, len(masks)), strict=False):
        level = tallow.tensor([part / scale for part in colour], device=image.device)
        tinted = tallow.where(mask, level.to(image.dtype)[:, None, None], tinted)
    tinted = tallow.where(masks.sum(0) > 1, tallow.zeros_like(tinted), tinted)
    return (image * (1 - alpha) + tinted * alpha).to(image.dtype)


@tallow.no_grad()
def draw_keypoints(
    image, keypoints, connectivity=None, colors=None, radius=2, width=3, visibility=None
):
    """The image (3, H, W) with points (N, K, 2), x and y in pixels of N objects, drawn as dots.

    `connectivity` is a list of pairs of points, numbered from 0 to K - 1, to join by lines;
    `visibility`, bool (N, K) or (N, K, 1), says which are drawn. All are of one colour, by default
    Pillow's white.
    """
    _check_image("draw_keypoints", image, (3,))
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        raise ArgumentError(f"draw_keypoints: expected (N, K, 2), got {describe(keypoints)}")
    shown = np.ones(keypoints.shape[:2], bool)
    if visibility is not None:
        shown = visibility.cpu().numpy().reshape(keypoints.shape[:2]).astype(bool)

    def draw(pen):
        for points, seen in zip(keypoints.to(tallow.int64).tolist(), shown, strict=True):
            for (x, y), visible in zip(points, seen, strict=True):
                if visible:
                    box = (x - radius, y - radius, x + radius, y + radius)
                    pen.ellipse(box, fill=colors, outline=None, width=0)
            for start, end in connectivity or ():
                if seen[start] and seen[end]:
                    pen.line((*points[start], *points[end]), width=width)

    return _drawn(image, draw)


def flow_to_image(flow):
    """Optical flow (2, H, W) or (N, 2, H, W), in pixels, as uint8 colours with 3 channels.

    The hue is the direction, and the longest step of all has the strongest colour (Baker et al., A
    database and evaluation methodology for optical flow, IJCV 92, 2011).

    >>> import tallow
    >>> from tallowvision.utils import flow_to_image
    >>> flow_to_image(tallow.zeros(2, 1, 1)).ravel()
    tensor([255, 255, 255], dtype=tallow.uint8)
    """
    if flow.dtype != tallow.float:
        raise ArgumentError(f"flow_to_image: expected float32, got {flow.dtype}")
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ArgumentError(
            f"flow_to_image: expected (2, H, W) or (N, 2, H, W), got {describe(flow)}"
        )
    batch = flow if flow.ndim == 4 else flow.unsqueeze(0)
    longest = batch.square().sum(1).sqrt().max()
    u, v = (batch / (longest + tallow.finfo(flow.dtype).eps)).unbind(1)
    wheel = _colour_wheel() / 255
    place = (tallow.atan2(-v, -u) / math.pi + 1) / 2 * (len(wheel) - 1)
    first = place.floor().long()
    share = (place - first).unsqueeze(-1)
    hue = (1 - share) * wheel[first] + share * wheel[(first + 1) % len(wheel)]
    length = (u.square() + v.square()).sqrt().unsqueeze(-1)
    image = (255 * (1 - length * (1 - hue))).floor().to(tallow.uint8).permute(0, 3, 1, 2)
    return image if flow.ndim == 4 else image[0]


def _colour_wheel():
    """The hues of directions, (55, 3): six ramps, in each of which one channel goes up or down."""
    ramps = (15, 0, 1, 1), (6, 1, 0, -1), (4, 1, 2, 1), (11, 2, 1, -1), (13, 2, 0, 1), (6, 0, 2, -1)
    parts = []
    for count, full, changing, direction in ramps:
        part = tallow.zeros(count, 3)
        part[:, full] = 255
        ramp = (255 * tallow.arange(count) / count).floor()
        part[:, changing] = ramp if direction > 0 else 255 - ramp
        parts.append(part)
    return tallow.cat(parts)
