"""Records what SoX gives for the effects of tests/audio: run where torchaudio 2.3 finds libsox.

python tools/goldens/audio_sox.py
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
import torchaudio

TESTS = Path(__file__).parents[2] / "tests" / "audio"


def main():
    spec = importlib.util.spec_from_file_location("sox_cases", TESTS / "sox_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    found = {}
    for number in range(len(cases.CASES)):
        wave, rate, effects = cases.given(number)
        made, rate = torchaudio.sox_effects.apply_effects_tensor(
            torch.from_numpy(wave), rate, effects
        )
        found[f"{number}"] = np.int16(np.rint(made.numpy() * 32767.0))
        found[f"rate {number}"] = rate
    path = TESTS / "golden" / "sox.npz"
    np.savez_compressed(path, cases=np.array([str(case) for case in cases.CASES]), **found)
    print(path.name, len(cases.CASES), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
