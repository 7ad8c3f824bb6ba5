"""`python -m tallowaudio transcribe FILE ...`."""

import json
import sys
from glob import glob
from pathlib import Path

import tallow
import tallowaudio
from tallow.errors import ArgumentError, TallowError
from tallow.utils.progress import progress
from tallowaudio.functional import resample

SOUNDS = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au"}
BLOCK = 60  # seconds heard at a time
MARGIN = 1  # second of a block's neighbours that resampling looks at


def arguments(parser):
    parser.add_argument("files", nargs="+", metavar="FILE", help="or a folder, or a pattern")
    parser.add_argument("--model", metavar="FILE", help="a saved recogniser, not that for digits")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options):
    from tallowaudio.models.streaming import StreamingRecognizer
    from tallowaudio.pipelines.packaged import DIGIT_STRINGS

    model = StreamingRecognizer.load(options.model or DIGIT_STRINGS.path)
    failed = False
    for path in progress(found(options.files), "transcribing", unit="file"):
        try:
            line = transcribed(path, model, options.json)
        except (TallowError, OSError) as error:
            print(f"tallowaudio transcribe: {error}", file=sys.stderr)
            failed = True
        else:
            print(line, flush=True)
    return int(failed)


def found(names):
    """The files that are named, in the folders that are, and that fit the patterns."""
    paths = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SOUNDS)
            if not inside:
                raise ArgumentError(f"{name}: expected sound files in the folder, got none")
            paths += inside
        elif not path.exists() and any(mark in name for mark in "*?["):
            fitting = sorted(glob(name, recursive=True))
            if not fitting:
                raise ArgumentError(f"{name}: expected files that fit the pattern, got none")
            paths += map(Path, fitting)
        else:
            paths.append(path)
    return paths


def blocks(path, rate):
    """The sound of a file in one channel at `rate` Hz, a minute at a time."""
    about = tallowaudio.info(path)
    theirs = about.sample_rate
    margin = MARGIN * theirs if theirs != rate else 0
    for start in range(0, about.num_frames, BLOCK * theirs):
        first = max(0, start - margin)
        end = min(start + BLOCK * theirs, about.num_frames)
        samples, _ = tallowaudio.load(str(path), first, min(end + margin, about.num_frames) - first)
        samples = resample(samples.mean(0), theirs, rate)
        skip = (start - first) // theirs * rate
        yield samples[skip : skip + -(-(end - start) * rate // theirs)]


def transcribed(path, model, as_json):
    """A line of what is heard in a file."""
    stream, scores, samples = model.stream(), [], 0
    for block in blocks(path, model.sample_rate):
        scores.append(stream(block))
        samples += len(block)
    scores.append(stream(tallow.zeros(0), last=True))
    best = tallow.cat(scores).argmax(-1)
    before = tallow.nn.functional.pad(best, (1, 0))[:-1]
    places = ((best != 0) & (best != before)).nonzero().flatten().tolist()
    text = "".join(model.labels[label] for label in best[places].tolist())
    if not as_json:
        return f"{path}: {text or '(nothing heard)'}"
    frame = model.stride / model.sample_rate
    times = [round((place + 0.5) * frame, 2) for place in places]
    seconds = round(samples / model.sample_rate, 3)
    return json.dumps({"file": str(path), "text": text, "times": times, "seconds": seconds})
