"""Train the recogniser of digit strings that tallowaudio brings, or measure it.

    python tools/pretrain/digit_strings.py --data fsdd.zip --out runs/digit_strings
    python tools/pretrain/digit_strings.py --data fsdd.zip --measure

--data is the Free Spoken Digit Dataset, a zip file of its repository. The recipe is that of
examples/speech_recognition: AdamW, one cycle of the learning rate, strings of 3 to 7 recordings,
a tenth of the steps told where digits lie, then CTC. Interrupted, the same command goes on from
the last hundred steps. The test recordings, 0 to 4 of each speaker and digit, are heard once, at
the end. Written to --out: digit_strings.safetensors, float16. --measure measures what is shipped.
"""

import argparse
import sys
from pathlib import Path

import tallow
from tallow.utils.download import digest_of
from tallowaudio.models import StreamingRecognizer
from tallowaudio.pipelines import DIGIT_STRINGS

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "speech_recognition"))
import data
import train


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the zip file of the recordings")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=16, help="strings of digits to a step")
    parser.add_argument("--lr", type=float, default=4e-3, help="the highest learning rate")
    parser.add_argument("--strings", type=int, default=1000, help="strings to be tested on")
    parser.add_argument("--seed", type=int, default=0)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path)
    what.add_argument("--measure", action="store_true", help="measure the shipped weights")
    return parser.parse_args()


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    learnt, chosen, test = data.load(options.data)
    path = DIGIT_STRINGS.path
    if not options.measure:
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / DIGIT_STRINGS.file
        model = StreamingRecognizer(data.LABELS)
        state = options.out / "state.pt"
        train.train(
            model, learnt, options.steps, options.batch_size, options.lr, options.seed, state
        )
        model.save(path, tallow.float16)
    model = StreamingRecognizer.load(path)
    for name, part, seed in (("to choose by", chosen, 1), ("to be tested on", test, 2)):
        rate, _ = train.evaluate(model, part, options.strings, options.seed + seed)
        print(f"character error rate on {options.strings} strings of recordings {name}: {rate:.2%}")
    print(f"{path}: {path.stat().st_size} bytes, SHA-256 {digest_of(path, 'sha256')}")


if __name__ == "__main__":
    main()
