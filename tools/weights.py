"""Writes the tables of published weights: packages/vision/src/tallowvision/models/weights.

python tools/weights.py: run where torchvision is installed.
"""

import json
from pathlib import Path

from torchvision import models
from torchvision.models import detection, optical_flow, segmentation, video

FOLDER = Path(__file__).parents[1] / "packages/vision/src/tallowvision/models/weights"
LISTS = {1000: "imagenet", 400: "kinetics400", 91: "coco", 21: "voc", 2: "person"}


def entry(weights):
    """One line of the table; the 1,000 names of ImageNet are a file of their own."""
    preset, options = weights.transforms, {}
    if hasattr(preset, "keywords"):
        preset, options = preset.func, preset.keywords
    options = {key: getattr(value, "value", value) for key, value in options.items()}
    meta = {key: value for key, value in weights.meta.items() if key != "_docs"}
    if meta.get("categories"):
        meta["categories"] = LISTS[len(meta["categories"])]
    return {"url": weights.url, "transforms": [preset.__name__, options], **meta}


def table():
    """{enum: {name: entry, or the name of the entry that it stands for}}, and the lists used."""
    enums, categories = {}, {}
    for package in (models, detection, segmentation, video, optical_flow):
        for name in models.list_models(package):
            enum = models.get_model_weights(name)
            members = enum.__members__.items()
            enums[enum.__name__] = {
                key: entry(weights) if key == weights.name else weights.name
                for key, weights in members
            }
            for _, weights in members:
                names = weights.meta.get("categories")
                if names:
                    categories[LISTS[len(names)]] = names
    return enums, categories


def main():
    enums, categories = table()
    blocks = []
    for enum, members in enums.items():
        lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in members.items()]
        blocks.append(f"{json.dumps(enum)}: {{\n" + ",\n".join(lines) + "\n}")
    (FOLDER / "published.json").write_text("{\n" + ",\n".join(blocks) + "\n}\n")
    for name, names in categories.items():
        (FOLDER / f"{name}.txt").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main()
