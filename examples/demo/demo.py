"""What tallow does, in two minutes and one page: demo/report.html.

    make demo
    python examples/demo/demo.py --pictures holiday/*.jpg --recordings digits.wav

A network learns handwritten digits. Models that came with the packages then read the mood of ten
sentences, find neighbours of words, write lines in the manner of Shakespeare, and find the melody
of a sound that is made here. With --pictures the classifier of ten kinds of things looks at yours,
with --recordings the recogniser of spoken digits listens to yours.
"""

import argparse
import base64
import html
import io
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

import tallow

HERE = Path(__file__).parent
SENTENCES = """
A warm, funny and utterly charming film from beginning to end.
Two hours of my life that I will never get back.
The actors do what they can, but the story is a mess.
Beautifully shot, with a performance that stays with you for days.
It is dull, it is loud, and it goes on forever.
A small gem: honest, moving and wonderfully acted.
Every joke falls flat and the ending makes no sense.
Smart, quick and full of surprises.
The plot is thin and the dialogue is embarrassing.
An enchanting tale that both children and adults will love.
""".strip().splitlines()
WORDS = "king monday music river happy war".split()
MELODY = [262, 294, 330, 349, 392, 440, 494, 523]  # Hz, the scale of C major

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>tallow</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
img {{ max-width: 100% }} h2 {{ margin-top: 2.5rem }} pre {{ background: #f5f3ee; padding: 1rem }}
td, th {{ padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }}
mark {{ padding: 0 .1em; border-radius: .2em }} small {{ color: #777 }}
</style><h1>tallow</h1>{body}</html>"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10, help="of learning the digits")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="yours, to classify")
    parser.add_argument("--recordings", type=Path, nargs="*", default=[], help="of spoken digits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    return parser.parse_args()


def picture(data, text):
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{html.escape(text)}" src="data:image/png;base64,{encoded}">'


def drawn(draw, size, text):
    """The picture that `draw(axis)` makes with matplotlib."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=size, layout="constrained")
    draw(axis)
    file = io.BytesIO()
    figure.savefig(file, dpi=110)
    plt.close(figure)
    return picture(file.getvalue(), text)


def table(rows):
    """Rows of cells that are HTML already."""
    return "<table>" + "".join(f"<tr><td>{'<td>'.join(row)}" for row in rows) + "</table>"


def digits(options):
    """A network learns 1,438 handwritten digits, and reads 359 that it has not seen"""
    out = options.out / "digits"
    command = [sys.executable, HERE.parent / "image_classification" / "train.py", "--out", out]
    command += ["--epochs", str(options.epochs), "--seed", str(options.seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    pictures = [
        picture((out / f"{name}.png").read_bytes(), name) for name in ("curves", "predictions")
    ]
    return f"{''.join(pictures)}<pre>{html.escape(done.stdout)}</pre>"


def moods(options):
    """The mood of sentences, and the words that it was read from"""
    from tallowtext.models import Reader

    rows = []
    for answer in Reader("sentiment", words=4)(SENTENCES):
        text, shown, end = answer["text"], "", 0
        for word in answer["words"]:
            speaks = (answer["label"] == "positive") == (word["importance"] > 0)
            colour = "#bfe3c0" if speaks else "#f3c0b8"
            shown += html.escape(text[end : word["start"]])
            shown += f'<mark style="background: {colour}">{html.escape(word["word"])}</mark>'
            end = word["end"]
        label = f"{answer['label']} {answer['probability']:.0%}"
        rows.append((label, shown + html.escape(text[end:])))
    return table(rows)


def neighbours(options):
    """Words and those that stand in like places"""
    from tallowtext.models import word_vectors

    vectors = word_vectors()
    return table((f"<b>{w}</b>", ", ".join(n for n, _ in vectors.nearest(w, 6))) for w in WORDS)


def lines(options):
    """Lines in the manner of Shakespeare, by a network of a million numbers"""
    from tallowtext.models import ShakespeareGPT_Weights, shakespeare_gpt

    tallow.manual_seed(options.seed)
    tokenizer, model = ShakespeareGPT_Weights.DEFAULT.transforms(), shakespeare_gpt()
    tokens = tallow.tensor([tokenizer.encode("ROMEO:\n")])
    written = model.generate(tokens, 110, do_sample=True, temperature=0.7, top_k=40)
    return f"<pre>{html.escape(tokenizer.decode(written[0]))}</pre>"


def melody(options):
    """A scale, made of sines, and its pitch, found again"""
    from tallowaudio import functional, transforms

    rate = 16000
    times = tallow.arange(rate // 4) / rate
    fading = tallow.exp(-6 * times)
    notes = [
        sum(tallow.sin(2 * tallow.pi * f * k * times) / k**2 for k in range(1, 6)) * fading
        for f in MELODY
    ]
    sound = tallow.cat(notes).unsqueeze(0) * 0.4
    power = transforms.AmplitudeToDB(top_db=70)(transforms.Spectrogram(1024, hop_length=128)(sound))
    pitch = functional.detect_pitch_frequency(sound, rate, freq_low=200, freq_high=800)[0]
    seconds = sound.shape[1] / rate

    def draw(axis):
        shown = power[0, :200].numpy()
        axis.imshow(shown, origin="lower", aspect="auto", extent=(0, seconds, 0, 200 * rate / 1024))
        axis.plot(tallow.linspace(0, seconds, len(pitch)).numpy(), pitch.numpy(), "w.", ms=3)
        axis.set(xlabel="seconds", ylabel="Hz", ylim=(0, 2000))

    return drawn(draw, (9, 3), "spectrogram with the pitch")


def things(options):
    """Your pictures, as a network sees them that knows ten kinds of things"""
    from PIL import Image

    from tallowvision import models

    weights = models.ResNet20_Weights.DEFAULT
    model, transforms = models.resnet20(weights=weights).eval(), weights.transforms()
    rows = []
    for path in options.pictures:
        image = Image.open(path).convert("RGB")
        shares = model(transforms(image).unsqueeze(0)).softmax(1)[0]
        best = shares.topk(3)
        image.thumbnail((160, 160))
        image.save(file := io.BytesIO(), "png")
        names = (weights.meta["categories"][i] for i in best.indices.tolist())
        said = (f"{n} {v:.0%}" for n, v in zip(names, best.values.tolist(), strict=True))
        rows.append((picture(file.getvalue(), path.name), "<br>".join(said)))
    return table(rows)


def spoken(options):
    """Your recordings of digits, written down"""
    command = [sys.executable, "-m", "tallowaudio", "transcribe", *options.recordings]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return f"<pre>{html.escape(done.stdout)}</pre>"


def main():
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    parts = [digits, moods, neighbours, lines, melody]
    parts += [things] * bool(options.pictures) + [spoken] * bool(options.recordings)
    body = ""
    for part in tqdm(parts, "demo", unit="part"):
        start = time.perf_counter()
        found = part(options)
        took = time.perf_counter() - start
        body += f"<h2>{part.__doc__}</h2>{found}<small>{took:.1f} s</small>"
    report = options.out / "report.html"
    report.write_text(PAGE.format(body=body), encoding="utf-8")
    print(f"report: {report}")


if __name__ == "__main__":
    main()
