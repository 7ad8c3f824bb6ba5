"""Train a small U-Net on generated shapes: the weights of `unet_tiny` that tallowvision brings.

    python tools/pretrain/shapes.py --out runs/unet_tiny

The recipe is that of examples/segmentation, with its defaults. Written to --out:
weights.safetensors, float16.

    python tools/pretrain/shapes.py --out runs/unet_tiny --test

measures the weights that are in the package, on the 500 pictures that the example holds out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import tallow
from tallow.utils.data import DataLoader
from tallowvision.models.segmentation import unet_tiny

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "segmentation"))

import shapes  # noqa: E402
import train  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="measure the weights that there are")
    return parser.parse_args()


def test(model):
    """Print how well the pictures that are held out are understood."""
    found = train.overlaps(model, DataLoader(shapes.dataset(500, 64, 1_000_000), 50), "cpu")
    for name, value in zip(shapes.CLASSES, found, strict=True):
        print(f"{name:>12}  {value:.3f}")
    print(f"mean IoU on 500 pictures: {np.nanmean(found):.3f}")


def main():
    options = parse_arguments()
    if options.test:
        test(unet_tiny(weights="DEFAULT"))
        return
    train.main(["--seed", str(options.seed), "--out", str(options.out)])
    state = tallow.load(options.out / "model.safetensors")
    state = {k: x.half() if x.is_floating_point() else x for k, x in state.items()}
    tallow.save(state, options.out / "weights.safetensors")


if __name__ == "__main__":
    main()
