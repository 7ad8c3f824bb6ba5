"""Detectors against what torchvision 0.28 gave for the same weights and images; bad targets."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow import nn
from tallowvision import models, ops
from tallowvision.models import detection

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"vision_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases, generated = _load("detection_cases"), _load("generated")


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_losses_gradients_and_detections_are_torchvisions(case):
    golden = np.load(GOLDEN / "detection.npz")
    model = generated.load(case(tallow, detection, ops), tallow, cases.tempered)
    found = cases.evaluate(model, tallow)
    prefix = f"{case.__name__}."
    names = [name.removeprefix(prefix) for name in golden.files if name.startswith(prefix)]
    assert sorted(found) == sorted(names)
    for name, array in found.items():
        expected = golden[prefix + name]
        assert array.dtype == expected.dtype and array.shape == expected.shape
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(array, expected, 1e-4, 1e-4 * scale, err_msg=name)


@pytest.fixture
def undrawn(monkeypatch):
    """Weights stay as they are made: drawing those of large networks would take long."""
    for name in vars(nn.init).copy():
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


NETWORKS = json.loads((GOLDEN / "detection.json").read_text())


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dicts_are_torchvisions(name, undrawn):
    model = models.get_model(name, weights=None, weights_backbone=None)
    lines = [f"{key} {tuple(x.shape)}" for key, x in model.state_dict().items()]
    count = sum(x.numel() for x in model.parameters())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert [count, digest] == NETWORKS[name]


def test_maps_of_ssd_are_torchvisions(undrawn):
    golden = np.load(GOLDEN / "detection.npz")
    found = cases.vgg_maps(tallow, detection, generated)
    assert list(found) == list("012345")
    for name, means in found.items():
        expected = golden[f"vgg.{name}"]
        np.testing.assert_allclose(means, expected, 1e-4, 1e-4 * np.abs(expected).max())


# What comes out of the ordinary


def _target(boxes, labels):
    boxes = tallow.tensor(boxes, dtype=tallow.float32).reshape(-1, 4)
    return {"boxes": boxes, "labels": tallow.tensor(labels, dtype=tallow.int64)}


FAMILIES = [cases.fcos, cases.retinanet, cases.faster_rcnn, cases.ssd]
BOX = [5.0, 5.0, 40.0, 40.0]


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda case: case.__name__)
def model(request):
    tallow.manual_seed(0)
    return request.param(tallow, detection, ops).train()


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        (None, AssertionError, "expected targets in training mode, got None"),
        ({"labels": tallow.tensor([1])}, ValueError, r"boxes and labels in targets\[0\], got"),
        ({"boxes": tallow.zeros(0, 4)}, ValueError, r"boxes and labels in targets\[0\], got"),
        (_target([BOX], [1]) | {"boxes": [BOX]}, AssertionError, r"a tensor of boxes \(N, 4\)"),
        (_target([], []) | {"boxes": tallow.zeros(0)}, AssertionError, r"has one of \(0, 4\)"),
        (_target([[5, 5, 5, 40]], [1]), AssertionError, "with positive sides, got"),
        (_target([[9, 5, 8, 40]], [1]), ValueError, r"in targets\[0\], as resized"),
        (_target([BOX], [4]), IndexError, "expected labels below 4, the number of classes, got 4"),
        (_target([BOX], [-1]), IndexError, r"got -1 in targets\[0\]"),
        (_target([BOX, BOX], [1]), ValueError, "expected 2 labels"),
        (_target([BOX], [1]) | {"labels": tallow.tensor([1.0])}, TypeError, "int64 labels"),
    ],
)
def test_targets_that_cannot_be_learnt_from(model, target, kind, message):
    with pytest.raises(kind, match=message):
        model(cases.images(tallow)[:1], target if target is None else [target])


@pytest.mark.parametrize("targets", [[([], []), ([], [])], [([], []), ([BOX], [2])]])
def test_images_of_nothing(model, targets):
    losses = model(cases.images(tallow), [_target(*each) for each in targets])
    total = sum(losses.values())
    assert total.isfinite()
    total.backward()
    assert all(x.grad.isfinite().all() for x in model.parameters() if x.grad is not None)


def test_boxes_outside_of_the_image_and_of_whole_numbers(model):
    outside = _target([[500, 500, 540, 540]], [1])
    whole = _target([BOX], [1]) | {"boxes": tallow.tensor([[5, 5, 40, 40]])}
    for target in (outside, whole):
        assert sum(model(cases.images(tallow)[:1], [target]).values()).isfinite()


def test_images_that_no_detector_takes(model):
    with pytest.raises(TypeError, match=r"floating-point numbers in \[0, 1\], got uint8"):
        model([tallow.zeros(3, 40, 40, dtype=tallow.uint8)], [_target([BOX], [1])])
    with pytest.raises(RuntimeError, match=r"expected images \(C, H, W\), got float32 \(1, 3"):
        model([tallow.zeros(1, 3, 40, 40)], [_target([BOX], [1])])


@pytest.mark.parametrize("case", [cases.mask_rcnn, cases.keypoint_rcnn, cases.fcos, cases.ssd])
def test_nothing_found(case):
    model = case(tallow, detection, ops).eval()
    heads = model.roi_heads if hasattr(model, "roi_heads") else model
    heads.score_thresh = 1.1
    (found,) = model([tallow.rand(3, 30, 40)])
    assert found["boxes"].shape == (0, 4) and found["labels"].dtype is tallow.int64
    assert found.get("masks", tallow.zeros(0, 1, 30, 40)).shape == (0, 1, 30, 40)
    assert found.get("keypoints", tallow.zeros(0, 3, 3)).shape == (0, 3, 3)


def test_targets_without_masks_or_points():
    image, target = cases.images(tallow)[:1], _target([BOX], [1])
    with pytest.raises(ValueError, match=r"expected masks in targets\[0\]"):
        cases.mask_rcnn(tallow, detection, ops)(image, [target])
    model = cases.keypoint_rcnn(tallow, detection, ops)
    with pytest.raises(ValueError, match=r"expected keypoints in targets\[0\]"):
        model(image, [target])
    with pytest.raises(TypeError, match="expected float32 keypoints"):
        model(image, [target | {"keypoints": tallow.ones(1, 3, 3, dtype=tallow.float64)}])


def test_arguments_that_do_not_fit_together():
    with pytest.raises(ValueError, match="expected a backbone with the attribute out_channels"):
        detection.FasterRCNN(nn.Identity(), 3)
    body = cases.pyramid(tallow)
    with pytest.raises(ValueError, match="either num_classes or box_predictor, got neither"):
        detection.FasterRCNN(body)
    with pytest.raises(TypeError, match="expected anchor_generator to be of AnchorGenerator"):
        detection.RetinaNet(body, 3, anchor_generator=nn.Identity())
    with pytest.raises(ValueError, match="FCOS: expected one anchor for each pixel of maps, got 3"):
        generator = detection.anchor_utils.AnchorGenerator(((8,),), ((0.5, 1.0, 2.0),))
        detection.FCOS(body, 3, anchor_generator=generator)
    with pytest.raises(ValueError, match="expected 1 maps"):
        one = detection.anchor_utils.AnchorGenerator(((8,),), ((1.0,),))
        detection.FCOS(body, 3, anchor_generator=one, **cases.SIZES)(cases.images(tallow), [
            _target([BOX], [1])] * 2)  # fmt: skip
    with pytest.raises(ValueError, match="trainable_layers: expected 0 to 5, got 6"):
        detection.backbone_utils.resnet_fpn_backbone(
            backbone_name="resnet18", weights=None, trainable_layers=6
        )


def test_layers_that_are_not_trained():
    backbone = detection.backbone_utils.resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, trainable_layers=1
    )
    trained = {name for name, x in backbone.body.named_parameters() if x.requires_grad}
    assert trained and all(name.startswith("layer4") for name in trained)
    with pytest.warns(UserWarning, match="trainable_backbone_layers counts with weights only"):
        detection.fasterrcnn_mobilenet_v3_large_320_fpn(
            weights_backbone=None, trainable_backbone_layers=1
        )


def test_published_weights_are_named():
    found = models.get_weight("FasterRCNN_ResNet50_FPN_Weights.COCO_V1")
    assert found.url.endswith("-258fb6c6.pth") and len(found.meta["categories"]) == 91
    assert found.transforms()(tallow.zeros(3, 4, 4, dtype=tallow.uint8)).dtype is tallow.float32
    with pytest.raises(ValueError, match="num_classes: expected 91"):
        detection.fasterrcnn_resnet50_fpn(weights=found, num_classes=5)
