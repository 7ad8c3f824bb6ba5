"""Transforms: which parts of a sample change, errors, gradients, types of one's own."""

import pickle
from collections import namedtuple

import numpy as np
import PIL.Image
import pytest

import tallow
from tallowvision import transforms, tv_tensors
from tallowvision.transforms import functional as F
from tallowvision.transforms.functional._values import normalize_values


def image(*shape):
    return tallow.arange(int(np.prod(shape))).reshape(shape).to(tallow.uint8)


def test_one_implementation_under_two_names():
    from tallowvision.transforms import v2

    assert v2.Resize is transforms.Resize and v2.functional.resize is F.resize


Sample = namedtuple("Sample", "picture rest")


def test_any_tree_is_a_sample():
    picture, flip = tv_tensors.Image(image(1, 2, 2)), transforms.RandomHorizontalFlip(p=1)
    flipped = flip({"a": [picture, "text"], "b": (1, None)})
    assert flipped["a"][0].tolist() == [[[1, 0], [3, 2]]]
    assert flipped["a"][1] == "text" and flipped["b"] == (1, None)
    flipped = flip(Sample(picture, {"n": 2}))
    assert isinstance(flipped, Sample) and flipped.rest == {"n": 2}
    picture, label = flip(picture, 7)
    assert picture.tolist() == [[[1, 0], [3, 2]]] and label == 7


def test_only_the_first_plain_tensor_is_an_image():
    flip = transforms.RandomHorizontalFlip(p=1)
    first, second = flip(image(1, 1, 2), tallow.tensor([5, 6]))
    assert first.tolist() == [[[1, 0]]] and second.tolist() == [5, 6]
    pil, plain = flip(PIL.Image.new("L", (2, 2)), tallow.tensor([5, 6]))
    assert plain.tolist() == [5, 6]


def test_types_stay():
    boxes = tv_tensors.BoundingBoxes([[1, 1, 2, 3]], format="XYXY", canvas_size=(4, 5))
    sample = [tv_tensors.Image(image(1, 4, 5)), tv_tensors.Mask(image(4, 5)), boxes]
    made = transforms.Compose([transforms.Pad(1), transforms.RandomCrop(3)])(sample)
    assert [type(x) for x in made] == [tv_tensors.Image, tv_tensors.Mask, tv_tensors.BoundingBoxes]
    assert made[2].canvas_size == (3, 3)


def test_a_type_of_ones_own_passes_until_it_has_a_kernel():
    class Heat(tv_tensors.TVTensor):
        pass

    heat, pad = Heat([[1.0, 2.0]]), transforms.Pad(1)
    assert pad([tv_tensors.Image(image(1, 1, 2)), heat])[1] is heat
    with pytest.raises(TypeError, match="pad: expected one of .*, got Heat"):
        F.pad(heat, 1)
    F.register_kernel(F.pad, Heat)(lambda heat, padding, fill, padding_mode: heat * 0)
    assert pad([tv_tensors.Image(image(1, 1, 2)), heat])[1].tolist() == [[0, 0]]


def test_boxes_follow_the_picture():
    """The box around a white patch is around it after the transforms as well."""
    pixels = tallow.zeros(1, 12, 17)
    pixels[:, 3:7, 5:11] = 1
    boxes = tv_tensors.BoundingBoxes([[5, 3, 11, 7]], format="XYXY", canvas_size=(12, 17))
    points = tv_tensors.KeyPoints([[5, 3]], canvas_size=(12, 17))
    changes = [
        F.hflip, F.vflip, lambda x: F.pad(x, [1, 2, 3, 4]), lambda x: F.crop(x, 1, 2, 9, 14),
        lambda x: F.crop(x, -3, -1, 20, 20), lambda x: F.center_crop(x, [15, 22]),
        lambda x: F.center_crop(x, [11, 14]), lambda x: F.center_crop(x, [9, 20]),
    ]  # fmt: skip
    for change in changes:
        shown, (left, top, right, bottom) = change(pixels), change(boxes)[0].tolist()
        assert shown[:, top:bottom, left:right].min() == 1 and shown.sum() == 24
        x, y = change(points)[0].tolist()
        assert (x, y) in [(a, b) for a in (left, right - 1) for b in (top, bottom - 1)]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: F.rotate(x, 25, expand=True), lambda x: F.rotate(x, 90, expand=True),
        lambda x: F.rotate(x, -70, center=[12, 9], expand=True), lambda x: F.rotate(x, 180),
        lambda x: F.rotate(x, 35, center=[20, 22]), lambda x: F.rotate(x, 270, expand=True),
        lambda x: F.affine(x, 15, [3, -2], 0.8, [10, 5]),
        lambda x: F.perspective(x, [[0, 0], [40, 0], [40, 32], [0, 32]],
                                [[3, 2], [38, 1], [36, 30], [1, 31]]),
    ],
)  # fmt: skip
def test_boxes_follow_the_warped_picture(change):
    """The box lies around all of the white patch, and closely; so does its centre as a point."""
    pixels = tallow.zeros(1, 33, 41)
    pixels[:, 14:22, 15:27] = 1
    boxes = tv_tensors.BoundingBoxes([[15.0, 14, 27, 22]], format="XYXY", canvas_size=(33, 41))
    points = tv_tensors.KeyPoints([[21.0, 18]], canvas_size=(33, 41))
    shown, box, point = change(pixels)[0].numpy(), change(boxes), change(points)
    assert shown.shape == box.canvas_size == point.canvas_size
    rows, columns = np.nonzero(shown)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(box[0].numpy(), found, atol=1.2)
    middle = [columns.mean() + 0.5, rows.mean() + 0.5]
    np.testing.assert_allclose(point[0].numpy(), middle, atol=0.4)


def test_a_crop_far_outside_is_black_and_of_its_size():
    assert F.crop(image(3, 4, 5) + 1, -9, 30, 5, 6).tolist() == tallow.zeros(3, 5, 6).tolist()


def test_resize_has_gradients():
    x = tallow.rand(1, 5, 7, dtype=tallow.float64).requires_grad_()
    weights = tallow.rand(1, 3, 4, dtype=tallow.float64)
    (F.resize(x, [3, 4], "bicubic") * weights).sum().backward()
    step = tallow.zeros_like(x).detach()
    step[0, 2, 3] = 1e-3
    change = (F.resize(x + step, [3, 4], "bicubic") - F.resize(x, [3, 4], "bicubic")) * weights
    np.testing.assert_allclose(x.grad[0, 2, 3].item(), change.sum().item() / 1e-3, rtol=1e-9)


def test_a_pipeline_can_be_pickled():
    """As it must be to be sent to the processes that load data."""
    pipeline = transforms.Compose([
        transforms.RandomResizedCrop(4), transforms.RandomVerticalFlip(), transforms.RandAugment(),
        transforms.ColorJitter(0.4), transforms.ToDtype(tallow.float32, scale=True),
        transforms.Normalize([0.5] * 3, [0.2] * 3), transforms.RandomErasing(1),
    ])  # fmt: skip
    again = pickle.loads(pickle.dumps(pipeline))
    results = []
    for transform in (pipeline, again):
        tallow.manual_seed(3)
        results.append(transform(image(3, 8, 9)))
    assert tallow.equal(*results) and results[0].shape == (3, 4, 4)


def test_empty_batches():
    assert F.resize(tallow.zeros(0, 3, 4, 4), [2, 3]).shape == (0, 3, 2, 3)
    assert F.hflip(tallow.zeros(0, 3, 4, 4)).shape == (0, 3, 4, 4)


def test_repr():
    made = transforms.Compose([transforms.Resize(4), transforms.RandomCrop(2, padding=1)])
    assert repr(made).split("\n") == [
        "Compose(",
        "      Resize(size=[4], interpolation=bilinear, antialias=True)",
        "      RandomCrop(size=[2, 2], padding=(1, 1, 1, 1), pad_if_needed=False, fill=0, "
        "padding_mode=constant)",
        ")",
    ]


def test_methods_keep_types_where_wanted():
    picture = tv_tensors.Image(image(1, 2, 2))
    with tv_tensors.set_return_type("TVTensor"):
        assert isinstance(1 - picture.float() / 2, tv_tensors.Image)
        box = BOX + 1
        assert box.canvas_size == BOX.canvas_size and box.format is BOX.format
        assert type(picture.sum()) is tallow.Tensor and type(picture > 1) is tallow.Tensor
    assert type(picture.float() / 2) is tallow.Tensor


def test_turned_boxes_are_sanitized_by_their_own_sides():
    boxes = [[5.0, 5, 4, 0.5, 30], [5, 5, 4, 2, 30], [1, 5, 4, 2, 0], [9, 9, 4, 2, 45]]
    boxes = tv_tensors.BoundingBoxes(boxes, format="CXCYWHR", canvas_size=(10, 10))
    kept, valid = F.sanitize_bounding_boxes(boxes)
    assert valid.tolist() == [False, True, False, False]
    assert kept.format is boxes.format and len(kept) == 1


def test_hard_clamped_boxes_lie_on_the_canvas_and_soft_ones_around_what_did():
    boxes = tallow.tensor([[1.0, 5, 8, 4, 30], [9, 9, 6, 3, -50], [5, 0, 7, 5, 10]]).double()
    for mode in ("soft", "hard"):
        cut = F.clamp_bounding_boxes(boxes, "CXCYWHR", (10, 10), mode)
        np.testing.assert_allclose(cut[:, 4] % 90, boxes[:, 4] % 90, atol=1e-9)
        assert (cut[:, 2] * cut[:, 3] <= boxes[:, 2] * boxes[:, 3] + 1e-9).all()
        corners = F.convert_bounding_box_format(cut, "CXCYWHR", "XYXYXYXY")
        if mode == "hard":
            assert corners.min() >= -1e-9 and corners.max() <= 10 + 1e-9


BOX = tv_tensors.BoundingBoxes([[1, 1, 2, 2]], format="XYXY", canvas_size=(3, 3))
ERRORS = [
    (lambda: F.normalize(image(3, 2, 2), [0.5], [0.5]), TypeError, "expected a floating-point"),
    (lambda: F.normalize(tallow.ones(2, 2), [0.5], [0.5]), RuntimeError, "C, H, W"),
    (lambda: F.normalize(tallow.ones(3, 2, 2), [0.5], [0.0]), ValueError, "std above 0"),
    (lambda: F.normalize(tallow.ones(3, 2, 2), [0.5, 1], [1.0]), RuntimeError, "3 channels, got 2"),
    (lambda: F.equalize(tallow.ones(3, 2, 2) * 2), ValueError, "equalize: .* from 2 to 2; undo"),
    (lambda: F.crop(tallow.ones(3), 0, 0, 1, 1), RuntimeError, r"expected \(\.\.\., H, W\)"),
    (lambda: F.to_tensor([1, 2]), TypeError, "got list"),
    (lambda: F.to_tensor(np.zeros(3)), RuntimeError, r"float64 \(3,\)"),
    (lambda: F.to_pil_image(tallow.ones(3, 2, 2) * 1.5), ValueError, "from 1.5 to 1.5; undo"),
    (lambda: F.to_pil_image(tallow.ones(5, 2, 2)), RuntimeError, "1 to 4 channels"),
    (lambda: F.to_pil_image(image(3, 2, 2), mode="L"), ValueError, "expected mode RGB"),
    (lambda: F.to_pil_image(image(3, 2, 2).int()), TypeError, "expected uint8"),
    (lambda: F.to_dtype(tallow.ones(1, 2, 2), tallow.int64, True), RuntimeError, "can hold"),
    (lambda: F.resize(tallow.ones(1, 4, 4), [2, 3, 4]), ValueError, "height, width"),
    (lambda: F.resize(tallow.ones(1, 4, 4), [2, 3], max_size=4), ValueError, "max_size only"),
    (lambda: F.resize(tallow.ones(1, 4, 4), 3, max_size=2), ValueError, "above size 3"),
    (lambda: F.resize(tallow.ones(1, 4, 4), 3, "cubic"), ValueError, "bicubic, .*got 'cubic'"),
    (lambda: F.resize(tallow.ones(1, 4, 4), 3, "box"), NotImplementedError, "Pillow images"),
    (lambda: F.pad(tallow.ones(1, 4, 4), [1, 2, 3]), ValueError, "one, two or four"),
    (lambda: F.pad(tallow.ones(1, 4, 4), 1, padding_mode="wrap"), ValueError, "'wrap'"),
    (lambda: F.pad(tallow.ones(3, 4, 4), 1, fill=[1, 2]), ValueError, "a fill for each"),
    (lambda: F.hflip("picture"), TypeError, "horizontal_flip: expected one of .*got str"),
    (lambda: F.five_crop(image(1, 3, 3), 4), ValueError, r"within the picture's \[3, 3\]"),
    (lambda: transforms.RandomCrop(5)(image(1, 3, 3)), ValueError, r"got \[5, 5\]"),
    (lambda: transforms.RandomCrop(5)("text"), TypeError, "with a picture or a target"),
    (lambda: transforms.RandomHorizontalFlip(1.2), ValueError, "p from 0 to 1, got 1.2"),
    (lambda: transforms.Compose([]), ValueError, "at least one transform"),
    (lambda: transforms.Compose(abs), TypeError, "sequence of transforms"),
    (lambda: transforms.RandomChoice([abs], p=[1, 2]), ValueError, "1 weights p, got 2"),
    (lambda: transforms.Normalize([0.5], [1])(PIL.Image.new("L", (2, 2))), TypeError, "ToTensor"),
    (lambda: transforms.ToDtype({tv_tensors.Mask: tallow.int64})(image(1, 2, 2)), ValueError,
     "others"),
    (lambda: transforms.RandomResizedCrop(3, scale=(2, 1)), ValueError, "scale as"),
    (lambda: transforms.Lambda(3), TypeError, "expected a function"),
    (lambda: transforms.Transform()(image(1, 2, 2)), NotImplementedError, "define transform"),
    (lambda: F.rotate(tallow.ones(1, 4, 4), 10, "bicubic"), NotImplementedError, "use nearest or"),
    (lambda: F.rotate(tallow.ones(3, 4, 4), 10, fill=[1, 2]), ValueError, "one fill or 3 of them"),
    (lambda: F.affine(image(1, 3, 3), 0, [1], 1.0, 0), ValueError, "translate of two numbers"),
    (lambda: F.affine(image(1, 3, 3), 0, [0, 0], 0.0, 0), ValueError, "scale above 0, got 0.0"),
    (lambda: F.perspective(image(1, 3, 3), None, None), ValueError, "and endpoints, or"),
    (lambda: F.perspective(image(1, 3, 3), [[0, 0]], [[0, 0]]), ValueError, "four corners, got 1"),
    (lambda: F.perspective(image(1, 3, 3), [[0, 0]] * 4, [[0, 0]] * 4), ValueError, "in a line"),
    (lambda: transforms.RandomRotation(-3), ValueError, "0 or more, got -3"),
    (lambda: transforms.RandomRotation((1, 2, 3)), ValueError, "a number or 2 of them"),
    (lambda: transforms.RandomAffine(0, (0, 2)), ValueError, "two parts from 0 to 1"),
    (lambda: transforms.RandomAffine(0, scale=(0, 2)), ValueError, "above 0"),
    (lambda: transforms.RandomPerspective(2), ValueError, "from 0 to 1, got 2"),
    (lambda: transforms.RandomErasing(scale=(0.5, 2)), ValueError, "scale .min, max. from 0"),
    (lambda: transforms.RandomErasing(value="noise"), ValueError, "'random' or numbers"),
    (lambda: transforms.RandomErasing(1, value=(1, 2))(image(3, 9, 9)), ValueError, "3 values"),
    (lambda: transforms.JPEG(0), ValueError, "from 1 to 100, got 0"),
    (lambda: F.adjust_hue(image(3, 3, 3), 0.6), ValueError, "from -0.5 to 0.5, got 0.6"),
    (lambda: F.adjust_contrast(image(2, 3, 3), 0.6), TypeError, "1 or 3 channels, got uint8"),
    (lambda: F.adjust_brightness(image(3, 3, 3), -1), ValueError, "0 or more, got -1"),
    (lambda: F.posterize(image(3, 3, 3), 9), TypeError, "bits from 0 to 8, got 9"),
    (lambda: F.solarize(image(3, 3, 3), 256), TypeError, "up to 255, got 256"),
    (lambda: F.gaussian_blur(image(3, 3, 3), 4), ValueError, "odd sizes above 0, got 4"),
    (lambda: F.gaussian_blur(image(3, 3, 3), 3, 0.0), ValueError, "sigma above 0"),
    (lambda: F.permute_channels(image(3, 3, 3), [1, 0]), RuntimeError, "3 channel numbers, got 2"),
    (lambda: F.rgb_to_grayscale(image(3, 3, 3), 2), ValueError, "1 or 3 output channels"),
    (lambda: transforms.ColorJitter(-1), ValueError, "brightness: expected 0 or more"),
    (lambda: transforms.ColorJitter(hue=0.7), ValueError, "from -0.5 to 0.5, got"),
    (lambda: transforms.GaussianBlur(3, (2, 1)), ValueError, "sigma as .min, max."),
    (lambda: transforms.AutoAugment("imagenet"), ValueError, "got 'imagenet'"),
    (lambda: transforms.RandAugment(magnitude=31), ValueError, "below 31, got 2 and 31"),
    (lambda: transforms.RandAugment()(3), TypeError, "one picture in a sample, got 0"),
    (lambda: transforms.TrivialAugmentWide()([image(3, 3, 3), tv_tensors.Mask(image(3, 3))]),
     TypeError, "a picture only, got boxes, masks"),
    (lambda: transforms.AugMix(11), ValueError, "severity from 1 to 10, got 11"),
    (lambda: transforms.ElasticTransform([1, 2, 3]), ValueError, "alpha: expected a number or two"),
    (lambda: F.elastic(image(3, 4, 4), tallow.zeros(1, 4, 5, 2)), ValueError, r"\(1, 4, 4, 2\)"),
    (lambda: F.gaussian_noise(image(3, 3, 3), sigma=-1), ValueError, "sigma of 0 or more"),
    (lambda: F.gaussian_noise(image(3, 3, 3).int()), NotImplementedError, "float or uint8"),
    (lambda: transforms.RandomZoomOut(side_range=(0.5, 2)), ValueError, "from 1 on"),
    (lambda: transforms.RandomIoUCrop()(image(3, 3, 3)), TypeError, "an image and boxes"),
    (lambda: transforms.SanitizeBoundingBoxes(0), ValueError, "of 1 or more, got 0 and 1.0"),
    (lambda: transforms.SanitizeBoundingBoxes()([image(3, 3, 3), {"boxes": BOX}]), ValueError,
     "a key with labels"),
    (lambda: transforms.SanitizeBoundingBoxes()([BOX, 3]), ValueError, "a dict, or a pair"),
    (lambda: transforms.SanitizeBoundingBoxes()([BOX, {"labels": [1]}]), ValueError, "got int"),
    (lambda: transforms.SanitizeBoundingBoxes()([BOX, tallow.zeros(3)]), RuntimeError,
     "for each of 1 targets"),
    (lambda: transforms.SanitizeBoundingBoxes(labels_getter="x"), ValueError, "None or 'default'"),
    (lambda: transforms.SanitizeKeyPoints()(image(3, 3, 3)), ValueError, "with KeyPoints, got"),
    (lambda: F.sanitize_bounding_boxes(tallow.zeros(2, 4)), ValueError, "with plain tensors"),
    (lambda: F.sanitize_keypoints(tallow.zeros(2, 2)), ValueError, "with plain tensors"),
    (lambda: transforms.LinearTransformation(tallow.eye(3), tallow.ones(2)), ValueError, "(2, 2)"),
    (lambda: transforms.LinearTransformation(tallow.eye(3), tallow.ones(3))(image(1, 2, 2)),
     ValueError, "images of 3 numbers"),
    (lambda: transforms.MixUp()(tallow.rand(2, 3, 4, 4), tallow.tensor([0, 1])), ValueError,
     "expected num_classes"),
    (lambda: transforms.MixUp(num_classes=3)(tallow.rand(2, 3, 4, 4), tallow.zeros(2, 4)),
     ValueError, r"labels \(N, 3\)"),
    (lambda: transforms.CutMix(num_classes=3)(tallow.rand(3, 4, 4), tallow.tensor([0, 1, 2])),
     ValueError, "a batch of 4 dims for 3 labels"),
    (lambda: transforms.MixUp(num_classes=3)(image(2, 3, 4, 4), tallow.tensor([0, 1])), ValueError,
     "floating-point images"),
    (lambda: transforms.CutMix()(PIL.Image.new("L", (2, 2)), tallow.zeros(1, 2)), ValueError,
     "got PIL images"),
    (lambda: tv_tensors.set_return_type("Image"), ValueError, "'Tensor' or 'TVTensor'"),
    (lambda: transforms.query_size([3]), TypeError, "a picture or a target"),
    (lambda: transforms.query_chw([image(3, 3, 3), image(1, 3, 3)]), ValueError, "one size"),
    (lambda: transforms.CenterCrop([1, 2, 3]), ValueError, "CenterCrop: expected an int"),
    (lambda: tv_tensors.Image([1, 2]), RuntimeError, "Image: expected"),
    (lambda: tv_tensors.BoundingBoxes([[[1]]], format="XYXY", canvas_size=(2, 2)), RuntimeError,
     "expected .N, K."),
    (lambda: tv_tensors.BoundingBoxes([1, 2, 3, 4], format="XXYY", canvas_size=(2, 2)),
     ValueError, "expected one of XYXY"),
    (lambda: tv_tensors.KeyPoints([[1, 2, 3]], canvas_size=(2, 2)), RuntimeError, "got int64"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, tallow.errors.TallowError)


@pytest.mark.parametrize("dtype", [tallow.uint8, tallow.float32, tallow.int16])
@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 3, 40, 30), (3, 1, 0)])
def test_presets_normalize_in_one_pass(dtype, shape):
    """Bytes are scaled and normalized at once, to the last bit as one after the other."""
    image = tallow.randint(0, 256, shape, dtype=tallow.uint8)
    image = image if dtype is tallow.uint8 else F.to_dtype(image, dtype, scale=True)
    how = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    expected = F.normalize(F.convert_image_dtype(image), *how)
    found = normalize_values(image, *how)
    assert found.dtype is tallow.float32
    assert found.equal(expected)
