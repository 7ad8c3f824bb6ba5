"""Operations: errors, edges, gradients of any order, what goldens cannot show."""

import numpy as np
import pytest

import tallow
from tallow.autograd import gradcheck, gradgradcheck
from tallowvision import ops
from tallowvision.ops.feature_pyramid_network import FeaturePyramidNetwork


def random_boxes(n, seed=0, room=100.0, sides=(1, 40)):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, room, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(*sides, (n, 2))], 1).astype(np.float32)


@pytest.mark.parametrize("threshold", [0.1, 0.4, 0.8])
def test_nms_by_its_definition(threshold):
    boxes = tallow.from_numpy(random_boxes(500))
    scores = tallow.from_numpy(np.random.default_rng(1).uniform(size=500).astype(np.float32))
    overlaps = ops.box_iou(boxes, boxes).numpy()
    kept = []
    for i in scores.numpy().argsort()[::-1]:
        if all(overlaps[i, j] <= threshold for j in kept):
            kept.append(i)
    assert ops.nms(boxes, scores, threshold).tolist() == kept
    shuffled = np.random.default_rng(2).permutation(500)
    again = ops.nms(boxes[shuffled], scores[shuffled], threshold)
    assert shuffled[again.numpy()].tolist() == kept


def test_categories_leave_each_other_alone_also_left_of_the_origin():
    boxes = tallow.from_numpy(random_boxes(200) - 300)
    scores, kinds = tallow.rand(200), tallow.randint(0, 5, (200,))
    together = ops.batched_nms(boxes, scores, kinds, 0.3)
    for kind in range(5):
        own = tallow.where(kinds == kind)[0]
        alone = own[ops.nms(boxes[own], scores[own], 0.3)]
        assert [i for i in together.tolist() if kinds[i] == kind] == alone.tolist()


def test_boxes_without_an_area():
    boxes = tallow.tensor([[1.0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 2, 2]])
    assert ops.nms(boxes, tallow.tensor([3.0, 2, 1]), 0.5).tolist() == [0, 1, 2]


def test_turned_boxes_that_stand_upright_overlap_as_upright_ones():
    upright = tallow.from_numpy(random_boxes(30)).double()
    turned = tallow.cat([ops.box_convert(upright, "xyxy", "cxcywh"), tallow.zeros(30, 1)], 1)
    found = ops.box_iou(turned, turned, "cxcywhr")
    np.testing.assert_allclose(found.numpy(), ops.box_iou(upright, upright).numpy(), atol=1e-12)
    quarter = turned.clone()
    quarter[:, 2:4], quarter[:, 4] = turned[:, [3, 2]], 90.0
    found = ops.box_iou(turned, quarter, "cxcywhr").diagonal()
    np.testing.assert_allclose(found.numpy(), 1, atol=1e-9)


REGIONS = tallow.tensor([[0.0, 1, 1, 6, 5], [1, 0, 2, 3.5, 7], [0, -3, -2, 20, 30]]).double()


@pytest.mark.parametrize(
    ("function", "channels"),
    [
        (lambda x: ops.roi_align(x, REGIONS, 2, 0.7, 2), 2),
        (lambda x: ops.roi_align(x, REGIONS, (1, 3), 0.9, aligned=True), 2),
        (lambda x: ops.ps_roi_align(x, REGIONS, 2, 0.7), 4),
        (lambda x: ops.ps_roi_pool(x, REGIONS, 2, 0.7), 4),
        (lambda x: ops.roi_pool(x, REGIONS, 2, 0.7), 2),
    ],
)
def test_gradients_of_regions(function, channels):
    tallow.manual_seed(0)
    x = tallow.rand(2, channels, 5, 6, dtype=tallow.float64).requires_grad_()
    assert gradcheck(function, x)
    assert gradgradcheck(lambda x: function(x) ** 2, x)


def test_gradients_of_deformable_convolution():
    tallow.manual_seed(0)
    operands = [
        tallow.rand(shape, dtype=tallow.float64).requires_grad_()
        for shape in ((1, 4, 4, 3), (1, 8, 3, 2), (2, 4, 2, 2), (2,), (1, 4, 3, 2))
    ]
    assert gradcheck(lambda x, o, w, b, m: ops.deform_conv2d(x, o, w, b, mask=m), operands)


def test_deformable_convolution_without_deformation_is_convolution():
    x, weight = tallow.rand(2, 4, 9, 8), tallow.rand(6, 2, 3, 3)
    out = ops.deform_conv2d(x, tallow.zeros(2, 18, 5, 4), weight, None, 2, 1)
    expected = tallow.nn.functional.conv2d(x, weight, None, 2, 1, groups=2)
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_regions_keep_the_dtype():
    x = tallow.rand(1, 2, 8, 8).half()
    out = ops.roi_align(x, [tallow.tensor([[0.0, 0, 4, 4]])], 2)
    assert out.dtype is tallow.float16 and out.shape == (1, 2, 2, 2)


def test_frozen_norm_and_old_pyramids_load_other_states():
    norm, learned = ops.FrozenBatchNorm2d(3), tallow.nn.BatchNorm2d(3)
    learned.running_var.uniform_(0.5, 2)
    norm.load_state_dict(learned.state_dict())
    x = tallow.rand(2, 3, 4, 4)
    np.testing.assert_allclose(norm(x).numpy(), learned.eval()(x).detach().numpy(), atol=1e-6)
    assert not list(norm.parameters())
    pyramid = FeaturePyramidNetwork([2, 3], 4)
    old = {key.replace(".0.", ".", 1) if key.count(".0.") == 1 and ".1.0." in key else key: value
           for key, value in pyramid.state_dict().items()}  # fmt: skip
    old = {key.replace(".0.0.", ".0."): value for key, value in old.items()}
    assert pyramid.load_state_dict(old).missing_keys == []


def test_modules_say_what_they_are():
    assert repr(ops.RoIAlign(7, 0.25, 2)) == (
        "RoIAlign(output_size=7, spatial_scale=0.25, sampling_ratio=2, aligned=False)"
    )
    assert repr(ops.PSRoIPool(7, 0.25)) == "PSRoIPool(output_size=7, spatial_scale=0.25)"
    assert repr(ops.DropBlock3d(0.1, 3)) == "DropBlock3d(p=0.1, block_size=3, inplace=False)"
    x, boxes = tallow.rand(1, 4, 5, 5), [tallow.tensor([[0.0, 0, 4, 4]])]
    for module, function in (
        (ops.RoIAlign(2, 1.0, 2, True), lambda: ops.roi_align(x, boxes, 2, 1.0, 2, True)),
        (ops.PSRoIAlign(2, 1.0, 2), lambda: ops.ps_roi_align(x, boxes, 2, 1.0, 2)),
        (ops.RoIPool(2, 1.0), lambda: ops.roi_pool(x, boxes, 2, 1.0)),
    ):
        assert tallow.equal(module(x, boxes), function())


X, BOXES = tallow.zeros(1, 4, 5, 5), tallow.zeros(3, 4)
ERRORS = [
    (lambda: ops.nms(BOXES, tallow.zeros(2), 0.5), RuntimeError, r"nms: expected boxes \(N, 4\)"),
    (lambda: ops.batched_nms(BOXES, tallow.zeros(3), tallow.zeros(2), 0.5), RuntimeError,
     r"expected idxs \(3,\)"),
    (lambda: ops.box_convert(BOXES, "xyxy", "yxyx"), ValueError, "of xyxy, .*got 'yxyx'"),
    (lambda: ops.box_convert(BOXES, "xyxy", "xywhr"), NotImplementedError, "both formats upright"),
    (lambda: ops.box_area(BOXES, "xywhr"), ValueError, "of xyxy, xywh, cxcywh, got"),
    (lambda: ops.masks_to_boxes(tallow.ones(3, 4)), RuntimeError, r"expected \(N, H, W\)"),
    (lambda: ops.roi_align(X[0], BOXES, 2), RuntimeError, r"expected input \(N, C, H, W\)"),
    (lambda: ops.roi_align(X, BOXES, 2), RuntimeError, r"expected boxes \(K, 5\)"),
    (lambda: ops.roi_align(X, [BOXES[:, :3]], 2), RuntimeError, r"expected boxes \(L, 4\)"),
    (lambda: ops.roi_align(X, 3, 2), TypeError, "or a list of .* got int"),
    (lambda: ops.roi_pool(X, tallow.ones(2, 5), 2), RuntimeError, "below 1 in the first column"),
    (lambda: ops.ps_roi_pool(X, [BOXES], 3), RuntimeError, "a multiple of 9 channels, got 4"),
    (lambda: ops.deform_conv2d(X, tallow.zeros(1, 9, 3, 3), tallow.zeros(2, 4, 3, 3)),
     RuntimeError, r"expected offset \(1, 18, 3, 3\)"),
    (lambda: ops.deform_conv2d(X, tallow.zeros(1, 18, 3, 3), tallow.zeros(2, 3, 3, 3)),
     RuntimeError, r"expected weight \(O, 4 // groups"),
    (lambda: ops.DeformConv2d(3, 4, 3, groups=2), ValueError, "divisible by groups 2"),
    (lambda: ops.stochastic_depth(X, 1.5, "row"), ValueError, "p from 0 to 1, got 1.5"),
    (lambda: ops.stochastic_depth(X, 0.5, "column"), ValueError, "'batch' or 'row'"),
    (lambda: ops.drop_block2d(X[0], 0.5, 3), RuntimeError, "expected 4 dims"),
    (lambda: ops.drop_block2d(X, 0.5, 2), ValueError, "odd block size, got 2"),
    (lambda: ops.sigmoid_focal_loss(X, X, 2), ValueError, "alpha from 0 to 1, or -1, got 2"),
    (lambda: ops.distance_box_iou_loss(BOXES, BOXES, "max"), ValueError, "got 'max'"),
    (lambda: ops.FeaturePyramidNetwork([0, 3], 4), ValueError, "channels above 0"),
    (lambda: ops.FeaturePyramidNetwork([3], 4, tallow.nn.ReLU()), TypeError, "got ReLU"),
    (lambda: ops.MultiScaleRoIAlign(["a"], 2, 2)({"b": X}, [BOXES], [(5, 5)]), ValueError,
     "1 images and maps .'b'."),
    (lambda: ops.Permute(3), TypeError, "expected a list of dims, got 3"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, tallow.errors.TallowError)
