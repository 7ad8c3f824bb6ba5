"""Train the classifier of spoken digits that tallowaudio brings.

    python tools/pretrain/spoken_digits.py --data fsdd.zip --out runs/digits

--data is the Free Spoken Digit Dataset, as a zip file or a folder. The recipe is that of
examples/speech_commands: AdamW, one cycle of the learning rate, label smoothing; recordings moved
in time, with hiss, with bands and spans covered. The test recordings, 0 to 4 of each speaker and
digit, are looked at once, at the end. Interrupted, the same command goes on from the last whole
epoch. Written to --out: weights.safetensors, float16, and its SHA-256 on the terminal.
"""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

import tallow
from tallow.utils.checkpointing import CheckpointManager
from tallow.utils.download import digest_of

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "speech_commands"))
import data
import train


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a zip file or a folder")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main():
    options = parse_arguments()
    learnt, tested = data.load(options.data)
    parts = dict(
        zip(
            ("model", "optimizer", "scheduler"),
            train.training(options, len(learnt) // options.batch_size),
            strict=True,
        )
    )
    checkpoints = CheckpointManager(options.out / "checkpoints", keep=1)
    done = 0
    if (latest := checkpoints.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(latest[name])
        done = latest["epochs"]
    progress = tqdm(range(done, options.epochs), initial=done, total=options.epochs, unit="epoch")
    for epoch in progress:
        tallow.manual_seed(options.seed + epoch + 1)
        loss = train.train_epoch(*parts.values(), learnt, options.batch_size)
        progress.set_postfix(loss=f"{loss:.4f}")
        state = {name: part.state_dict() for name, part in parts.items()}
        checkpoints.save({**state, "epochs": epoch + 1}, step=epoch + 1)

    model = parts["model"].half().float()
    path = options.out / "weights.safetensors"
    half = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    tallow.save(half, path)
    accuracy = train.accuracy(train.scores_of(model, tested), tested)
    print(f"accuracy on {len(tested)} test recordings: {accuracy:.2%}")
    print(f"{path}: {path.stat().st_size} bytes, SHA-256 {digest_of(path, 'sha256')}")


if __name__ == "__main__":
    main()
