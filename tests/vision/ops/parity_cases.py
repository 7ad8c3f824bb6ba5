"""What the operations are compared on, as text that is evaluated with torchvision or with tallow.

Names in the text: `inputs` below, `torch`, `ops` and `slope`, the gradients of a weighted sum of
what a function gives.
"""

import numpy as np


def inputs(torch, dtype="float32"):
    """Boxes, maps and masks, by name."""
    rng = np.random.default_rng(3)
    kind = getattr(torch, dtype)

    def tensor(array):
        return torch.from_numpy(np.ascontiguousarray(array)).to(kind)

    corner, sides = rng.uniform(0, 60, (40, 2)), rng.uniform(2, 30, (40, 2))
    boxes = np.concatenate([corner, corner + sides], 1)
    image = rng.integers(0, 2, (40, 1))
    turned = np.concatenate([corner + 20, sides, rng.uniform(-180, 180, (40, 1))], 1)
    return {
        "boxes": tensor(boxes),
        "others": tensor(boxes[::-1] + rng.normal(0, 4, (40, 4)).round(1))[:17],
        "turned": tensor(turned),
        "scores": tensor(rng.permutation(40) / 40),
        "kinds": torch.from_numpy(rng.integers(0, 3, 40)),
        "regions": tensor(np.concatenate([image, boxes], 1)),
        "maps": tensor(rng.normal(size=(2, 3, 21, 24))),
        "cells": tensor(rng.normal(size=(2, 12, 21, 24))),
        "masks": torch.from_numpy(rng.uniform(size=(5, 8, 9)) > 0.96),
        "logits": tensor(rng.normal(size=(6, 5)) * 3),
        "truths": tensor(rng.integers(0, 2, (6, 5))),
        "x": tensor(rng.normal(size=(2, 4, 7, 8))),
        "weight": tensor(rng.normal(size=(6, 2, 3, 2))),
        "bias": tensor(rng.normal(size=6)),
        "offset": tensor(rng.normal(size=(2, 24, 5, 7)) * 2),
        "mask": tensor(rng.uniform(size=(2, 12, 5, 7))),
    }


BOXES = [
    *(f"ops.nms(boxes, scores, {t})" for t in (0.0, 0.2, 0.5, 1.0)),
    "ops.nms(boxes[:0], scores[:0], 0.5)",
    "ops.nms(boxes.to(torch.float64), scores.to(torch.float64), 0.3)",
    "ops.nms(boxes, (scores * 5).round(), 0.3)", "ops.batched_nms(boxes, scores, kinds, 0.2)",
    "ops.batched_nms(boxes[:0], scores[:0], kinds[:0], 0.2)",
    "ops.remove_small_boxes(boxes, 9.0)", "ops.clip_boxes_to_image(boxes * 2 - 30, (50, 60))",
    *(f"ops.box_convert(boxes, '{a}', '{b}')" for a in ("xyxy", "xywh", "cxcywh")
      for b in ("xyxy", "xywh", "cxcywh")),
    *(f"ops.box_convert(ops.box_convert(turned, 'cxcywhr', '{a}'), '{a}', '{b}')"
      for a in ("cxcywhr", "xywhr", "xyxyxyxy") for b in ("cxcywhr", "xywhr", "xyxyxyxy")),
    *(f"ops.box_convert(boxes.to(torch.int64), '{a}', '{b}')"
      for a, b in (("xyxy", "xywh"), ("xyxy", "cxcywh"), ("cxcywh", "xyxy"), ("xywh", "cxcywh"))),
    *(f"ops.box_area({x}, fmt='{f}')" for x in ("boxes", "boxes.to(torch.int16)")
      for f in ("xyxy", "cxcywh")),
    *(f"ops.{f}({x})" for f in ("box_iou", "generalized_box_iou", "distance_box_iou",
                               "complete_box_iou")
      for x in ("boxes, others", "boxes.to(torch.float64), others.to(torch.float64)",
                "boxes.to(torch.int64), others.to(torch.int64)", "boxes[:0], others",
                "boxes.reshape(2, 20, 4), boxes.reshape(2, 20, 4)[:, :3]")),
    "ops.box_iou(boxes, others, 'xywh')", "ops.box_iou(boxes, others, 'cxcywh')",
    "ops.box_iou(turned, turned, 'cxcywhr')", "ops.box_iou(turned, turned[:9], 'xywhr')",
    "ops.box_iou(turned, turned * 1.1, 'cxcywhr')",
    "ops.masks_to_boxes(masks)", "ops.masks_to_boxes(masks[:0])",
]  # fmt: skip

_PAIRS = "boxes[:17], others"

LOSSES = [
    *(f"ops.{f}_loss({_PAIRS}, reduction='{r}')" for r in ("none", "mean", "sum")
      for f in ("generalized_box_iou", "distance_box_iou", "complete_box_iou")),
    *(f"ops.sigmoid_focal_loss(logits, truths, {how})" for how in (
        "reduction='none'", "alpha=-1", "alpha=0.7, gamma=1.5, reduction='mean'",
        "reduction='sum'")),
    *(f"slope(lambda a, b: ops.{f}_loss(a, b), {_PAIRS})"
      for f in ("generalized_box_iou", "distance_box_iou", "complete_box_iou")),
    *(f"slope(lambda a, b: ops.{f}(a, b), {_PAIRS})"
      for f in ("box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou")),
    "slope(lambda a: ops.sigmoid_focal_loss(a, truths), logits)",
]  # fmt: skip

_ALIGN = (
    "3", "(2, 4), 0.25", "(3, 2), 0.3, 2", "(3, 2), 0.3, 2, True", "2, 0.5, -1, True",
)  # fmt: skip

REGIONS = [
    *(f"ops.roi_align(maps, regions, {how})" for how in _ALIGN),
    "ops.roi_align(maps, [boxes[:3], boxes[3:5]], 2, 0.3)", "ops.roi_align(maps, regions[:0], 2)",
    "ops.roi_align(maps, regions - torch.tensor([0.0, 90, 0, 90, 0]), 2)",
    *(f"ops.ps_roi_align(cells, regions, {how})" for how in ("2", "(2, 3), 0.3", "(3, 1), .25, 3")),
    *(f"ops.roi_pool(maps, regions, {how})" for how in ("2", "(3, 2), 0.3", "(5, 4), 0.1")),
    *(f"ops.ps_roi_pool(cells, regions, {how})" for how in ("2", "(2, 3), 0.3", "(3, 1), 0.1")),
    *(f"slope(lambda x: ops.roi_align(x, regions, {how}), maps)" for how in _ALIGN),
    "slope(lambda x: ops.ps_roi_align(x, regions, (2, 3), 0.3), cells)",
    "slope(lambda x: ops.roi_pool(x, regions, (3, 2), 0.3), maps)",
    "slope(lambda x: ops.ps_roi_pool(x, regions, (2, 3), 0.2), cells)",
    "ops.MultiScaleRoIAlign(['a', 'b'], (3, 2), 2, canonical_scale=16, canonical_level=1)"
    "({'a': maps, 'c': maps, 'b': maps[:, :, ::2, ::2]}, [boxes[:9], boxes[9:]], "
    "[(42, 48), (40, 41)])",
    "ops.MultiScaleRoIAlign(['b'], 2, -1)({'b': maps}, [boxes[:9], boxes[9:]], [(84, 96)] * 2)",
]  # fmt: skip

_DEFORM = "stride=(1, 1), padding=(0, 0)"

BLOCKS = [
    f"ops.deform_conv2d(x, offset, weight, bias, {_DEFORM})",
    f"ops.deform_conv2d(x, offset, weight, None, {_DEFORM}, mask=mask)",
    "ops.deform_conv2d(x, offset[:, :12, :4, :5], weight, bias, 2, (1, 2), (1, 2))",
    f"slope(lambda a, b, c, d, e: ops.deform_conv2d(a, b, c, d, {_DEFORM}, mask=e),"
    " x, offset, weight, bias, mask)",
    *(f"ops.stochastic_depth(x, 0.4, '{mode}')" for mode in ("row", "batch")),
    "ops.stochastic_depth(x, 1.0, 'row')", "ops.stochastic_depth(x, 0.4, 'row', training=False)",
    "ops.drop_block2d(x, 0.3, 3)", "ops.drop_block3d(x[None], 0.3, 3)",
    "ops.drop_block2d(x, 0.3, 3, inplace=True)", "ops.DropBlock2d(0.2, 5)(x)",
]  # fmt: skip

_LAYERS = [
    "ops.Conv2dNormActivation(4, 6)", "ops.Conv2dNormActivation(4, 6, (3, 5), 2, dilation=2)",
    "ops.Conv2dNormActivation(4, 6, 1, norm_layer=None, activation_layer=None)",
    "ops.Conv3dNormActivation(2, 3, (1, 3, 3), inplace=None)", "ops.SqueezeExcitation(4, 2)",
    "ops.MLP(8, [6, 5, 3], norm_layer=torch.nn.LayerNorm)", "ops.Permute([0, 2, 3, 1])",
    "ops.FrozenBatchNorm2d(4)", "ops.DeformConv2d(4, 6, 3, padding=1, groups=2)",
    "ops.FeaturePyramidNetwork([4, 5], 6)",
    "ops.FeaturePyramidNetwork([4, 5], 6, pyramid.LastLevelP6P7(6, 6))",
    "ops.FeaturePyramidNetwork([4, 5], 6, pyramid.LastLevelMaxPool(), torch.nn.BatchNorm2d)",
]  # fmt: skip
_CALLS = {
    "Conv3d": "x[:, :2, None]", "Deform": "x, offset[:, :18].new_ones(2, 18, 7, 8) * 0.3",
    "Feature": "{'a': x, 'b': torch.cat([x, x[:, :1]], 1)[:, :, ::2, 1::2]}",
}  # fmt: skip

MODULES = [
    f"applied({layer}, {next((v for k, v in _CALLS.items() if k in layer), 'x')})"
    for layer in _LAYERS
]

REST = [
    "ops.RoIAlign((3, 2), 0.5, 2, aligned=True)(maps, regions)",
    "ops.RoIPool((3, 2), 0.5)(maps, regions)", "ops.PSRoIAlign(2, 0.5, 2)(cells, regions)",
    "ops.PSRoIPool(2, 0.5)(cells, regions)", "ops.StochasticDepth(0.4, 'row')(torch.cat([x] * 5))",
    "ops.DropBlock3d(0.2, 3)(torch.stack([x] * 5, 2))",
]  # fmt: skip

GROUPS = {
    "boxes": BOXES, "losses": LOSSES, "regions": REGIONS, "blocks": BLOCKS, "modules": MODULES,
    "rest": REST,
}  # fmt: skip


def arrays(result):
    """The numbers in a result, however nested, in order."""
    if isinstance(result, list | tuple):
        return [array for item in result for array in arrays(item)]
    return [result.detach().numpy()]


def evaluate(group, case, torch, ops):
    """The arrays that a case gives."""

    def slope(function, *operands):
        operands = [x.clone().requires_grad_() for x in operands]
        out = function(*operands)
        (out * torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)).sum().backward()
        return [x.grad for x in operands]

    def applied(module, *operands):
        """What a module is made of, and what it gives."""
        state = module.state_dict()
        names = np.array([len(name) for name in state] + [str(module).count("\n")])
        out = module(*operands)
        return [torch.tensor(names.tolist()), *state.values()] + (
            list(out.values()) if isinstance(out, dict) else [out]
        )

    scope = {"torch": torch, "ops": ops, "slope": slope, "applied": applied}
    scope["pyramid"] = ops.feature_pyramid_network
    torch.manual_seed(5)
    return arrays(eval(case, scope | inputs(torch, "float64" if "slope" in case else "float32")))
