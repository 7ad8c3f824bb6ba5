"""`python -m tallowvision detect PICTURE ...`."""

import json

import tallow
from tallowvision.commands import _shared
from tallowvision.transforms._presets import ObjectDetection
from tallowvision.utils import draw_bounding_boxes, draw_segmentation_masks


def arguments(parser):
    _shared.arguments(parser, "fcos_tiny")
    _shared.drawing(parser)
    parser.add_argument("--threshold", type=float, default=0.4, help="the least score that is told")


def run(options):
    model, _, names = _shared.network(options)
    transform = ObjectDetection()

    def answer(path, picture):
        image = transform(picture)
        with tallow.inference_mode():
            (found,) = model([image])
        sure = found["scores"] >= options.threshold
        found = {name: x[sure] for name, x in found.items()}
        labels = [_shared.name_of(names, index) for index in found["labels"].tolist()]
        if options.output:
            _shared.save(_drawn(image, found, labels), path, options.output)
        return _text(path, found, labels, options.json)

    return _shared.each(options.pictures, "detect", answer)


def _text(path, found, labels, as_json):
    scores, boxes = found["scores"].tolist(), found["boxes"].tolist()
    things = [
        {"label": label, "score": round(score, 4), "box": [round(side, 1) for side in box]}
        for label, score, box in zip(labels, scores, boxes, strict=True)
    ]
    if as_json:
        return json.dumps({"file": path, "things": things})
    lines = [f"  {one['score']:6.1%}  {one['label']}  {one['box']}" for one in things]
    return "\n".join([path, *lines] if lines else [path, "  nothing"])


def _drawn(image, found, labels):
    """The image with boxes, and masks where there are some; a colour for each class."""
    if not labels:
        return image
    colours = _shared.colours(found["labels"].tolist())
    if "masks" in found:
        image = draw_segmentation_masks(image, found["masks"][:, 0] > 0.5, 0.5, colours)
    texts = [f"{label} {score:.2f}" for label, score in zip(labels, found["scores"], strict=True)]
    width = max(1, min(image.shape[1:]) // 240)
    return draw_bounding_boxes(image, found["boxes"], texts, colours, width=width)
