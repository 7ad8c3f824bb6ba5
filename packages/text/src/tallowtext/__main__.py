"""`python -m tallowtext COMMAND`: text on the command line; `--help` says what there is."""

import argparse
import sys

from tallow.errors import ArgumentError, TallowError

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
    option("--tokenizer", default="basic_english", help="a name, or a file of .json or .model"),
    option("--ids", action="store_true", help="print numbers of tokens, with such a file"),
)
def tokenize(text, tokenizer, ids):
    """Print the tokens of texts, those of one on a line."""
    from tallowtext.data.utils import get_tokenizer
    from tallowtext.sentencepiece import SentencePiece
    from tallowtext.tokenizer import Tokenizer

    if tokenizer.endswith(".json"):
        loaded = Tokenizer.from_file(tokenizer)
        split = loaded.encode if ids else loaded.tokenize
    elif tokenizer.endswith(".model"):
        pieces = SentencePiece(tokenizer)
        split = pieces.EncodeAsIds if ids else pieces.EncodeAsPieces
    elif ids:
        raise ArgumentError(f"--ids: expected --tokenizer FILE, got {tokenizer}")
    else:
        split = get_tokenizer(tokenizer)
    for line in text or sys.stdin:
        print(*split(line.rstrip("\n")))


@command(
    option("word"),
    option(
        "--vectors", default="small", metavar="NAME",
        help="a file, published vectors (glove.6B.50d, an archive of 862 MB), or small: 10,000 "
        "words that came with the package",
    ),
    option("--count", type=int, default=10, help="how many"),
)  # fmt: skip
def neighbours(word, vectors, count):
    """Print the words whose vectors are nearest to a word's, with the cosines."""
    from tallowtext.models import word_vectors
    from tallowtext.vocab import Vectors, pretrained_aliases

    if vectors == "small":
        known = word_vectors()
    else:
        known = pretrained_aliases.get(vectors, lambda: Vectors(vectors))()
    for other, cosine in known.nearest(word, count):
        print(f"{cosine:.3f} {other}")


CLASSIFIER = (
    option("text", nargs="*", help="texts; without any and without --files, the standard input's"),
    option("--files", nargs="+", default=(), metavar="FILE", help="files with a text in each line"),
    option("--top-k", type=int, default=1, help="how many classes to print"),
    option("--words", type=int, default=3, help="how many words that mattered to print"),
    option("--json", action="store_true", help="print an object of JSON in each line"),
)


def classify(name, text, files, top_k, words, json):
    """Print what a model says of texts; the status is 1 if one of them has no words."""
    from json import dumps

    from tallow.utils.progress import progress
    from tallowtext._files import numbered_lines
    from tallowtext.models import Reader

    texts = [*text, *(line for file in files for _, line in numbered_lines(file))]
    texts = texts or [line.rstrip("\n") for line in sys.stdin]
    failed = False
    answers = Reader(name, top_k, words)(texts)
    for answer in progress(answers, name, len(texts)) if files else answers:
        failed = failed or "error" in answer
        if json:
            print(dumps(answer, ensure_ascii=False))
        elif "error" in answer:
            print(f"tallowtext: {answer['error']}", file=sys.stderr)
        else:
            classes = ", ".join(
                f"{label} {value:.0%}" for label, value in answer["classes"].items()
            )
            mattered = " ".join(f"{w['word']} {w['importance']:+.1f}" for w in answer["words"])
            print(f"{classes}: {answer['text']}" + (f"  ({mattered})" if mattered else ""))
    if failed:
        sys.exit(1)


@command(*CLASSIFIER)
def sentiment(**options):
    """Print whether texts are positive or negative, and which words say so."""
    classify("sentiment", **options)


@command(*CLASSIFIER)
def news(**options):
    """Print what news are about: world, sports, business, or science and technology."""
    classify("news", **options)


@command(
    option("--prompt", default="\n", help="what the text begins with"),
    option("--model", metavar="DIR", help="a GPT-2: config.json, weights and tokenizer.json"),
    option("--length", type=int, default=100, help="new tokens at most"),
    option("--temperature", type=float, default=0.7, help="0: the likeliest token each time"),
    option("--top-k", type=int, default=40),
    option("--top-p", type=float, default=0.9),
    option("--seed", type=int, default=0),
)
def generate(prompt, model, length, temperature, top_k, top_p, seed):
    """Print a text that a small GPT, trained on Shakespeare's plays, writes on from a prompt."""
    import tallow
    from tallowtext import Tokenizer, models

    tallow.manual_seed(seed)
    if model is None:
        tokenizer = models.ShakespeareGPT_Weights.DEFAULT.transforms()
        writer = models.shakespeare_gpt()
    else:
        tokenizer, writer = (
            Tokenizer.from_pretrained(model),
            models.GPT2Model.from_pretrained(model),
        )
    tokens = tallow.tensor([tokenizer.encode(prompt)], dtype=tallow.long)
    how = {"do_sample": True, "temperature": temperature} if temperature else {}
    if length < 1:
        raise ArgumentError(f"generate: expected a length from 1, got {length}")
    new = min(length, writer.config.max_seq_len // 2)
    for start in range(0, length, new):  # a text longer than the model sees at once
        known = tokens[:, -(writer.config.max_seq_len - new) :]
        count = min(new, length - start)
        found = writer.generate(known, count, top_k=top_k, top_p=top_p, **how)
        tokens = tallow.cat([tokens, found[:, known.shape[1] :]], 1)
    print(tokenizer.decode(tokens[0]))


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
