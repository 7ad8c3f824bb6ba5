"""`python -m tallowaudio transcribe FILE ...`."""

import json

import tallow
import tallowaudio
from tallow.errors import ArgumentError
from tallow.utils import commands
from tallowaudio.functional import resample

BLOCK = 60  # seconds heard at a time
MARGIN = 1  # second of a block's neighbours that resampling looks at


def arguments(parser):
    parser.add_argument("files", nargs="+", metavar="FILE", help="or a folder, or a pattern")
    parser.add_argument("--model", metavar="FILE", help="a saved recogniser, not that for digits")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--top-k", type=int, default=1, help="how many guesses are told")


def run(options):
    from tallowaudio.datasets.folder import EXTENSIONS
    from tallowaudio.models.streaming import StreamingRecognizer
    from tallowaudio.pipelines.packaged import DIGIT_STRINGS

    if options.top_k < 1:
        raise ArgumentError(f"--top-k: expected a number from 1, got {options.top_k}")
    files = commands.find(options.files, EXTENSIONS, "sound files")
    model = StreamingRecognizer.load(options.model or DIGIT_STRINGS.path)

    def answer(path):
        found = transcribed(path, model, options.top_k)
        return json.dumps(found) if options.json else _text(found)

    return commands.each(files, answer, "tallowaudio transcribe")


def blocks(path, rate):
    """The sound of a file in one channel at `rate` Hz, a minute at a time."""
    about = tallowaudio.info(path)
    theirs = about.sample_rate
    margin = MARGIN * theirs if theirs != rate else 0
    for start in range(0, about.num_frames, BLOCK * theirs):
        first = max(0, start - margin)
        end = min(start + BLOCK * theirs, about.num_frames)
        samples, _ = tallowaudio.load(path, first, min(end + margin, about.num_frames) - first)
        samples = resample(samples.mean(0), theirs, rate)
        skip = (start - first) // theirs * rate
        yield samples[skip : skip + -(-(end - start) * rate // theirs)]


def transcribed(path, model, top_k=1):
    """What is heard in a file, with the time in seconds of each character, as a dict.

    With `top_k` above 1 it has "guesses", the likeliest texts with their probabilities.
    """
    stream, scores, samples = model.stream(), [], 0
    for block in blocks(path, model.sample_rate):
        scores.append(stream(block))
        samples += len(block)
    scores = tallow.cat([*scores, stream(tallow.zeros(0), last=True)])
    best = scores.argmax(-1)
    before = tallow.nn.functional.pad(best, (1, 0))[:-1]
    places = ((best != 0) & (best != before)).nonzero().flatten().tolist()
    frame = model.stride / model.sample_rate
    found = {
        "file": path,
        "text": "".join(model.labels[label] for label in best[places].tolist()),
        "times": [round((place + 0.5) * frame, 2) for place in places],
        "seconds": round(samples / model.sample_rate, 3),
    }
    return found if top_k == 1 else found | {"guesses": _guesses(scores, model.labels, top_k)}


def _guesses(scores, labels, count):
    """The likeliest texts for scores (frames, labels), by beam search."""
    from tallowaudio.models.decoder import ctc_decoder

    blank = labels[0]
    decoder = ctc_decoder(
        None, list(labels), nbest=count, log_add=True, blank_token=blank, sil_token=blank
    )
    return [
        {
            "text": "".join(decoder.idxs_to_tokens(guess.tokens)).replace(blank, ""),
            "probability": round(float(tallow.tensor(guess.score).exp()), 6),
        }
        for guess in decoder(scores.log_softmax(-1)[None])[0]
    ]


def _text(found):
    nothing = "(nothing heard)"
    lines = [
        f"  {guess['probability']:6.1%}  {guess['text'] or nothing}"
        for guess in found.get("guesses", ())
    ]
    return "\n".join([f"{found['file']}: {found['text'] or nothing}", *lines])
