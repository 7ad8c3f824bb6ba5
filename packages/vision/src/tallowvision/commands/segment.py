"""`python -m tallowvision segment PICTURE ...`."""

import json

import tallow
from tallow.nn import functional as F
from tallowvision._pil import pil_to_tensor
from tallowvision.commands import _shared
from tallowvision.utils import draw_segmentation_masks


def arguments(parser):
    _shared.arguments(parser, "lraspp_mobilenet_v3_large")
    _shared.drawing(parser)


def run(options):
    model, transform, names = _shared.network(options)

    def answer(path, picture):
        size = (picture.height, picture.width)
        with tallow.inference_mode():
            scores = model(transform(picture)[None])["out"]
            scores = F.interpolate(scores, size, mode="bilinear", align_corners=False)
        labels = scores[0].argmax(0)
        if options.output:
            _shared.save(_drawn(picture, labels), path, options.output)
        return _text(path, labels, names, options.json)

    return _shared.each(options.pictures, "segment", answer)


def _text(path, labels, names, as_json):
    """The classes of the pixels (H, W), the one that has most first."""
    kinds, counts = labels.unique(return_counts=True)
    parts = [
        {"label": _shared.name_of(names, kind), "index": kind, "part": round(count, 6)}
        for kind, count in zip(kinds.tolist(), (counts / labels.numel()).tolist(), strict=True)
    ]
    parts.sort(key=lambda one: -one["part"])
    if as_json:
        return json.dumps({"file": path, "parts": parts})
    return "\n".join([path, *(f"  {one['part']:6.1%}  {one['label']}" for one in parts)])


def _drawn(picture, labels):
    """The picture tinted by class; class 0, the background, is not."""
    image = pil_to_tensor(picture)
    kinds = [kind for kind in labels.unique().tolist() if kind]
    if not kinds:
        return image
    masks = tallow.stack([labels == kind for kind in kinds])
    return draw_segmentation_masks(image, masks, 0.6, _shared.colours(kinds))
