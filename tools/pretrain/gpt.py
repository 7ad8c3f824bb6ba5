"""Train the small GPT that tallowtext brings, with its tokenizer, on a text.

    python tools/pretrain/gpt.py --data tinyshakespeare.txt --out runs/gpt

The last twentieth of the text is held out. The recipe: byte-pair tokens of the rest, windows of it
at random places, AdamW with a learning rate that rises over the first twentieth of the steps and
falls as a cosine, dropout. Interrupted, the same command goes on from the last checkpoint. Written
to --out: config.json, model.safetensors (float16) and tokenizer.json, in Hugging Face's layout.
"""

import argparse
import math
from pathlib import Path

from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import LambdaLR
from tallow.utils.checkpointing import CheckpointManager
from tallowtext import Tokenizer
from tallowtext.models import GPT2Conf, GPT2Model


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a text, UTF-8")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2.5e-3, help="the highest learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--vocabulary", type=int, default=1024, help="tokens")
    parser.add_argument("--length", type=int, default=128, help="tokens of a window")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def loss_of(model, windows):
    """The mean negative log likelihood of each token after the first, in windows (N, L + 1)."""
    scores = model(windows[:, :-1])
    return nn.functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())


@tallow.inference_mode()
def held_out_loss(model, tokens, length):
    """The mean loss of a token over the windows of a text, one behind the other."""
    model.eval()
    windows = tokens.unfold(0, length + 1, length)
    losses = [loss_of(model, some) * len(some) for some in windows.split(32)]
    return sum(loss.item() for loss in losses) / len(windows)


def train(model, tokens, held_out, options):
    """Train to the end, from the last checkpoint on."""
    optimizer = AdamW(
        model.parameters(), options.lr, betas=(0.9, 0.99), weight_decay=options.weight_decay
    )
    warm = options.steps / 20

    def share(step):
        along = min(step / options.steps, 1)
        return min((step + 1) / warm, 0.52 + 0.48 * math.cos(math.pi * along))

    parts = {"model": model, "optimizer": optimizer, "scheduler": LambdaLR(optimizer, share)}
    checkpoints = CheckpointManager(options.out / "checkpoints", keep=1)
    done = 0
    if (latest := checkpoints.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(latest[name])
        done = latest["steps"]
    every = max(options.steps // 10, 1)
    span = tallow.arange(options.length + 1)
    steps = range(done, options.steps)
    progress = tqdm(steps, "training", options.steps, initial=done, unit="step")
    for step in progress:
        tallow.manual_seed(options.seed + step)
        model.train()
        starts = tallow.randint(len(tokens) - options.length, (options.batch_size, 1))
        loss = loss_of(model, tokens[starts + span])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        parts["scheduler"].step()
        progress.set_postfix(loss=f"{loss.item():.3f}")
        if (step + 1) % every == 0:
            measured = held_out_loss(model, held_out, options.length)
            progress.write(f"step {step + 1}: loss {loss.item():.3f}, held out {measured:.3f}")
            state = {name: part.state_dict() for name, part in parts.items()}
            checkpoints.save({**state, "steps": step + 1}, step=step + 1)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    text = options.data.read_text(encoding="utf-8")
    cut = len(text) - len(text) // 20
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.train(text[:cut].splitlines(True), "bpe", options.vocabulary)
    tokenizer.save(options.out / "tokenizer.json")
    tokens, held_out = (tallow.tensor(tokenizer.encode(part)) for part in (text[:cut], text[cut:]))
    config = GPT2Conf(
        len(tokenizer), options.width, options.heads, options.layers, options.length,
        dropout=options.dropout,
    )  # fmt: skip
    model = GPT2Model(config)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{len(tokens)} tokens to learn from, {len(held_out)} held out; {count:,} parameters")
    train(model, tokens, held_out, options)

    model.half().save_pretrained(options.out)
    model = GPT2Model.from_pretrained(options.out).float()
    loss = held_out_loss(model, held_out, options.length)
    characters = loss * len(held_out) / (len(text) - cut)
    print(f"held out: {math.exp(loss):.2f} perplexity a token, {characters:.3f} nats a character")
    tallow.manual_seed(options.seed)
    prompt = tallow.tensor([tokenizer.encode("ROMEO:\n")])
    print(tokenizer.decode(model.generate(prompt, 100, do_sample=True, top_k=40)[0]))


if __name__ == "__main__":
    main()
