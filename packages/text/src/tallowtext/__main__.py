"""`python -m tallowtext COMMAND`: text on the command line; `--help` says what there is."""

import argparse
import sys

from tallow.errors import TallowError

COMMANDS: dict = {}


def option(*names, **settings):
    """An argument of a command, as `argparse` takes it."""
    return names, settings


def command(*options):
    """Enters a function as a command of its name, which is called with the options by name."""

    def enter(function):
        COMMANDS[function.__name__] = function, options
        return function

    return enter


@command(
    option("text", nargs="*", help="texts; without any, the lines of the standard input"),
    option("--tokenizer", default="basic_english", help="a name, or a file tokenizer.json"),
    option("--ids", action="store_true", help="print numbers of tokens, with a tokenizer.json"),
)
def tokenize(text, tokenizer, ids):
    """Print the tokens of texts, those of one on a line."""
    from tallowtext.data.utils import get_tokenizer
    from tallowtext.tokenizer import Tokenizer

    if tokenizer.endswith(".json"):
        loaded = Tokenizer.from_file(tokenizer)
        split = loaded.encode if ids else loaded.tokenize
    else:
        split = get_tokenizer(tokenizer)
    for line in text or sys.stdin:
        print(*split(line.rstrip("\n")))


@command(
    option("word"),
    option(
        "--vectors", default="glove.6B.50d", metavar="NAME",
        help="a file, or published vectors (glove.6B.50d, an archive of 862 MB)",
    ),
    option("--count", type=int, default=10, help="how many"),
)  # fmt: skip
def neighbours(word, vectors, count):
    """Print the words whose vectors are nearest to a word's, with the cosines."""
    from tallowtext.vocab import Vectors, pretrained_aliases

    known = pretrained_aliases[vectors]() if vectors in pretrained_aliases else Vectors(vectors)
    for other, cosine in known.nearest(word, count):
        print(f"{cosine:.3f} {other}")


def main(arguments=None):
    """Run a command; an error is printed in a line, and the program's status is 1."""
    parser = argparse.ArgumentParser("python -m tallowtext", description="Text with tallow.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (function, options) in COMMANDS.items():
        below = commands.add_parser(name, help=function.__doc__)
        for names, settings in options:
            below.add_argument(*names, **settings)
    given = vars(parser.parse_args(arguments))
    function, _ = COMMANDS[given.pop("command")]
    try:
        function(**given)
    except (TallowError, OSError) as error:
        sys.exit(f"tallowtext: {error}")


if __name__ == "__main__":
    main()
