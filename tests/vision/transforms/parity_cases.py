"""What the transforms are compared on, as text that is evaluated with torchvision or with tallow.

`tools/goldens/vision.py` evaluates it with torchvision, and records what it gives; the test
evaluates it with tallow. Names in the text: `inputs` below, `torch`, the modules `T` (transforms),
`F` (functional), `tv`, `U` (utils) and `IO`.
"""

import numpy as np
import PIL.Image


def picture(height, width, channels, seed=0):
    """Smooth shapes and some noise, uint8 (H, W, C)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    phases = rng.uniform(0, 6, (channels, 3))
    waves = [
        np.sin(9 * x * (c + 1) + a) + np.cos(7 * y + b) * x for c, (a, b, _) in enumerate(phases)
    ]
    noise = rng.normal(0, 0.15, (height, width, channels))
    return (np.clip(np.stack(waves, -1) / 4 + 0.5 + noise, 0, 1) * 255).astype(np.uint8)


def _tilted():
    """Turned boxes on, over and beyond the edges of a canvas, some of them upright."""
    rng = np.random.default_rng(7)
    centre, sides = rng.uniform(-4, 28, (40, 2)), rng.uniform(3, 12, (40, 2))
    angle = rng.choice([0, 90, 30, -75, 110, 200], (40, 1)) + rng.choice([0, 3.5], (40, 1))
    return np.concatenate([centre, sides, angle], 1)


def inputs(torch, tv):
    """The pictures and targets, by name."""
    pixels = picture(18, 25, 3)
    rgb = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    grid = np.arange(18 * 25).reshape(18, 25)
    boxes = [[2, 3, 9, 12], [-4, 1, 5, 30], [20, 10, 24, 17]]
    turned = [[4.0, 5.0, 8.0, 3.0, 30.0], [12.0, 9.0, 4.0, 7.5, -75.0]]
    canvas, rng = (18, 25), np.random.default_rng(0)
    return {
        "pixels": pixels,
        "rgb": rgb,
        "floats": rgb.to(torch.float32) / 255,
        "grey": rgb[:1].clone(),
        "batch": torch.stack([rgb, rgb.flip(-1)]).clone(),
        "wide": torch.from_numpy(np.ascontiguousarray(picture(9, 64, 3, 1).transpose(2, 0, 1))),
        "image": tv.Image(rgb),
        "video": tv.Video(torch.stack([rgb, rgb.flip(-2)]).clone()),
        "mask": tv.Mask(torch.from_numpy(grid % 7)),
        "masks": tv.Mask(torch.from_numpy(np.stack([grid % 3 == 0, grid % 5 == 1]))),
        "boxes": tv.BoundingBoxes(boxes, format="XYXY", canvas_size=canvas),
        "xywh": tv.BoundingBoxes(boxes, format="XYWH", canvas_size=canvas, dtype=torch.float32),
        "cxcywh": tv.BoundingBoxes(boxes, format="CXCYWH", canvas_size=canvas),
        "turned": tv.BoundingBoxes(turned, format="XYWHR", canvas_size=canvas, clamping_mode=None),
        "tilted": torch.from_numpy(_tilted()),
        "masks3": tv.Mask(torch.from_numpy(np.stack([grid % n == 0 for n in (2, 3, 5)]))),
        "displacement": torch.from_numpy(rng.uniform(-0.3, 0.3, (1, 18, 25, 2))).to(torch.float32),
        "points": tv.KeyPoints([[2.0, 3.0], [24.0, 17.0], [-1.0, 9.5]], canvas_size=canvas),
        "pil": PIL.Image.fromarray(pixels),
        "pil_l": PIL.Image.fromarray(pixels[..., 0]),
        "pil_1": PIL.Image.fromarray(pixels[..., 0]).convert("1"),
        "pil_la": PIL.Image.fromarray(pixels).convert("LA"),
        "pil_i": PIL.Image.fromarray(pixels[..., 0].astype(np.int32) * 1000),
        "pil_f": PIL.Image.fromarray(pixels[..., 0].astype(np.float32) / 7),
        "pil_p": PIL.Image.fromarray(pixels).convert("P", palette=PIL.Image.Palette.ADAPTIVE),
    }


CONVERSION = [
    *(f"F.to_tensor({x})" for x in ("pil", "pil_l", "pil_1", "pil_la", "pil_i", "pil_f", "pil_p")),
    "F.to_tensor(pixels)", "F.to_tensor(pixels[..., 0])", "F.to_tensor(pixels / 255.0)",
    *(f"F.pil_to_tensor({x})" for x in ("pil", "pil_l", "pil_1", "pil_la", "pil_i", "pil_f")),
    *(f"F.to_pil_image({x})" for x in ("rgb", "grey", "floats", "grey[0]", "pixels", "image")),
    "F.to_pil_image(rgb[:2])", "F.to_pil_image(torch.cat([rgb, grey]))",
    "F.to_pil_image(grey.to(torch.int32) * 300)", "F.to_pil_image(grey.to(torch.int16))",
    "F.to_pil_image(grey.to(torch.float32), mode='F')", "F.to_pil_image(rgb, mode='HSV')",
    "F.to_image(pixels)", "F.to_image(pil)", "F.to_image(rgb)",
    "T.ToTensor()(pil)", "T.PILToTensor()(pil)", "T.ToImage()(pil)", "T.ToPILImage()(rgb)",
    "T.ToPureTensor()([image, mask])",
]  # fmt: skip

_DTYPES = ["uint8", "int16", "int32", "int64", "float32", "float64"]
_SCALED = [
    (a, b) for a in _DTYPES for b in _DTYPES
    if (a, b) not in (("float32", "int32"), ("float32", "int64"), ("float64", "int64"))
]  # fmt: skip

VALUES = [
    *(
        f"F.to_dtype(F.to_dtype(rgb, torch.{a}, scale=True), torch.{b}, scale=True)"
        for a, b in _SCALED
    ),
    "F.to_dtype(floats * 300, torch.int64)", "F.convert_image_dtype(rgb, torch.float64)",
    "T.ToDtype(torch.float32, scale=True)([image, mask, boxes])",
    "T.ToDtype({tv.Mask: torch.float32, 'others': None})([image, mask, boxes])",
    "T.ConvertImageDtype(torch.float32)(rgb)",
    "F.normalize(floats, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25])", "F.normalize(floats, [0.4], [0.2])",
    "T.Normalize((0.5, 0.4, 0.3), (0.1, 0.2, 0.3))(batch.to(torch.float64))",
    "T.Compose([T.ToTensor(), T.Normalize([0.5], [0.5])])(pil_l)",
]  # fmt: skip

_ALL = "[image, video, mask, masks, boxes, xywh, cxcywh, points]"

GEOMETRY = [
    *(f"{f}({x})" for f in ("F.hflip", "F.vflip") for x in ("pil", "rgb", "batch", "turned")),
    *(f"[{f}(x) for x in {_ALL}]" for f in ("F.horizontal_flip", "F.vertical_flip")),
    *(
        f"[F.crop(x, {box}) for x in {_ALL} + [pil, rgb]]"
        for box in ("3, 4, 10, 12", "-2, -3, 12, 40", "15, 20, 8, 9", "-9, 20, 12, 6")
    ),
    "F.crop(turned, 1, 2, 10, 12)",
    *(
        f"[F.center_crop(x, {size}) for x in {_ALL} + [pil, rgb]]"
        for size in ("[10, 12]", "[7]", "[30, 11]", "[20, 33]", "18")
    ),
    *(
        f"[F.pad(x, {how}) for x in {_ALL} + [pil, pil_l, rgb]]"
        for how in ("3", "[1, 4]", "[1, 2, 3, 4]", "[5], fill=7")
    ),
    *(
        f"[F.pad(x, [3, 5, 2, 1], padding_mode='{mode}') for x in [image, video, mask, pil, pil_l]]"
        for mode in ("edge", "reflect", "symmetric")
    ),
    "F.pad(rgb, 2, fill=[9, 8, 7])", "F.pad(pil, 2, fill=(9, 8, 7))", "F.pad(floats, 1, fill=0.5)",
    "F.five_crop(rgb, [7, 9])", "F.ten_crop(pil, 8)", "F.ten_crop(rgb, 8, vertical_flip=True)",
    "T.Pad([1, 2], fill={tv.Image: 5, 'others': 1})([image, mask])", "T.CenterCrop(9)([pil, mask])",
]  # fmt: skip

_MODES = ["nearest", "nearest-exact", "bilinear", "bicubic"]

RESIZE = [
    *(f"F.resize(pil, [11, 30], '{mode}')" for mode in (*_MODES, "box", "hamming", "lanczos")),
    *(f"F.resize({x}, 11)" for x in ("pil", "pil_l", "mask", "masks", "xywh", "boxes", "points")),
    *(
        f"F.resize({x}, {size}, T.InterpolationMode('{mode}'), antialias={antialias})"
        for x in ("rgb", "floats")
        for size in ("[7, 9]", "[40, 31]", "[18, 10]")
        for mode in _MODES
        for antialias in (True, False)
    ),
    "F.resize(rgb, [7, 9], 'lanczos')", "F.resize(batch, 9)", "F.resize(video, [9])",
    "F.resize(wide, 20, max_size=50)", "F.resize(wide, None, max_size=32)",
    "F.resize(rgb.to(torch.int16), [7, 9])", "F.resize(floats.to(torch.float64), [7, 9])",
    "F.resized_crop(pil, 2, 3, 9, 10, [15, 15])", "F.resized_crop(rgb, 2, 3, 9, 10, [15, 15])",
    "[F.resized_crop(x, 2, 3, 9, 10, [15, 15]) for x in [mask, boxes, points]]",
    "T.Resize(9)([image, mask, boxes])", "T.Resize((5, 6), interpolation=2)(pil)",
]  # fmt: skip

BOXES = [
    *(
        f"F.convert_bounding_box_format({x}, new_format='{new}')"
        for x in ("boxes", "xywh", "cxcywh")
        for new in ("XYXY", "XYWH", "CXCYWH")
    ),
    *(
        f"F.convert_bounding_box_format({x}, new_format='{new}')"
        for x in ("turned", "F.convert_bounding_box_format(turned, new_format='CXCYWHR')",
                  "F.convert_bounding_box_format(turned, new_format='XYXYXYXY')")
        for new in ("XYWHR", "CXCYWHR", "XYXYXYXY")
    ),
    "F.clamp_bounding_boxes(boxes)", "F.clamp_bounding_boxes(xywh)",
    "F.clamp_bounding_boxes(cxcywh)", "F.clamp_bounding_boxes(boxes, clamping_mode=None)",
    "F.clamp_keypoints(points)",
    "[F.get_size(x) for x in [pil, rgb, mask, boxes, points, video]]",
    "[F.get_dimensions(x) for x in [pil, pil_l, rgb, rgb[0], video]]",
    "[F.get_num_channels(pil_l), F.get_num_channels(rgb), F.get_image_size(pil)]",
]  # fmt: skip

RANDOM = [
    "T.RandomHorizontalFlip()(rgb)", "T.RandomVerticalFlip(0.3)([image, mask, boxes])",
    "T.RandomCrop(9)(rgb)", "T.RandomCrop((18, 9))(pil)", "T.RandomCrop(20, padding=4)(rgb)",
    "T.RandomCrop([25, 30], pad_if_needed=True, padding_mode='reflect')(rgb)",
    "T.RandomCrop(12, padding=[1, 2], fill=3)([image, mask, boxes, points])",
    "T.RandomResizedCrop(10)(rgb)", "T.RandomResizedCrop((8, 9), scale=(0.3, 0.4))([pil, mask])",
    "T.RandomResizedCrop(8, ratio=(9, 10))(wide)", "T.RandomResizedCrop(8, ratio=(0.2, 0.3))(wide)",
    "T.RandomApply([T.RandomCrop(9), T.Pad(2)], p=0.6)(rgb)",
    "T.RandomChoice([T.CenterCrop(5), T.Pad(1), T.Resize(8)], p=[1, 2, 1])(rgb)",
    "T.RandomOrder([T.Pad(1), T.CenterCrop(5), T.RandomHorizontalFlip()])(rgb)",
]  # fmt: skip

_BOXES = "torch.tensor([[2, 3, 9, 12], [5, 1, 20, 8]])"
_TRUTHS = "torch.from_numpy(pixels[..., :2].transpose(2, 0, 1) > 100)"
_DOTS = "torch.tensor([[[3.0, 4], [9, 12], [15, 4]], [[20, 15], [10, 10], [4, 16]]])"

PICTURES = [
    *(
        f"U.make_grid({how})"
        for how in ("batch", "batch, nrow=1, padding=3, pad_value=9", "floats[0]", "grey",
                    "[rgb] * 5",
                    "floats * 3 - 1, normalize=True", "[floats, floats * 0.5], normalize=True",
                    "[floats, floats * 0.5], normalize=True, scale_each=True",
                    "floats[:, None], 2, 1, True, (0.2, 0.7)")
    ),
    *(f"U.draw_bounding_boxes({x}, {_BOXES})" for x in ("rgb", "grey", "floats")),
    f"U.draw_bounding_boxes(rgb, {_BOXES}, colors=['red', (9, 200, 8)], width=2)",
    f"U.draw_bounding_boxes(rgb, {_BOXES}, colors='#ff8800', fill=True)",
    f"U.draw_bounding_boxes(rgb, {_BOXES}, ['cat', None])",
    f"U.draw_bounding_boxes(rgb, {_BOXES}, ['a', 'b'], fill_labels=True, label_colors='white',"
    " label_background_colors=['navy', 'green'])",
    *(f"U.draw_segmentation_masks({x}, {_TRUTHS}{how})" for x in ("rgb", "floats")
      for how in ("", "[0], 0.4, 'red'", ", colors=['blue', (1, 2, 3)]")),
    f"U.draw_keypoints(rgb, {_DOTS}, colors='red')",
    f"U.draw_keypoints(floats, {_DOTS}, [(0, 1), (1, 2)], (9, 99, 200), 1, 2,"
    " torch.tensor([[True, True, False], [True, True, True]]))",
    *(
        f"IO.decode_png(IO.encode_png({x}), {mode})"
        for x in ("rgb", "grey")
        for mode in ("IO.ImageReadMode.UNCHANGED", "IO.ImageReadMode.GRAY", "IO.ImageReadMode.RGB",
                     "IO.ImageReadMode.GRAY_ALPHA", "IO.ImageReadMode.RGB_ALPHA")
    ),
    "IO.decode_jpeg(IO.encode_jpeg(wide, quality=90))", "IO.encode_jpeg(wide)",
    "IO.decode_jpeg(IO.encode_jpeg(grey))", "IO.decode_image(IO.encode_png(rgb), 'RGB')",
    "IO.decode_jpeg(IO.encode_jpeg(wide), IO.ImageReadMode.GRAY)",
]  # fmt: skip

_FACTORS = {
    "brightness": (0.0, 0.6, 1.7), "contrast": (0.0, 0.6, 1.7), "saturation": (0.0, 0.6, 1.7),
    "sharpness": (0.0, 0.6, 2.0), "hue": (-0.5, -0.21, 0.0, 0.37), "gamma": (0.5, 1.0, 2.2),
}  # fmt: skip

COLOR = [
    *(f"F.rgb_to_grayscale({x}, {n})" for x in ("pil", "rgb", "floats", "grey") for n in (1, 3)),
    "[F.grayscale_to_rgb(x) for x in [pil_l, pil, grey, rgb]]",
    *(
        f"[F.adjust_{name}(x, {factor}) for x in [pil, pil_l, rgb, floats[:, :9], grey]]"
        for name, factors in _FACTORS.items()
        for factor in factors
    ),
    "F.adjust_gamma(rgb, 0.8, gain=1.5)", "F.adjust_gamma(pil, 0.8, gain=1.1)",
    *(
        f"[F.{call} for x in [pil, pil_l, rgb, grey]]"
        for call in ("invert(x)", "posterize(x, 3)", "solarize(x, 90)", "autocontrast(x)",
                     "equalize(x)")
    ),
    *(
        f"[F.{call} for x in [floats, floats[:1]]]"
        for call in ("invert(x)", "posterize(x, 2)", "solarize(x, 0.4)", "autocontrast(x)",
                     "equalize(x)")
    ),
    "F.autocontrast(rgb * 0 + 9)", "F.equalize(rgb * 0 + 9)", "F.equalize(wide // 100)",
    "F.invert(rgb.to(torch.int16))", "F.posterize(rgb, 0)", "F.posterize(rgb, 8)",
    "F.permute_channels(rgb, [2, 0, 1])", "F.permute_channels(pil, [2, 1, 0])",
    *(
        f"[F.gaussian_blur(x, {how}) for x in [rgb, floats[:, :9], batch]]"
        for how in ("3", "[5, 3]", "[7, 5], [2.0, 0.7]", "3, 0.4")
    ),
    "[F.gaussian_blur(x, 5) for x in [pil, pil_l]]",
    "[F.adjust_saturation(x, 0.5) for x in [image, video]]",
    "T.Grayscale(3)([image, mask])", "T.RGB()(pil_l)",
    "T.ConvertBoundingBoxFormat('XYWH')([image, boxes])", "T.ClampBoundingBoxes()(boxes)",
    "T.ClampKeyPoints()(points)", "T.CenterCrop(9)(T.SetClampingMode(None)(boxes))",
]  # fmt: skip

RANDOM_COLOR = [
    "T.ColorJitter(0.4, 0.4, 0.4, 0.2)(rgb)", "T.ColorJitter(0.4, 0.4, 0.4, 0.2)(pil)",
    "T.ColorJitter(contrast=(0.2, 0.8), hue=0.1)([image, mask])", "T.RandomGrayscale(0.5)(rgb)",
    "T.RandomPhotometricDistort()(rgb)", "T.RandomChannelPermutation()(rgb)",
    "T.RandomInvert()(rgb)", "T.RandomPosterize(3)(pil)", "T.RandomSolarize(100)(rgb)",
    "T.RandomAdjustSharpness(2)(rgb)", "T.RandomAutocontrast()(pil)", "T.RandomEqualize()(rgb)",
    "T.GaussianBlur(3)(rgb)", "T.GaussianBlur((5, 3), 0.8)(floats)",
]  # fmt: skip

_PICTURES = "[pil, pil_l, rgb, floats[:1], image, video, mask, masks]"
_COEFFICIENTS = "[1.05, 0.1, -1.5, -0.05, 0.95, 0.8, 0.002, -0.003]"

_PERSPECTIVES = (
    f"perspective(x, None, None, coefficients={_COEFFICIENTS})",
    "perspective(x, [[0, 0], [24, 0], [24, 17], [0, 17]], [[2, 3], [22, 1], [20, 16], [1, 14]])",
)
_TURNS = (
    "rotate(x, 30)", "rotate(x, 200, center=[3, 12])", "rotate(x, 90)", "rotate(x, 180)",
    "rotate(x, 0)", "affine(x, 25, [2, -3], 0.8, [10, -5])", "affine(x, -140, [0, 0], 1.4, [0])",
    "affine(x, 0, [5, 1], 1.0, 20, center=[0, 0])",
)  # fmt: skip
_EXPANDED = (
    "rotate(x, -75.5, expand=True)", "rotate(x, 90, expand=True)", "rotate(x, 270, expand=True)",
)  # fmt: skip

WARP = [
    *(f"[F.{call} for x in {_PICTURES}]" for call in (*_TURNS, *_EXPANDED, *_PERSPECTIVES)),
    *(f"[F.{call} for x in [boxes, xywh, cxcywh, points]]" for call in _TURNS),
    *(f"[F.{call} for x in [xywh, points]]" for call in _PERSPECTIVES),
    *(
        f"[F.{call} for x in [pil, rgb, floats, batch]]"
        for call in (
            "rotate(x, 33, 'bilinear', fill=0.5)", "rotate(x, 33, 'bilinear')",
            "rotate(x, 33, fill=[9, 8, 7])", "affine(x, 25, [2, -3], 0.8, [10, -5], 'bilinear')",
            "affine(x, 25, [2, -3], 0.8, [10, -5], 'nearest', fill=1)",
            f"perspective(x, None, None, 'nearest', coefficients={_COEFFICIENTS})",
            f"perspective(x, None, None, fill=[1, 2, 3], coefficients={_COEFFICIENTS})",
        )
    ),
    "F.rotate(mask, 40, fill=3)", "F.rotate(pil, 40, 'bicubic')",
    "F.erase(rgb, 2, 3, 5, 6, torch.tensor([9, 8, 7])[:, None, None])",
    "F.erase(pil, 2, 3, 5, 6, torch.tensor([[[9.0]]]))", "F.jpeg(rgb, 30)", "F.jpeg(batch, 80)",
    "F.jpeg(pil, 50)",
]  # fmt: skip

RANDOM_WARP = [
    "T.RandomRotation(40)([pil, mask, boxes, points])",
    "T.RandomRotation((10, 80), expand=True)(rgb)",
    "T.RandomAffine(30, (0.2, 0.1), (0.7, 1.3), 20, fill=9)([image, mask, boxes])",
    "T.RandomAffine(0, shear=(-9, 9, -5, 5), interpolation='bilinear')(floats)",
    "T.RandomPerspective(0.4, p=1)([image, mask, points])", "T.RandomPerspective()(pil)",
    "T.RandomErasing(1)(rgb)", "T.RandomErasing(value='random')(floats)",
    "T.RandomErasing(1, (0.3, 0.9), (0.5, 0.6), (1, 2, 3))([pil])", "T.JPEG((10, 90))(rgb)",
]  # fmt: skip

RANDOM_POLICIES = [
    *(f"T.AutoAugment(T.AutoAugmentPolicy.{name})({x})" for name in ("IMAGENET", "CIFAR10", "SVHN")
      for x in ("pil", "rgb")),
    *(f"T.RandAugment(3, {m}, fill=9)({x})" for m in (5, 20) for x in ("pil", "rgb")),
    *(f"T.AugMix({how})({x})" for how in ("", "6, 2, 2, 0.4, False") for x in ("pil", "rgb")),
    *(f"T.TrivialAugmentWide(interpolation='bilinear')({x})" for x in ("pil", "rgb", "pil")),
    "T.RandAugment()([image, 5])", "T.TrivialAugmentWide(9)(video)",
]  # fmt: skip

GRADIENTS = [
    f"slope(lambda x: {call}, floats[:, :12, :13].to(torch.float64))"
    for call in (
        "F.normalize(x, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25])",
        "F.hflip(x) * x",
        "F.resize(x, [7, 9])",
        "F.resize(x, [17, 5], 'bicubic', antialias=False)",
        "F.resize(x, [5, 9], 'nearest')",
        "F.pad(x, [2, 3], padding_mode='reflect')",
        "F.pad(x, 2, fill=[0.1, 0.2, 0.3])",
        "F.crop(x, -1, 2, 9, 20)",
        "F.resized_crop(x, 2, 3, 9, 8, [4, 5])",
        "F.rgb_to_grayscale(x)",
        "F.adjust_brightness(x, 1.3)",
        "F.adjust_contrast(x, 0.6)",
        "F.adjust_saturation(x, 1.4)",
        "F.adjust_gamma(x + 0.1, 0.7)",
        "F.invert(x)",
        "F.gaussian_blur(x, 3)",
        "F.to_dtype(x, torch.float32).to(torch.float64)",
    )
]

_TILTED = "tv.BoundingBoxes(tilted, format='CXCYWHR', canvas_size=(18, 25), clamping_mode='{}')"

TURNED = [
    *(f"F.clamp_bounding_boxes({_TILTED.format(mode)})" for mode in ("soft", "hard")),
    *(f"F.clamp_bounding_boxes(F.convert_bounding_box_format({_TILTED.format(mode)},"
      f" new_format='{format}'))" for mode in ("soft", "hard") for format in ("XYWHR", "XYXYXYXY")),
    f"F.crop({_TILTED.format('soft')}, 2, 3, 9, 12)", f"F.pad({_TILTED.format('hard')}, 2)",
]  # fmt: skip

_LABELLED = "[image, {'boxes': boxes, 'labels': torch.tensor([3, 4, 5]), 'masks': masks3}]"
_BATCH = "batch.to(torch.float32) / 255, torch.tensor([1, 4])"

DETECTION = [
    f"T.SanitizeBoundingBoxes()({_LABELLED})", f"T.SanitizeBoundingBoxes(4, 30)({_LABELLED})",
    "T.SanitizeBoundingBoxes(labels_getter=None)([image, xywh])",
    "F.sanitize_bounding_boxes(boxes)", "F.sanitize_keypoints(points)",
    "F.sanitize_bounding_boxes(torch.tensor([[1, 2, 3, 4], [5, 5, 1, 1]]), 'XYWH', (9, 8))",
    "T.SanitizeKeyPoints(lambda x: x[1])([points, torch.tensor([7, 8, 9])])",
    "T.LinearTransformation(torch.eye(12) * 2, torch.ones(12))(floats[:, :2, :2])",
    "T.UniformTemporalSubsample(3)(tv.Video(torch.arange(7 * 6).reshape(7, 1, 2, 3)))",
    "F.uniform_temporal_subsample(video, 5)",
    *(f"[F.elastic(x, displacement{how}) for x in [pil, rgb, floats, mask, image]]"
      for how in ("", ", 'nearest'", ", fill=[0.5]")),
    "[F.elastic(x, displacement) for x in [boxes, xywh, cxcywh, points]]",
    "[T.query_size([image, 3, boxes]), T.query_chw([image, masks])]",
    "[T.has_any([1, image], tv.Mask, tv.Image), T.has_all([1, image], tv.Mask, int)]",
]  # fmt: skip

RANDOM_DETECTION = [
    *(f"T.RandomIoUCrop({how})([{x}, boxes, masks3])" for how in ("", "0.5, sampler_options=[0.1]")
      for x in ("pil", "image")),
    "T.RandomZoomOut()([image, boxes, mask])", "T.RandomZoomOut(9, (1, 2), 1)(pil)",
    "T.ScaleJitter((20, 30))([image, boxes])", "T.RandomResize(9, 20)(rgb)",
    "T.RandomShortestSize([9, 12], 15)([pil, mask])",
    "T.ElasticTransform(sigma=1)([image, boxes, mask])", "T.ElasticTransform((20, 9), [1, 2])(pil)",
    "T.GaussianNoise(0.1, 0.3)(floats)", "T.GaussianNoise(clip=False)(image)",
    *(f"T.{f}(num_classes=6)({_BATCH})" for f in ("MixUp", "CutMix")),
    f"T.CutMix(alpha=0.4, num_classes=6)({_BATCH})", f"T.MixUp(alpha=5.0, num_classes=6)({_BATCH})",
    "T.CutMix()({'images': tv.Image(batch), 'labels': torch.eye(3)[:2]})",
]  # fmt: skip

RANDOM_REST = [
    *(f"T.FiveCrop({size})({x})" for size in (8, "(6, 9)") for x in ("rgb", "pil")),
    "T.TenCrop(8, vertical_flip=True)(rgb)", "T.TenCrop((6, 9))(pil)", "T.Identity()([image, 3])",
    "T.Lambda(lambda x: x * 2, tv.Image)([image, mask])", "T.Lambda(lambda x: x, tv.Mask)(image)",
    "F.elastic_transform(floats, displacement)", "F.gaussian_noise(floats, 0.1, 0.2)",
    "F.get_image_num_channels(pil)", "F.get_num_frames(video)", "F.is_pure_tensor(rgb)",
    "F.is_pure_tensor(image)", "F.to_grayscale(pil, 3)", "T.check_type(pil, (tv.Image,))",
    "T.get_bounding_boxes([image, boxes])", "T.get_keypoints([image, points])",
]  # fmt: skip

GROUPS = {
    "conversion": CONVERSION, "values": VALUES, "geometry": GEOMETRY, "resize": RESIZE,
    "boxes": BOXES, "random": RANDOM, "color": COLOR, "random_color": RANDOM_COLOR,
    "pictures": PICTURES, "gradients": GRADIENTS, "warp": WARP, "random_warp": RANDOM_WARP,
    "random_policies": RANDOM_POLICIES, "detection": DETECTION, "turned": TURNED,
    "random_detection": RANDOM_DETECTION, "random_rest": RANDOM_REST,
}  # fmt: skip
SEEDS = 4


def arrays(result):
    """The numbers in a result, however nested, in order."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for item in result for array in arrays(item)]
    if hasattr(result, "canvas_size"):
        return [result.numpy(), np.array(result.canvas_size)]
    return [np.asarray(result)]


def evaluate(group, case, torch, transforms, tv_tensors, utils, io):
    """The arrays that a case gives; those of random ones, for several seeds.

    `slope` is the gradient of a weighted sum of a function.
    """

    def slope(function, x):
        x = x.clone().requires_grad_()
        out = function(x)
        (out * torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)).sum().backward()
        return x.grad

    scope = {
        "torch": torch, "T": transforms, "F": transforms.functional, "tv": tv_tensors, "U": utils,
        "IO": io, "slope": slope,
    }  # fmt: skip
    results = []
    for seed in range(SEEDS * (2 if "policies" in group else 1) if "random" in group else 1):
        torch.manual_seed(seed)
        results += arrays(eval(case, scope | inputs(torch, tv_tensors)))
    return results
