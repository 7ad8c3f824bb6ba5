"""Train the detector of speech that tallowaudio brings, or measure it.

    python tools/pretrain/voice_activity.py --data fsdd.zip --out runs/voice_activity
    python tools/pretrain/voice_activity.py --data fsdd.zip --measure

--data is the Free Spoken Digit Dataset, a zip file of its repository. The recipe is that of
examples/voice_activity, a minute on a core, hence nothing is kept to go on from. Written to --out:
voice_activity.safetensors, float16. --measure measures what is shipped.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import tallow
from tallow.utils.download import digest_of
from tallowaudio.models import VoiceDetector
from tallowaudio.pipelines import VOICE_ACTIVITY

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "voice_activity"))
import train
from train import data


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the zip file of the recordings")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-2, help="the highest learning rate")
    parser.add_argument("--strings", type=int, default=100, help="sounds to be tested on, a level")
    parser.add_argument("--seed", type=int, default=0)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path)
    what.add_argument("--measure", action="store_true", help="measure the shipped weights")
    return parser.parse_args()


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    learnt, _, test = data.load(options.data)
    path = VOICE_ACTIVITY.path
    if not options.measure:
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / VOICE_ACTIVITY.file
        model = VoiceDetector()
        train.train(model, learnt, options.steps, options.batch_size, options.lr, options.seed)
        model.save(path, tallow.float16)
    model = VoiceDetector.load(path)
    for level in (20, 10, 0):
        error, right = train.evaluate(model, test, options.strings, level, options.seed + 1)
        print(f"noise {level:2} dB below: equal error rate {error:.2%}, frames right {right:.2%}")
    rng = np.random.default_rng(options.seed)
    sound, *_ = data.string(rng, test, False, train.PAUSES, (10, 10))
    print(f"{train.seconds_a_frame(model, sound) * 1e3:.2f} ms for a frame of 30 ms")
    print(f"{path}: {path.stat().st_size} bytes, SHA-256 {digest_of(path, 'sha256')}")


if __name__ == "__main__":
    main()
