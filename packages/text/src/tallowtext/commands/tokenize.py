"""`python -m tallowtext tokenize TEXT ...`."""

import sys

from tallow.errors import ArgumentError


def arguments(parser):
    parser.add_argument("text", nargs="*", help="without any, the lines of the standard input")
    parser.add_argument(
        "--tokenizer", default="basic_english", help="a name, or a file of .json or .model"
    )
    parser.add_argument(
        "--ids", action="store_true", help="print numbers of tokens, with such a file"
    )


def run(options):
    split = _splitter(options.tokenizer, options.ids)
    for line in options.text or sys.stdin:
        print(*split(line.rstrip("\n")))
    return 0


def _splitter(name, ids):
    """What makes tokens of a text, or their numbers."""
    from tallowtext.data.utils import get_tokenizer
    from tallowtext.sentencepiece import SentencePiece
    from tallowtext.tokenizer import Tokenizer

    if name.endswith(".json"):
        loaded = Tokenizer.from_file(name)
        return loaded.encode if ids else loaded.tokenize
    if name.endswith(".model"):
        pieces = SentencePiece(name)
        return pieces.EncodeAsIds if ids else pieces.EncodeAsPieces
    if ids:
        raise ArgumentError(f"--ids: expected --tokenizer FILE, got {name}")
    return get_tokenizer(name)
