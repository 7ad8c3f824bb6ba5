"""Records COCO's twelve numbers as pycocotools gives them, for tests/vision/test_evaluation.py.

python tools/goldens/vision_evaluation.py
"""

import importlib.util
import json
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

TESTS = Path(__file__).parents[2] / "tests" / "vision"
spec = importlib.util.spec_from_file_location("cases", TESTS / "evaluation_cases.py")
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)


def entries(items, **columns):
    """COCO's entries of the boxes of all images, with more columns of the dicts."""
    made = []
    for image, item in enumerate(items):
        for i, (left, top, right, bottom) in enumerate(item["boxes"].tolist()):
            sides = [right - left, bottom - top]
            entry = {"id": len(made) + 1, "image_id": image, "bbox": [left, top, *sides]}
            entry |= {"category_id": int(item["labels"][i]), "area": sides[0] * sides[1]}
            made.append(entry | {key: item[name][i].item() for key, name in columns.items()})
    return made


def measured(predictions, targets):
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i} for i in range(len(targets))],
        "annotations": entries(targets, iscrowd="iscrowd"),
        "categories": [{"id": i} for i in (1, 2, 3)],
    }
    truth.createIndex()
    found = truth.loadRes(entries(predictions, score="scores"))
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats.tolist()


if __name__ == "__main__":
    recorded = {name: measured(*cases.made(*case)) for name, case in cases.CASES.items()}
    path = TESTS / "golden" / "evaluation.json"
    path.write_text(json.dumps(recorded, indent=1) + "\n")
