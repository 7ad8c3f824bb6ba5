"""Small detectors, made alike of torchvision or of tallowvision, and what is compared of them."""

from collections import OrderedDict

import numpy as np

CLASSES = 4
MADE_SMALL = ("cls_logits", "cls_score", "bbox", "mask_fcn_logits", "kps_score", "module_list")


def tempered(key):
    """Smaller weights of the last layers: otherwise scores are 0 and 1, and boxes huge."""
    is_last = any(name in key for name in MADE_SMALL) and key.endswith("weight")
    return 0.15 if is_last else 1.0


def pyramid(torch, channels=32):
    """A backbone with two maps, 4 and 8 times smaller than the image."""

    class Pyramid(torch.nn.Module):
        out_channels = channels

        def __init__(self):
            super().__init__()
            self.fine = torch.nn.Conv2d(3, channels, 5, 4, 2)
            self.coarse = torch.nn.Conv2d(channels, channels, 3, 2, 1)

        def forward(self, x):
            fine = self.fine(x).relu()
            return OrderedDict([("0", fine), ("1", self.coarse(fine).relu())])

    return Pyramid()


SIZES = {"min_size": 56, "max_size": 80}
FEW = {**SIZES, "detections_per_img": 25}  # of more, some score almost the same


def anchors(detection, *sizes, ratios=(0.5, 1.0)):
    return detection.anchor_utils.AnchorGenerator(sizes, (ratios,) * len(sizes))


def fcos(torch, detection, ops):
    maps = anchors(detection, (4,), (8,), ratios=(1.0,))
    body = pyramid(torch)
    return detection.FCOS(body, CLASSES, anchor_generator=maps, score_thresh=0.05, **FEW)


def retinanet(torch, detection, ops):
    maps = anchors(detection, (10, 16), (24, 40))
    return detection.RetinaNet(pyramid(torch), CLASSES, anchor_generator=maps, **FEW)


def retinanet_by_overlap(torch, detection, ops):
    model = retinanet(torch, detection, ops)
    model.head.regression_head._loss_type = "giou"
    return model


def _regions(detection, ops, size=7):
    return {
        "rpn_anchor_generator": anchors(detection, (16,), (32,)),
        "box_roi_pool": ops.MultiScaleRoIAlign(["0", "1"], size, 2),
        "box_head": detection.faster_rcnn.TwoMLPHead(32 * size**2, 32),
        "box_predictor": detection.faster_rcnn.FastRCNNPredictor(32, CLASSES),
        "rpn_post_nms_top_n_train": 50, "rpn_post_nms_top_n_test": 50,
        "rpn_batch_size_per_image": 64, "box_batch_size_per_image": 32,
        "box_detections_per_img": 25, "size_divisible": 2, **SIZES,
    }  # fmt: skip


def faster_rcnn(torch, detection, ops):
    return detection.FasterRCNN(pyramid(torch), **_regions(detection, ops))


def faster_rcnn_deep(torch, detection, ops):
    options = _regions(detection, ops)
    options["rpn_head"] = detection.rpn.RPNHead(32, 2, conv_depth=2)
    options["box_head"] = detection.faster_rcnn.FastRCNNConvFCHead(
        (32, 7, 7), [16, 16], [32], norm_layer=torch.nn.BatchNorm2d
    )
    return detection.FasterRCNN(pyramid(torch), **options)


def mask_rcnn(torch, detection, ops):
    own = detection.mask_rcnn
    return detection.MaskRCNN(
        pyramid(torch), **_regions(detection, ops),
        mask_roi_pool=ops.MultiScaleRoIAlign(["0", "1"], 14, 2),
        mask_head=own.MaskRCNNHeads(32, (16, 16), 1),
        mask_predictor=own.MaskRCNNPredictor(16, 8, CLASSES),
    )  # fmt: skip


def keypoint_rcnn(torch, detection, ops):
    own = detection.keypoint_rcnn
    return detection.KeypointRCNN(
        pyramid(torch), **_regions(detection, ops),
        keypoint_roi_pool=ops.MultiScaleRoIAlign(["0", "1"], 14, 2),
        keypoint_head=own.KeypointRCNNHeads(32, (16, 16)),
        keypoint_predictor=own.KeypointRCNNPredictor(16, 3),
    )  # fmt: skip


def ssd(torch, detection, ops):
    boxes = detection.anchor_utils.DefaultBoxGenerator([[2], [2, 3]], 0.2, 0.7)
    return detection.ssd.SSD(pyramid(torch), boxes, (64, 48), CLASSES, head=detection.ssd.SSDHead(
        [32, 32], boxes.num_anchors_per_location(), CLASSES), detections_per_img=25)  # fmt: skip


def ssd_steps(torch, detection, ops):
    boxes = detection.anchor_utils.DefaultBoxGenerator(
        [[2], [2]], scales=[0.2, 0.4, 0.6], steps=[4, 8], clip=False
    )
    return detection.ssd.SSD(pyramid(torch), boxes, (64, 64), CLASSES, head=detection.ssd.SSDHead(
        [32, 32], boxes.num_anchors_per_location(), CLASSES), topk_candidates=20)  # fmt: skip


def ssdlite(torch, detection, ops):
    return detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=CLASSES, detections_per_img=15
    )


CASES = [
    fcos, retinanet, retinanet_by_overlap, faster_rcnn, faster_rcnn_deep, mask_rcnn, keypoint_rcnn,
    ssd, ssd_steps, ssdlite,
]  # fmt: skip


def images(torch):
    """Two images of different sizes, that become almost the same: padding gives equal scores."""
    rng = np.random.default_rng(1)
    made = [rng.uniform(0, 1, shape).astype(np.float32) for shape in ((3, 60, 80), (3, 72, 94))]
    return [torch.from_numpy(x) for x in made]


def targets(torch):
    """Things in them: boxes, classes, masks, points. There is none in a third image."""
    rng = np.random.default_rng(2)
    made = []
    for height, width, count in ((60, 80, 3), (72, 94, 5)):
        corner, sides = rng.uniform(0, 30, (count, 2)), rng.uniform(12, 30, (count, 2))
        boxes = np.concatenate([corner, corner + sides], 1).astype(np.float32)
        masks = np.zeros((count, height, width), np.uint8)
        for mask, (left, top, right, bottom) in zip(masks, boxes.astype(int), strict=True):
            mask[top : bottom - 3, left + 2 : right] = 1
        points = np.ones((count, 3, 3), np.float32)
        points[..., :2] = corner[:, None] + rng.uniform(-0.1, 1.0, (count, 3, 2)) * sides[:, None]
        points[:, 2, 2] = 0  # not visible
        target = {"boxes": boxes, "labels": rng.integers(1, CLASSES, count), "masks": masks,
                  "keypoints": points}  # fmt: skip
        made.append({name: torch.from_numpy(x) for name, x in target.items()})
    return made


def evaluate(model, torch):
    """Losses, the lengths of the gradients, and detections: {name: array}."""
    found = {}
    for module in model.modules():
        if hasattr(module, "momentum"):
            module.momentum = 1.0  # so that norms use, in evaluation, what they see in training
    torch.manual_seed(0)
    model.train()
    losses = model(images(torch), targets(torch))
    sum(losses.values()).backward()
    for name, loss in losses.items():
        found[f"loss.{name}"] = loss.detach().numpy()
    lengths = [x.grad.norm().item() if x.grad is not None else -1.0 for x in model.parameters()]
    found["gradients"] = np.array(lengths, np.float32)
    model.eval()
    with torch.no_grad():
        for i, one in enumerate(model(images(torch))):
            for name, x in one.items():
                found[f"{i}.{name}"] = x.numpy()
    return found


def vgg_maps(torch, detection, generated):
    """The means of the channels of each map of SSD's own backbone: {name: (C,)}."""
    model = detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=2).eval()
    generated.load(model.backbone, torch)
    image = np.random.default_rng(3).normal(size=(1, 3, 300, 300)).astype(np.float32)
    with torch.no_grad():
        maps = model.backbone(torch.from_numpy(image))
    return {name: x.mean((0, 2, 3)).numpy() for name, x in maps.items()}
