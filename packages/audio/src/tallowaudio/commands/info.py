"""`python -m tallowaudio info FILE ...`."""

import json
from dataclasses import asdict

import tallowaudio
from tallow.utils import commands


def arguments(parser):
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options):
    return commands.each(
        options.files,
        lambda path: _line(path, tallowaudio.info(path), options.json),
        "tallowaudio info",
    )


def _line(path, about, as_json):
    seconds = about.num_frames / about.sample_rate
    if as_json:
        return json.dumps({"file": path, "seconds": round(seconds, 6)} | asdict(about))
    bits = f" of {about.bits_per_sample} bits" if about.bits_per_sample else ""
    return (
        f"{path}: {seconds:.3f} s, {about.num_frames} frames at {about.sample_rate} Hz, "
        f"channels: {about.num_channels}, {about.encoding}{bits}"
    )
