"""Records what torchvision's detectors give for the cases of tests/vision/models.

python tools/goldens/vision_detection.py
"""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from torchvision import ops
from torchvision.models import detection

TESTS = Path(__file__).parents[2] / "tests" / "vision"


def load(name):
    """A module beside the tests."""
    spec = importlib.util.spec_from_file_location(name, TESTS / "models" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


detection_cases, generated = load("detection_cases"), load("generated")


def digest(model):
    """The number of parameters, and a hash of the names and shapes of a state dict."""
    lines = [f"{key} {tuple(x.shape)}" for key, x in model.state_dict().items()]
    count = sum(x.numel() for x in model.parameters())
    return [count, hashlib.sha256("\n".join(lines).encode()).hexdigest()]


def main():
    recorded = {}
    for case in detection_cases.CASES:
        model = case(torch, detection, ops)
        generated.load(model, torch, detection_cases.tempered)
        found = detection_cases.evaluate(model, torch)
        print(case.__name__, {k: v.shape if v.ndim else v.item() for k, v in found.items()})
        recorded |= {f"{case.__name__}.{name}": x for name, x in found.items()}
    for name, means in detection_cases.vgg_maps(torch, detection, generated).items():
        recorded[f"vgg.{name}"] = means
    path = TESTS / "golden" / "detection.npz"
    np.savez_compressed(path, **recorded)
    names = torchvision.models.list_models(module=detection)
    networks = {
        name: digest(torchvision.models.get_model(name, weights=None, weights_backbone=None))
        for name in names
    }
    (TESTS / "golden" / "detection.json").write_text(json.dumps(networks, indent=1) + "\n")
    print(path.name, path.stat().st_size, "bytes;", len(networks), "networks")


if __name__ == "__main__":
    main()
