"""`python -m tallowvision classify PICTURE ...`."""

import json

import tallow
from tallowvision.commands import _shared


def arguments(parser):
    _shared.arguments(parser, "resnet20")
    parser.add_argument("--top-k", type=int, default=5, help="how many classes are told")


def run(options):
    model, transform, names = _shared.network(options)

    def answer(path, picture):
        with tallow.inference_mode():
            scores = model(transform(picture)[None])[0].softmax(0)
        best = scores.topk(min(max(options.top_k, 1), len(scores)))
        found = [
            {"label": _shared.name_of(names, index), "index": index, "probability": round(value, 6)}
            for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]
        return _text(path, found, options.json)

    return _shared.each(options.pictures, "classify", answer)


def _text(path, found, as_json):
    if as_json:
        return json.dumps({"file": path, "classes": found})
    lines = [f"  {entry['probability']:6.1%}  {entry['label']}" for entry in found]
    return "\n".join([path, *lines])
