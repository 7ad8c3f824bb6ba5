"""Records what torchaudio gives for the cases of tests/audio: run where it is installed.

python tools/goldens/audio.py [GROUP ...]

By default all groups but "bands", which torchaudio had as prototypes until 2.8.
"""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torchaudio.compliance import kaldi

TESTS = Path(__file__).parents[2] / "tests" / "audio"


def main(groups):
    spec = importlib.util.spec_from_file_location("parity_cases", TESTS / "parity_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    for group in groups or cases.GROUPS.keys() - {"bands"}:
        home = "torchaudio.prototype" if group == "bands" else "torchaudio"
        parts = [import_module(f"{home}.{part}") for part in ("transforms", "functional")]
        given = torch, *parts, kaldi
        found = {case: cases.evaluate(case, *given) for case in cases.GROUPS[group]}
        path = TESTS / "golden" / f"{group}.npz"
        names = {f"{i}": array for i, array in enumerate(found.values())}
        np.savez_compressed(path, cases=np.array(list(found)), **names)
        print(path.name, len(found), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
