"""Train a small network on generated videos: the weights of `r2plus1d_tiny` that come along.

    python tools/pretrain/moving_shapes.py --out runs/r2plus1d_tiny

The recipe is that of examples/video_classification, with its defaults. Written to --out:
weights.safetensors, float16.

    python tools/pretrain/moving_shapes.py --out runs/r2plus1d_tiny --test

measures the weights that are in the package, on the 800 videos that the example holds out.
"""

import argparse
import sys
from pathlib import Path

import tallow
from tallowvision.models.video import r2plus1d_tiny

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "video_classification"))

import moving  # noqa: E402
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
    """Print how many of the videos that are held out are understood."""
    videos, labels = moving.dataset(800, 8, 1_000_000).tensors
    right = (train.predictions(model, videos, "cpu") == labels).float()
    for number, name in enumerate(moving.CLASSES):
        print(f"{name:>12}  {right[labels == number].mean().item():6.1%}")
    print(f"accuracy on {len(labels)} videos: {right.mean().item():.2%}")


def main():
    options = parse_arguments()
    if options.test:
        test(r2plus1d_tiny(weights="DEFAULT"))
        return
    train.main(["--seed", str(options.seed), "--out", str(options.out)])
    state = tallow.load(options.out / "model.safetensors")
    state = {k: x.half() if x.is_floating_point() else x for k, x in state.items()}
    tallow.save(state, options.out / "weights.safetensors")


if __name__ == "__main__":
    main()
