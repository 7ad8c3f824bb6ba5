"""What the commands share that ask a classifier of texts."""

import json
import sys

from tallow.errors import ArgumentError
from tallow.utils import commands


def arguments(parser):
    parser.add_argument(
        "text", nargs="*", help="texts; without any and without --files, the standard input's"
    )
    parser.add_argument(
        "--files", nargs="+", default=(), metavar="FILE",
        help="files with a text in each line, folders of such files (.txt), patterns",
    )  # fmt: skip
    parser.add_argument("--top-k", type=int, default=1, help="how many classes to print")
    parser.add_argument(
        "--words", type=int, default=3, help="how many words that mattered to print"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def classify(name, options):
    """Print what the model called `name` says of texts; the status is 1 if one has no words."""
    from tallowtext.models import Reader

    reader, texts = Reader(name, options.top_k, options.words), _texts(options)

    def line(answer):
        if "error" in answer:
            raise ArgumentError(answer["error"])
        return json.dumps(answer, ensure_ascii=False) if options.json else _text(answer)

    return commands.each(reader(texts), line, f"tallowtext {name}", "text", len(texts))


def _texts(options):
    from tallowtext._files import numbered_lines

    files = commands.find(options.files, (".txt",), "files of text")
    texts = [*options.text, *(line for file in files for _, line in numbered_lines(file))]
    return texts if texts or files else [line.rstrip("\n") for line in sys.stdin]


def _text(answer):
    classes = ", ".join(f"{label} {value:.0%}" for label, value in answer["classes"].items())
    mattered = " ".join(f"{w['word']} {w['importance']:+.1f}" for w in answer["words"])
    return f"{classes}: {answer['text']}" + (f"  ({mattered})" if mattered else "")
