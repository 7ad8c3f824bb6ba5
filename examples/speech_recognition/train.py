"""Train a recogniser of strings of spoken digits, and show what it hears.

    python train.py --data fsdd.zip

The recordings are those of the Free Spoken Digit Dataset, a zip file of its repository. Written to
--out: recognizer.safetensors, which `python -m tallowaudio transcribe --model` and listen.py take;
alignment.png, where in a string which digit was heard; and state.pt, from which a run that was
stopped goes on.
"""

import argparse
from pathlib import Path
from time import perf_counter

import data
import numpy as np
import report

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.progress import progress
from tallowaudio.metrics import align, character_error_rate
from tallowaudio.models import StreamingRecognizer
from tallowaudio.models.decoder import ctc_decoder, ctc_greedy


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the zip file of the recordings")
    source.add_argument("--generated", action="store_true", help="sounds made up")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=16, help="strings of digits to a step")
    parser.add_argument("--lr", type=float, default=4e-3, help="the highest learning rate")
    parser.add_argument("--strings", type=int, default=500, help="strings to be tested on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/speech_recognition"))
    return parser.parse_args()


def frame_labels(strings, shape, stride):
    """Labels (N, frames): each digit from its middle to its end, and blanks between."""
    labels = np.zeros(shape, np.int64)
    for row, (_, digits, places) in enumerate(strings):
        for digit, (start, end) in zip(digits, places, strict=True):
            labels[row, (start + end) // 2 // stride : end // stride + 1] = digit + 1
    return tallow.from_numpy(labels)


def train_step(model, optimizer, strings, warm_up):
    """One step on a batch of strings; returns the loss. The warm-up is told where digits lie, since
    CTC alone takes long to find that there is more than blanks.
    """
    waveforms, lengths, labels, counts = data.batch(strings)
    scores, frames = model(waveforms, lengths)
    if warm_up:
        wanted = frame_labels(strings, scores.shape[:2], model.stride)
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten())
    else:
        log_probs = scores.log_softmax(-1).transpose(0, 1)
        loss = nn.functional.ctc_loss(log_probs, labels, frames, counts)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def train(model, recordings, steps, batch_size, lr, seed, state):
    """Train with a progress bar. Each step's random numbers depend on its number alone, so a run
    that goes on from the file `state` gives what one without a break gives.
    """
    optimizer = AdamW(model.parameters(), lr=lr, weight_decay=1e-2)
    scheduler = OneCycleLR(optimizer, max_lr=lr, total_steps=steps, pct_start=0.1)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    done = 0
    if state.exists():
        saved = tallow.load(state)
        done = saved["done"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    model.train()
    bar = progress(range(done, steps), "training", steps, initial=done, unit="step")
    for step in bar:
        rng = np.random.default_rng((seed, step))
        tallow.manual_seed(int(rng.integers(2**31)))  # for dropout
        strings = [data.string(rng, recordings, True, quiet=(5, 40)) for _ in range(batch_size)]
        loss = train_step(model, optimizer, strings, warm_up=step < steps // 10)
        scheduler.step()
        bar.set_postfix(loss=f"{loss:.3f}")
        if (step + 1) % 100 == 0:
            kept = {name: part.state_dict() for name, part in parts.items()}
            tallow.save(kept | {"done": step + 1}, state)


@tallow.no_grad()
def recognize(model, strings):
    """What the model hears in strings, one text for each."""
    model.eval()
    found = []
    for start in range(0, len(strings), 50):
        waveforms, lengths, *_ = data.batch(strings[start : start + 50])
        found += ctc_greedy(*model(waveforms, lengths), model.labels)
    return found


def evaluate(model, recordings, count, seed):
    """The character error rate on strings of recordings, and the `Alignment` of each."""
    rng = np.random.default_rng(seed)
    strings = [data.string(rng, recordings) for _ in range(count)]
    alignments = [
        align("".join(map(str, spoken)), heard)
        for (_, spoken, _), heard in zip(strings, recognize(model, strings), strict=True)
    ]
    errors = sum(alignment.errors for alignment in alignments)
    return errors / sum(len(spoken) for _, spoken, _ in strings), alignments


@tallow.no_grad()
def evaluate_beam(model, recordings, count, seed):
    """The character error rate of beam search, and how much of the sounds' time it takes."""
    rng = np.random.default_rng(seed)
    strings = [data.string(rng, recordings) for _ in range(count)]
    waveforms, lengths, *_ = data.batch(strings)
    scores, frames = model(waveforms, lengths)
    decoder = ctc_decoder(None, list(model.labels), sil_token=model.labels[0], beam_size=20)
    start = perf_counter()
    found = decoder(scores.log_softmax(-1).contiguous(), frames)
    took = perf_counter() - start
    heard = ["".join(decoder.idxs_to_tokens(best[0].tokens)) for best in found]
    said = ["".join(map(str, spoken)) for _, spoken, _ in strings]
    return character_error_rate(said, heard), took / (lengths.sum().item() / data.RATE)


def main():
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.manual_seed(options.seed)
    parts = data.generated() if options.generated else data.load(options.data)
    learnt, chosen, test = parts
    model = StreamingRecognizer(data.LABELS)
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(learnt.samples)} recordings to learn from; {count:,} parameters")
    state = options.out / "state.pt"
    train(model, learnt, options.steps, options.batch_size, options.lr, options.seed, state)
    model.save(options.out / "model.safetensors", tallow.float16)

    model = StreamingRecognizer.load(options.out / "model.safetensors")
    rate, _ = evaluate(model, chosen, options.strings, options.seed + 1)
    print(f"character error rate on recordings to choose by: {rate:.2%}")
    rate, alignments = evaluate(model, test, options.strings, options.seed + 2)
    for alignment in [a for a in alignments if a.errors][:3]:
        print(f"\n{alignment}")
    print(f"\ncharacter error rate on recordings to be tested on: {rate:.2%}")
    rate, share = evaluate_beam(model, test, min(options.strings, 50), options.seed + 2)
    print(
        f"of the first 50 by beam search: {rate:.2%}, in {share:.4f} of the time they take to say"
    )
    rng = np.random.default_rng(options.seed + 2)
    report.draw(model, data.string(rng, test), options.out / "alignment.png")
    print(f"written to {options.out}: model.safetensors, alignment.png")


if __name__ == "__main__":
    main()
