"""Records what torchvision's networks give for tests/vision/models: run where it is installed.

python tools/goldens/vision_models.py [CASE ...]
"""

import importlib.util
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torchvision import models
from torchvision.models import optical_flow, video

FOLDER = Path(__file__).parents[2] / "tests" / "vision" / "models"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def on_cpu(function):
    """It computes with tensors also where networks are built without memory."""

    def call(*args, **kwargs):
        with torch.device("cpu"):
            return function(*args, **kwargs)

    return call


def signatures(cases):
    """The signature of every network, built without memory."""
    params = models.regnet.BlockParams
    params.from_init_params = on_cpu(params.from_init_params)
    packages = (models, video, optical_flow)
    names = [name for package in packages for name in models.list_models(package)]
    found = {}
    with torch.device("meta"):
        for name in names:
            options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
            found[name] = cases.signature(models.get_model(name, **options))
    return found


def main(wanted):
    warnings.simplefilter("ignore")
    cases = load(FOLDER / "parity_cases.py")
    path = FOLDER / "golden" / "outputs.npz"
    recorded = dict(np.load(path)) if wanted and path.exists() else {}
    for name in wanted or cases.CASES:
        output, gradient = cases.evaluate(name, torch, models)
        recorded |= {f"{name}.output": output, f"{name}.gradient": gradient}
        if name in cases.SEEDED:
            recorded[f"{name}.drawn"] = cases.drawn(name, torch, models)
        recorded[f"{name}.case"] = np.array(str(cases.CASES[name]))
        print(f"{name:24}", np.abs(output).max(), np.abs(gradient).max())
    np.savez_compressed(path, **recorded)
    print(path.name, path.stat().st_size, "bytes")
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in signatures(cases).items()]
    (FOLDER / "golden" / "signatures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
