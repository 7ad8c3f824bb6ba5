"""Records what torchvision's networks for segmentation give, for tests/vision/models.

python tools/goldens/vision_segmentation.py
"""

import json

import numpy as np
import torch
import torchvision
from torchvision.models import segmentation
from vision_detection import TESTS, digest, generated, load


def main():
    cases = load("segmentation_cases")
    recorded = {}
    for name in cases.NETWORKS:
        found = cases.evaluate(name, torch, segmentation, generated)
        recorded |= {f"{name}.{key}": x for key, x in found.items()}
        print(name, {key: (x.shape, x.std()) for key, x in found.items()})
    np.savez_compressed(TESTS / "golden" / "segmentation.npz", **recorded)
    networks = {
        name: digest(torchvision.models.get_model(
            name, weights=None, weights_backbone=None,
            **({} if name.startswith("lraspp") else {"aux_loss": True}),
        ))
        for name in torchvision.models.list_models(module=segmentation)
    }  # fmt: skip
    (TESTS / "golden" / "segmentation.json").write_text(json.dumps(networks, indent=1) + "\n")


if __name__ == "__main__":
    main()
