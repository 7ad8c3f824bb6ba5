"""Train a small detector of blood cells: the weights of `fcos_tiny` that tallowvision brings.

    python tools/pretrain/blood_cells.py --data bccd.zip --out runs/blood_cells

--data is the BCCD data set, a folder or zip file in VOC's format. The recipe is that of
examples/object_detection, in two steps: 12 epochs on the list `train`, then 8 on `trainval` from
there, with half the learning rate. The pictures of `test` are looked at after each. Interrupted,
the same command goes on from the last whole epoch. Written to --out: weights.safetensors, float16.

    python tools/pretrain/blood_cells.py --data bccd.zip --out runs/blood_cells --test

measures the weights that are in the package.
"""

import argparse
import sys
from pathlib import Path

import tallow
from tallow.utils.data import DataLoader
from tallowvision.models.detection import fcos_tiny

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "object_detection"))

import data  # noqa: E402
import train  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder or zip file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="measure the weights that there are")
    return parser.parse_args()


def halved(state):
    """A state dict in float16, apart from what counts."""
    return {k: x.half() if x.is_floating_point() else x for k, x in state.items()}


def test(model, path):
    """Print how well the pictures of `test` are understood."""
    pictures = data.Pictures(data.Files(path), "test", train.SIZE, ["Platelets", "RBC", "WBC"])
    loader = DataLoader(pictures, 8, collate_fn=data.collate)
    print(train.measured(*train.predict(model, loader, "cpu"), pictures.classes))


def main():
    options = parse_arguments()
    if options.test:
        test(fcos_tiny(weights="DEFAULT"), options.data)
        return
    common = ["--data", str(options.data), "--seed", str(options.seed)]
    first, second = options.out / "first", options.out / "second"
    train.main([*common, "--train", "train", "--epochs", "12", "--out", str(first)])
    model, _ = train.main([
        *common, "--weights", str(first / "model.safetensors"), "--epochs", "8", "--lr", "1.5e-3",
        "--out", str(second),
    ])  # fmt: skip
    tallow.save(halved(model.state_dict()), options.out / "weights.safetensors")
    model.half().float()
    test(model, options.data)


if __name__ == "__main__":
    main()
