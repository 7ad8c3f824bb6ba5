"""Listen to a file piece by piece, as if it were just being said, and show what was heard so far.

    python listen.py digits.wav
    python listen.py digits.wav --model runs/speech_recognition/model.safetensors

Without --model the recogniser that comes with tallowaudio listens.
"""

import argparse
import time
from pathlib import Path

import tallow
import tallowaudio
from tallowaudio.models import StreamingRecognizer
from tallowaudio.models.decoder import ctc_greedy


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, help="what train.py wrote")
    parser.add_argument("--piece", type=float, default=0.2, help="seconds heard at a time")
    parser.add_argument("--fast", action="store_true", help="do not wait for the sound to pass")
    options = parser.parse_args()
    if options.model is None:
        model = tallowaudio.pipelines.DIGIT_STRINGS.get_model()
    else:
        model = StreamingRecognizer.load(options.model)
    samples, rate = tallowaudio.load(options.file)
    samples = tallowaudio.functional.resample(samples.mean(0), rate, model.sample_rate)
    pieces = samples.split(max(1, int(options.piece * model.sample_rate)))
    stream, scores, busy, heard = model.stream(), [], 0.0, ""
    for number, piece in enumerate(pieces, 1):
        start = time.perf_counter()
        scores.append(stream(piece, last=number == len(pieces)))
        said = ctc_greedy(tallow.cat(scores)[None], None, model.labels)[0]
        took = time.perf_counter() - start
        busy += took
        if said != heard:
            print(f"{number * options.piece:6.1f} s  {said}", flush=True)
            heard = said
        if not options.fast:
            time.sleep(max(0.0, len(piece) / model.sample_rate - took))
    seconds = len(samples) / model.sample_rate
    print(
        f"heard {heard!r}; {seconds:.1f} s of sound took {busy:.2f} s, {busy / seconds:.3f} of it"
    )


if __name__ == "__main__":
    main()
