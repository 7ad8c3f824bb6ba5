"""What tallow does, in two minutes and one page: demo/report.html.

    make demo
    python examples/demo/demo.py --pictures holiday/*.jpg --recordings digits.wav

A network learns handwritten digits. Models that came with the packages then name what is in
pictures, find blood cells, read the mood of ten sentences, write down spoken digits, find
neighbours of words, and write lines in the manner of Shakespeare. Pictures are drawn, and sounds
put together from the recordings of single digits that came with tallowaudio; with --pictures,
--smears and --recordings they are yours.
"""

import argparse
import base64
import html
import io
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pictures
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
STRINGS = {"kal": "0123456789", "rms": "31415926", "awb": "27182818"}  # what voices say
PAUSE = 0.1  # seconds after a digit

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tallow</title><style>
:root {{ --ink: #26231f; --soft: #7b746a; --line: #e4ddd0; --paper: #fffdf9; --accent: #b5652b }}
body {{ font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: #f6f1e8; margin: 0 }}
main {{ max-width: 60rem; margin: 0 auto; padding: 3rem 1.2rem }}
h1 {{ font-size: 2.6rem; margin: 0; letter-spacing: -.02em }} h1 + p {{ color: var(--soft) }}
section {{ background: var(--paper); border: 1px solid var(--line); border-radius: .8rem;
  padding: 1.2rem 1.6rem 1.6rem; margin-top: 1.6rem }}
h2 {{ font-size: 1.2rem; margin: 0 0 1rem; display: flex; gap: 1rem; align-items: baseline }}
h2 small {{ color: var(--soft); font-weight: normal; margin-left: auto; white-space: nowrap }}
img {{ max-width: 100%; border-radius: .3rem; display: block; margin: .6rem auto }}
pre {{ background: #f4efe5; padding: .8rem 1rem; overflow-x: auto; font-size: .85rem;
  border-radius: .4rem; margin-bottom: 0 }}
.grid {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1rem }}
figure {{ margin: 0; text-align: center }} figcaption {{ line-height: 1.35; font-size: .9rem }}
table {{ border-collapse: collapse; width: 100% }}
tr + tr td {{ border-top: 1px solid var(--line) }}
td {{ padding: .35rem 1rem .35rem 0; vertical-align: top }} td:first-child {{ white-space: nowrap }}
mark {{ padding: 0 .15em; border-radius: .2em; color: inherit }}
audio {{ height: 2rem; width: 100%; margin-top: .4rem }} b {{ font-weight: 600 }}
.positive, .right {{ color: #2a7f3f }} .negative, .wrong {{ color: #b03a2e }}
</style><main><h1>tallow</h1>
<p>A network trained here, and models that came with the packages, in {seconds:.0f} s.</p>
{body}</main></html>"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10, help="of learning the digits")
    parser.add_argument("--pictures", type=Path, nargs="+", help="yours, of things")
    parser.add_argument("--smears", type=Path, nargs="+", help="yours, of stained blood")
    parser.add_argument("--recordings", type=Path, nargs="+", help="yours, of spoken digits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    return parser.parse_args()


# What pages are made of


def image(data, text):
    """A picture: the bytes of a PNG file, or a PIL image."""
    if not isinstance(data, bytes):
        data.save(file := io.BytesIO(), "png")
        data = file.getvalue()
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{html.escape(text)}" src="data:image/png;base64,{encoded}">'


def table(rows):
    """Rows of cells that are HTML already."""
    return "<table>" + "".join(f"<tr><td>{'<td>'.join(row)}" for row in rows) + "</table>"


def grid(cells):
    """Pictures beside each other, with what is said of them: [(HTML, HTML)]."""
    cells = (f"<figure>{shown}<figcaption>{said}</figcaption></figure>" for shown, said in cells)
    return f'<div class="grid">{"".join(cells)}</div>'


def opened(paths):
    """The pictures in files, with their names."""
    from PIL import Image

    return [(path.name, Image.open(path).convert("RGB")) for path in paths]


# The parts of the page; the docstring is the title


def digits(options):
    """A network learns 1,438 handwritten digits, and reads 359 that it has not seen"""
    out = options.out / "digits"
    command = [sys.executable, HERE.parent / "image_classification" / "train.py", "--out", out]
    command += ["--epochs", str(options.epochs), "--seed", str(options.seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    shown = [image((out / f"{name}.png").read_bytes(), name) for name in ("curves", "predictions")]
    return f"{''.join(shown)}<pre>{html.escape(done.stdout)}</pre>"


def things(options):
    """Pictures, as ResNet-20 sees them, which knows ten kinds of things"""
    from tallowvision import models

    weights = models.ResNet20_Weights.DEFAULT
    model, transforms = models.resnet20(weights=weights).eval(), weights.transforms()
    cells = []
    for name, picture in opened(options.pictures) if options.pictures else pictures.things():
        shares = model(transforms(picture).unsqueeze(0)).softmax(1)[0]
        best = shares.topk(3)
        names = [weights.meta["categories"][i] for i in best.indices.tolist()]
        said = [f"{n} {v:.0%}" for n, v in zip(names, best.values.tolist(), strict=True)]
        picture.thumbnail((200, 200))
        cells.append((image(picture, name), f"<b>{said[0]}</b><br>{'<br>'.join(said[1:])}"))
    return grid(cells)


def cells(options):
    """Blood cells, found by a detector, with how sure it is"""
    from tallowvision.models import detection
    from tallowvision.transforms.functional import to_pil_image
    from tallowvision.utils import draw_bounding_boxes

    weights = detection.FCOS_Tiny_Weights.DEFAULT
    model, transforms = detection.fcos_tiny(weights=weights).eval(), weights.transforms()
    colours = {"RBC": "#c0392b", "WBC": "#2456a4", "Platelets": "#7d3c98"}
    drawn = [("drawn", pictures.smear(options.seed))]
    page = ""
    for name, picture in opened(options.smears) if options.smears else drawn:
        smear = transforms(picture)
        with tallow.no_grad():
            (found,) = model([smear])
        sure = found["scores"] > 0.4
        kinds = [weights.meta["categories"][kind] for kind in found["labels"][sure].tolist()]
        shares = [f"{share:.2f}" for share in found["scores"][sure].tolist()]
        colour = [colours[kind] for kind in kinds]
        boxed = draw_bounding_boxes(smear, found["boxes"][sure], shares, colour, width=2)
        counts = ", ".join(
            f'<b style="color: {colours[kind]}">{count} {kind}</b>'
            for kind, count in Counter(kinds).most_common()
        )
        page += f"<figure>{image(to_pil_image(boxed), name)}"
        page += f"<figcaption>{counts or 'none'}</figcaption></figure>"
    return page


def moods(options):
    """The mood of sentences, read from words that are green for good and red for bad"""
    from tallowtext.demo import marked
    from tallowtext.models import Reader

    rows = []
    for answer in Reader("sentiment", words=4)(SENTENCES):
        label = f"<b class={answer['label']}>{answer['label']}</b>"
        rows.append((label, f"{answer['probability']:.0%}", marked(answer)))
    return table(rows)


def spoken(options):
    """Spoken digits, written down: the spectrogram, where each was heard, and how surely"""
    import tallowaudio
    from tallowaudio.pipelines import DIGIT_STRINGS

    model = DIGIT_STRINGS.get_model()
    page = ""
    for path, said in recordings(options).items():
        sound, rate = tallowaudio.load(path)
        sound = tallowaudio.functional.resample(sound.mean(0), rate, model.sample_rate)
        with tallow.no_grad():
            scores = model(sound[None])[0].log_softmax(-1)
        heard, picture = alignment(model, sound, scores)
        encoded = base64.b64encode(path.read_bytes()).decode()
        page += f"<figure>{picture}<figcaption>"
        if said:
            page += f"{html.escape(path.name)}, said: <b>{said}</b>, "
        right = "" if said is None else f" class={'right' if said == heard else 'wrong'}"
        page += f"heard: <b{right}>{heard or 'nothing'}</b></figcaption>"
        page += f'<audio controls src="data:audio/wav;base64,{encoded}"></audio></figure>'
    return page


def recordings(options):
    """The files to listen to, with what is said in them where that is known."""
    if options.recordings:
        return dict.fromkeys(options.recordings)
    import tallowaudio
    from tallowaudio.datasets import SyntheticDigits

    found, rate = {}, SyntheticDigits.sample_rate
    noise = tallow.Generator().manual_seed(options.seed)
    for voice, said in STRINGS.items():
        known, parts = SyntheticDigits([voice]), [tallow.zeros(rate // 5)]
        for digit in map(int, said):
            waveform = known[digit][0][0]
            end = waveform.nonzero().flatten()[-1] + 1
            parts += [waveform[:end], tallow.zeros(int(PAUSE * rate))]
        sound = tallow.cat(parts)
        sound += 0.002 * tallow.randn(len(sound), generator=noise)
        path = options.out / "recordings" / f"{voice}.wav"
        path.parent.mkdir(exist_ok=True)
        tallowaudio.save(path, sound[None], rate, encoding="PCM_S", bits_per_sample=16)
        found[path] = said
    return found


def alignment(model, sound, scores):
    """What was heard, and a picture of where: over the sound, over the chances of all digits."""
    from matplotlib import pyplot as plt

    from tallowaudio import functional as F
    from tallowaudio.models.decoder import ctc_greedy

    (heard,) = ctc_greedy(scores, None, model.labels)
    tokens = tallow.tensor([[model.labels.index(digit) for digit in heard]], dtype=tallow.int64)
    path, shares = F.forced_align(scores, tokens)
    spans = F.merge_tokens(path[0], shares[0].exp())
    frame, seconds = model.stride / model.sample_rate, len(sound) / model.sample_rate
    decibels = F.amplitude_to_DB(
        F.spectrogram(sound, 0, tallow.hann_window(256), 256, 64, 256, 2, False), 10, 1e-10, 0, 70
    )
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 4.2), sharex=True, layout="constrained")
    above.imshow(decibels, origin="lower", aspect="auto", extent=(0, seconds, 0, 4), cmap="magma")
    above.set(ylabel="kHz")
    chances = scores[0].exp().T[1:]
    extent = (0, scores.shape[1] * frame, -0.5, len(chances) - 0.5)
    below.imshow(chances, origin="lower", aspect="auto", extent=extent, cmap="Oranges")
    below.set(xlabel="seconds", yticks=range(len(chances)), xlim=(0, seconds), ylabel="digit")
    below.tick_params(axis="y", labelsize=7)
    for span in spans:
        middle = (span.start + span.end) / 2 * frame
        above.axvspan(span.start * frame, span.end * frame, color="white", alpha=0.35, lw=0)
        above.text(middle, 3.5, model.labels[span.token], color="white", ha="center", weight="bold")
    figure.savefig(file := io.BytesIO(), dpi=110)
    plt.close(figure)
    return heard, image(file.getvalue(), "spectrogram with the digits heard")


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


def main():
    import matplotlib

    matplotlib.use("agg")
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    body, begun = "", time.perf_counter()
    progress = tqdm([digits, things, cells, moods, spoken, neighbours, lines], "demo", unit="part")
    for part in progress:
        progress.set_postfix_str(part.__name__)
        start = time.perf_counter()
        found = part(options)
        took = time.perf_counter() - start
        body += f"<section><h2>{part.__doc__}<small>{took:.1f} s</small></h2>{found}</section>\n"
    report = options.out / "report.html"
    seconds = time.perf_counter() - begun
    report.write_text(PAGE.format(body=body, seconds=seconds), encoding="utf-8")
    print(f"report: {report}")


if __name__ == "__main__":
    main()
