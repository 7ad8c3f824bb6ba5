"""Records what torchvision gives for the cases of tests/vision: run where it is installed.

python tools/goldens/vision.py [GROUP ...]
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision import io, tv_tensors, utils
from torchvision.transforms import v2

TESTS = Path(__file__).parents[2] / "tests" / "vision"


def load(path):
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(groups):
    cases = load(TESTS / "transforms" / "parity_cases.py")
    for group in groups or cases.GROUPS:
        recorded = {}
        for number, case in enumerate(cases.GROUPS[group]):
            found = cases.evaluate(group, case, torch, v2, tv_tensors, utils, io)
            recorded |= {f"{number}.{part}": array for part, array in enumerate(found)}
            recorded[f"{number}.case"] = np.array(case)
        path = TESTS / "golden" / f"transforms_{group}.npz"
        np.savez_compressed(path, **recorded)
        print(path.name, len(cases.GROUPS[group]), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
