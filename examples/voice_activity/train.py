"""Train a detector of speech that listens frame by frame, and show what it takes for speech.

    python train.py --data fsdd.zip       the Free Spoken Digit Dataset, a zip of its repository
    python train.py --generated           chords instead of speech

Digits with pauses of up to two seconds lie in noise of all colours, which may be as loud as they
are; each frame of 30 ms is speech or is not. Written to --out: model.safetensors, a detector for
`tallowaudio.models.VoiceDetector.load`, and detected.png. The sounds are made by the data.py of
the example speech_recognition.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import report

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.progress import progress
from tallowaudio.metrics import equal_error_rate
from tallowaudio.models import VoiceDetector

sys.path.insert(0, str(Path(__file__).parents[1] / "speech_recognition"))
import data

PAUSES = (0.1, 2.0)  # seconds


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the zip file of the recordings")
    source.add_argument("--generated", action="store_true", help="sounds made up")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-2, help="the highest learning rate")
    parser.add_argument("--strings", type=int, default=100, help="sounds to be tested on, a level")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/voice_activity"))
    return parser.parse_args()


def labelled(model, strings):
    """Waveforms (N, time), lengths, and for each frame whether its middle is speech: 1 or 0."""
    waveforms, lengths, *_ = data.batch(strings)
    middles = (np.arange(model.frames(waveforms.shape[1])) + 0.5) * model.stride
    speech = np.zeros((len(strings), len(middles)), np.float32)
    for row, (_, _, places) in enumerate(strings):
        for start, end in places:
            speech[row] += (middles >= start) & (middles < end)
    return waveforms, lengths, tallow.from_numpy(speech)


def train(model, recordings, steps, batch_size, lr, seed):
    """Train with a progress bar."""
    optimizer = AdamW(model.parameters(), lr=lr)
    scheduler = OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    rng = np.random.default_rng(seed)
    model.train()
    bar = progress(range(steps), "training", unit="step")
    for _ in bar:
        strings = [data.string(rng, recordings, True, PAUSES, (0, 30)) for _ in range(batch_size)]
        waveforms, lengths, speech = labelled(model, strings)
        logits, frames = model(waveforms, lengths)
        valid = (tallow.arange(speech.shape[1]) < frames[:, None]).float()
        loss = nn.functional.binary_cross_entropy_with_logits(logits[..., 0], speech, valid)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")


@tallow.no_grad()
def evaluate(model, recordings, count, level, seed):
    """The equal error rate of frames, and the share that is right, with noise `level` dB below."""
    model.eval()
    rng, scores, labels = np.random.default_rng(seed), [], []
    for _ in range(count):
        string = data.string(rng, recordings, False, PAUSES, (level, level))
        waveforms, lengths, speech = labelled(model, [string])
        scores.append(model(waveforms, lengths)[0].flatten())
        labels.append(speech.flatten())
    scores, labels = tallow.cat(scores), tallow.cat(labels)
    right = ((scores > 0) == (labels > 0)).float().mean().item()
    return equal_error_rate(scores, labels)[0], right


def seconds_a_frame(model, sound):
    """How long a frame of 30 ms takes the detector that hears one after another: the median."""
    stream, took = model.stream(), []
    for piece in tallow.from_numpy(sound).split(model.stride):
        start = time.perf_counter()
        stream(piece)
        took.append(time.perf_counter() - start)
    return float(np.median(took))


def main():
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.manual_seed(options.seed)
    parts = data.generated() if options.generated else data.load(options.data)
    learnt, _, test = parts
    model = VoiceDetector()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    train(model, learnt, options.steps, options.batch_size, options.lr, options.seed)
    model.save(options.out / "model.safetensors", tallow.float16)

    model = VoiceDetector.load(options.out / "model.safetensors")
    for level in (20, 10, 0):
        error, right = evaluate(model, test, options.strings, level, options.seed + 1)
        print(f"noise {level:2} dB below: equal error rate {error:.2%}, frames right {right:.2%}")
    string = data.string(np.random.default_rng(options.seed + 3), test, False, PAUSES, (5, 5))
    print(f"{seconds_a_frame(model, string[0]) * 1e3:.2f} ms for a frame of 30 ms")
    report.draw(model, string, options.out / "detected.png")
    print(f"written to {options.out}: model.safetensors, detected.png")


if __name__ == "__main__":
    main()
