"""Records what torchvision gives for the cases of tests/vision: run where it is installed.

python tools/goldens/vision.py [FAMILY_GROUP ...]
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision import io, ops, tv_tensors, utils
from torchvision.transforms import v2

TESTS = Path(__file__).parents[2] / "tests" / "vision"
FAMILIES = {"transforms": (torch, v2, tv_tensors, utils, io), "ops": (torch, ops)}


def load(path):
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(wanted):
    for family, modules in FAMILIES.items():
        cases = load(TESTS / family / "parity_cases.py")
        for group, texts in cases.GROUPS.items():
            name = f"{family}_{group}"
            if wanted and name not in wanted:
                continue
            recorded = {}
            for number, case in enumerate(texts):
                found = cases.evaluate(group, case, *modules)
                recorded |= {f"{number}.{part}": array for part, array in enumerate(found)}
                recorded[f"{number}.case"] = np.array(case)
            path = TESTS / "golden" / f"{name}.npz"
            np.savez_compressed(path, **recorded)
            print(path.name, len(texts), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
