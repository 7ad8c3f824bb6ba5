"""Records what torchaudio's models give for the cases of tests/audio/models: run where it is.

python tools/goldens/audio_models.py
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torchaudio import models

TESTS = Path(__file__).parents[2] / "tests" / "audio"


def main():
    spec = importlib.util.spec_from_file_location("cases", TESTS / "models" / "cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    arrays = {
        f"{name}.{i}": array
        for name in cases.CASES
        for i, array in enumerate(cases.evaluate(name, torch, models))
    }
    path = TESTS / "golden" / "models.npz"
    np.savez_compressed(path, **arrays)
    print(f"{path.name}: {len(cases.CASES)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
