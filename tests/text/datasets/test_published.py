"""Datasets of published files, from archives as their publishers lay them out, on loopback."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import pickle
import tarfile
import zipfile

import pytest

from tallow.utils.data import DataLoader, IterableDataset
from tallowtext import data, datasets
from tallowtext._files import TextFileError


def packed(files):
    """The bytes of a gzipped tar."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as target:
        for path, text in files.items():
            content = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return made.getvalue()


def zipped(files):
    """The bytes of a zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for path, text in files.items():
            target.writestr(path, text)
    return made.getvalue()


def reviews(folder):
    return packed({
        f"{folder}/readme.txt": "about",
        f"{folder}/train.csv": '"3","A ""title""","Some\ntext, and more"\n"1","B",""\n',
        f"{folder}/test.csv": '"2","C","D"\r\n',
    })  # fmt: skip


REVIEWS = {"train": [(3, 'A "title" Some\ntext, and more'), (1, "B ")], "test": [(2, "C D")]}


def glue(folder, rows, test="0\tq one\ts one\n"):
    return zipped({
        f"{folder}/train.tsv": f"index\ta\tb\tlabel\n{rows}",
        f"{folder}/dev.tsv": f"index\ta\tb\tlabel\n{rows}",
        f"{folder}/test.tsv": f"index\ta\tb\n{test}",
    })  # fmt: skip


PAIRS = "0\tIs \"it\"?\tIt is.\tentailment\n1\tQ\tS\tnot_entailment\n"  # fmt: skip
ENTAILED = {
    split: [(0, 'Is "it"?', "It is."), (1, "Q", "S")] for split in ("train", "dev")
} | {"test": [("q one", "s one")]}  # fmt: skip

MNLI = "gold_label\ta\tb\tc\td\tsentence1\tsentence2\n"
MNLI += 'neutral\t1\t2\t3\t4\tHe "ran.\tHe.\n-\t1\t2\t3\t4\tx\ty\n'

STS = "main-news\tMSRpar\t2012\t0001\t4.250\tA \"b.\tC.\textra\n"  # fmt: skip

SQUAD = json.dumps({"version": "1", "data": [{"title": "T", "paragraphs": [{
    "context": "Ann is here.", "qas": [
        {"question": "Who?", "id": "1", "answers": [{"text": "Ann", "answer_start": 0},
                                                    {"text": "Ann is", "answer_start": 0}]},
        {"question": "Why?", "id": "2", "answers": []}]}]}]}).encode()  # fmt: skip
ANSWERED = [
    ("Ann is here.", "Who?", ["Ann", "Ann is"], [0, 0]),
    ("Ann is here.", "Why?", [""], [-1]),
]

WIKI = " \n = Title = \n \n Words <unk> here . \n"
XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<mteval>\n<srcset setid="x" srclang="a">\n'
    '<doc docid="1" genre="talks">\n<title>T</title>\n<seg id="1"> {} &amp; one </seg>\n'
    '<seg id="2">two</seg>\n</doc>\n</srcset>\n</mteval>\n'
)
TAGGED = "<url>http://x</url>\n<title>T</title>\n {} one\ntwo \n</doc>\n"


def talks(source, target, year):
    between = f"{source}-{target}"
    files = {}
    for language in (source, target):
        files[f"{between}/train.tags.{between}.{language}"] = TAGGED.format(language)
        for name in ("dev2010", "tst2010", "tst2013", "tst2014"):
            path = f"{between}/IWSLT{year}.TED.{name}.{between}.{language}.xml"
            files[path] = XML.format(language)
    return packed(files)


def talk_pairs(source, target):
    train = [(f"{source} one\n", f"{target} one\n"), ("two\n", "two\n")]
    others = [(f"{source} & one\n", f"{target} & one\n"), ("two\n", "two\n")]
    return {"train": train, "valid": others, "test": others}


def stories(source):
    url = f"http://web.archive.org/{source}/1"
    name = hashlib.sha1(url.encode()).hexdigest()
    text = "First line\n\nDone.\n\n@highlight\n\nIt is\n\n@highlight\n\nSo \u201cx\u201d\n"
    files = {f"{source}/stories/{name}.story": text, f"{source}/stories/other.story": "x"}
    lists = {
        f"{source}_wayback_{split}_urls.txt": url.encode()
        for split in ("training", "validation", "test")
    }
    number = {"cnn": "0BwmD_VLjROrfTH", "dailymail": "0BwmD_VLjROrfM1"}[source]
    return {f"id={number}": packed(files)} | lists


TOLD = ("First line . Done.", "It is . So \u201cx\u201d")


def lines_of(prefix):
    return {split: [f"{prefix} {split}", ""] for split in ("train", "valid", "test")}


DEV, VALID = ("train", "dev", "test"), ("train", "valid", "test")
CASES = {
    "AG_NEWS": ({"csv/train.csv": b'"3","T","D \\ x"\n', "csv/test.csv": b'"1","T"\n'},
                {"train": [(3, "T D \\ x")], "test": [(1, "T")]}),
    **{name: ({"id=0Bz8a": reviews(folder)}, REVIEWS) for name, folder in {
        "AmazonReviewFull": "amazon_review_full_csv",
        "AmazonReviewPolarity": "amazon_review_polarity_csv",
        "DBpedia": "dbpedia_csv",
        "SogouNews": "sogou_news_csv",
        "YahooAnswers": "yahoo_answers_csv",
        "YelpReviewFull": "yelp_review_full_csv",
        "YelpReviewPolarity": "yelp_review_polarity_csv",
    }.items()},
    "IMDB": ({"aclImdb_v1.tar.gz": packed({
        "aclImdb/train/pos/0_9.txt": "Good <br />film", "aclImdb/train/neg/1_2.txt": "Bad.",
        "aclImdb/train/unsup/2_0.txt": "?", "aclImdb/test/neg/0_1.txt": "Worse\n",
        "aclImdb/test/urls_neg.txt": "http", "aclImdb/imdb.vocab": "the"})},
             {"train": [(1, "Bad."), (2, "Good <br />film")], "test": [(1, "Worse")]}),
    "SST2": ({"SST-2.zip": zipped({
        "SST-2/train.tsv": "sentence\tlabel\ngood film \t1\n",
        "SST-2/dev.tsv": "sentence\tlabel\nx\t0\n",
        "SST-2/test.tsv": "index\tsentence\n0\tuneasy mishmash .\n"})},
             {"train": [("good film", 1)], "dev": [("x", 0)], "test": [("uneasy mishmash .",)]}),
    "CoLA": ({"cola_public_1.1.zip": zipped({
        f"cola_public/raw/{name}.tsv": "gj04\t1\t\tThe \"men ran.\ngj04\t0\t*\tMen the.\n"
        for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev")})},
             {s: [("gj04", 1, 'The "men ran.'), ("gj04", 0, "Men the.")] for s in DEV}),
    "MNLI": ({"multinli_1.0.zip": zipped({
        "__MACOSX/multinli_1.0/._multinli_1.0_train.txt": "junk",
        **{f"multinli_1.0/multinli_1.0_{s}.txt": MNLI
           for s in ("train", "dev_matched", "dev_mismatched")}})},
             {s: [(1, 'He "ran.', "He.")] for s in ("train", "dev_matched", "dev_mismatched")}),
    "MRPC": ({f"msr_paraphrase_{s}.txt":
              "\ufeffQuality\ta\tb\tc\td\r\n1\t2\t3\t\"A.\tB.\r\n".encode()
              for s in ("train", "test")}, {s: [(1, '"A.', "B.")] for s in ("train", "test")}),
    "QNLI": ({"QNLIv2.zip": glue("QNLI", PAIRS)}, ENTAILED),
    "RTE": ({"RTE.zip": glue("RTE", PAIRS)}, ENTAILED),
    "WNLI": ({"WNLI.zip": glue("WNLI", '0\t"a"\tb\t1\n')},
             {"train": [(1, "a", "b")], "dev": [(1, "a", "b")], "test": [("q one", "s one")]}),
    "QQP": ({"quora_duplicate_questions.tsv":
             b'id\tid1\tid2\tquestion1\tquestion2\tsame\n0\t1\t2\t"What\nis it?"\tWhy?\t1\n'},
            {None: [(1, "What\nis it?", "Why?")]}),
    "STSB": ({"Stsbenchmark.tar.gz": packed({f"stsbenchmark/sts-{s}.csv": STS
                                             for s in DEV})},
             {s: [(1, 4.25, 'A "b.', "C.")] for s in DEV}),
    "SQuAD1": ({"train-v1.1": SQUAD, "dev-v1.1": SQUAD}, {"train": ANSWERED, "dev": ANSWERED}),
    "SQuAD2": ({"train-v2.0": SQUAD, "dev-v2.0": SQUAD}, {"train": ANSWERED, "dev": ANSWERED}),
    **{name: ({f"{folder}-v1.zip": zipped({f"{folder}/wiki.{s}.tokens": WIKI
                                           for s in VALID})},
              {s: WIKI.splitlines(keepends=True) for s in VALID})
       for name, folder in {"WikiText2": "wikitext-2", "WikiText103": "wikitext-103"}.items()},
    "PennTreebank": ({f"ptb.{s}.txt": f" words {s} \n\n".encode() for s in VALID},
                     lines_of("words")),
    "EnWik9": ({"enwik9.zip": zipped({"enwik9": "<page>\n  <title>A</title>\n"})},
               {None: ["<page>", "  <title>A</title>"]}),
    "CC100": ({"cc-100/en.txt.xz": lzma.compress(b"One line\n\nand another\n")},
              {None: [("en", "One line"), ("en", ""), ("en", "and another")]}),
    "CNNDM": ({key: content for source in ("cnn", "dailymail")
               for key, content in stories(source).items()},
              {split: [TOLD, TOLD] for split in ("train", "val", "test")}),
    "UDPOS": ({"en-ud-v2.zip": zipped({
        "__MACOSX/en-ud-v2/._en-ud-tag.v2.train.txt": "junk",
        **{f"en-ud-v2/en-ud-tag.v2.{s}.txt": "Al\tPROPN\tNNP\nsits\tVERB\tVBZ\n\n\nYes\tINTJ\tUH\n"
           for s in DEV}})},
              {s: [[["Al", "sits"], ["PROPN", "VERB"], ["NNP", "VBZ"]], [["Yes"], ["INTJ"], ["UH"]]]
               for s in VALID}),
    "CoNLL2000Chunking": ({f"{s}.txt.gz": gzip.compress(b"He PRP B-NP\nran VBD B-VP\n\n")
                           for s in ("train", "test")},
                          {s: [[["He", "ran"], ["PRP", "VBD"], ["B-NP", "B-VP"]]]
                           for s in ("train", "test")}),
    "Multi30k": ({f"Multi30k/{archive}": packed({
        f"{name}.de": "Ein Hund.\nZwei.\n", f"{name}.en": "A dog.\nTwo.\n", f"._{name}.de": "junk"})
        for archive, name in {"training.tar.gz": "train", "validation.tar.gz": "val",
                              "mmt16_task1_test.tar.gz": "test"}.items()},
                 {s: [("Ein Hund.", "A dog."), ("Zwei.", "Two.")] for s in VALID}),
    "IWSLT2016": ({"id=1l5y6": packed({"2016-01/texts/de/en/de-en.tgz": talks("de", "en", 16)})},
                  talk_pairs("de", "en")),
    "IWSLT2017": ({"2017%2D01": packed({
        "2017-01-trnmted/texts/DeEnItNlRo/DeEnItNlRo/DeEnItNlRo-DeEnItNlRo.tgz":
            talks("de", "en", 17)})}, talk_pairs("de", "en")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_published(name, publish, tmp_path):
    files, expected = CASES[name]
    asked = publish(files)
    dataset = getattr(datasets, name)
    if None in expected:
        assert list(pickle.loads(pickle.dumps(dataset(tmp_path)))) == expected[None]
    else:
        splits = tuple(expected)
        found = dataset(tmp_path, split=splits)
        assert all(isinstance(split, IterableDataset) for split in found)
        assert dict(zip(splits, map(list, found), strict=True)) == expected
        again = pickle.loads(pickle.dumps(found))  # as workers that are spawned get them
        assert dict(zip(splits, map(list, again), strict=True)) == expected
        assert len(dataset(tmp_path)) == len(splits)
        assert list(dataset(tmp_path, splits[0])) == expected[splits[0]]
        with pytest.raises(TypeError, match=f"{name}: expected splits of .*, got 'none'"):
            dataset(tmp_path, split="none")
    assert len(asked) == len(set(asked))  # each file is downloaded once
    assert [path.name for path in tmp_path.iterdir()] == ["datasets"]
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [name]


def test_every_dataset_has_a_case():
    assert set(CASES) == set(datasets.__all__)


def test_layout(publish, tmp_path):
    for name in ("UDPOS", "AG_NEWS", "IMDB", "IWSLT2016", "DBpedia"):
        publish(CASES[name][0])
        getattr(datasets, name)(tmp_path)
    for path in (
        "UDPOS/dev.txt", "AG_NEWS/train.csv", "IMDB/aclImdb_v1/train/neg",
        "IWSLT2016/2016-01/texts/de/en/de-en/IWSLT16.TED.tst2013.de-en.de",
        "IWSLT2016/2016-01/texts/de/en/de-en/train.de-en.en", "DBpedia/dbpedia_csv/test.csv",
    ):  # fmt: skip
        assert (tmp_path / "datasets" / path).is_file()


def test_workers_share_the_samples(publish, tmp_path):
    publish({"ptb.train.txt": b"".join(b"%d\n" % n for n in range(20))})
    words = datasets.PennTreebank(tmp_path, "train")
    found = [line for batch in DataLoader(words, batch_size=3, num_workers=2) for line in batch]
    assert sorted(found, key=int) == [str(n) for n in range(20)]
    assert len(data.to_map_style_dataset(words)) == 20


def test_other_languages(publish, tmp_path):
    publish(CASES["Multi30k"][0])
    assert next(iter(datasets.Multi30k(tmp_path, "test", ("en", "de")))) == ("A dog.", "Ein Hund.")
    publish({"id=1l5y6": packed({"2016-01/texts/en/cs/en-cs.tgz": talks("en", "cs", 16)})})
    found = datasets.IWSLT2016(tmp_path, "valid", ("en", "cs"), "tst2010", "tst2010")
    assert next(iter(found)) == ("en & one\n", "cs & one\n")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.CC100(language_code="xx"), "CC100: expected one of am, ar, .* got 'xx'"),
        (lambda: datasets.Multi30k(language_pair=("de", "fr")), r"Multi30k: .* got \('de', 'fr'"),
        (lambda: datasets.IWSLT2016(language_pair=("de", "fr")), "en-ar/de/fr/cs, ar-en"),
        (lambda: datasets.IWSLT2016(language_pair=("en", "cs")), "tst2013, got 'tst2014'"),
        (lambda: datasets.IWSLT2017(language_pair=("en",)), r"got \('en',\)"),
    ],
)
def test_choices(call, message):
    with pytest.raises(ValueError, match=message):
        call()


BROKEN = [
    ("AG_NEWS", {"train.csv": b'"1","a"\n"world","b"\n'}, "train.csv, line 2: invalid literal"),
    ("AG_NEWS", {"train.csv": b'"1","a"\n\n'}, "train.csv, line 2: expected more columns, got"),
    ("AG_NEWS", {"train.csv": b'"1","\xff"\n'}, "train.csv, line 1: expected UTF-8, got byte 0xff"),
    ("MRPC", {"train.txt": b"h\n1\t2\n"}, "train.txt, line 2: expected more columns"),
    ("RTE", {"RTE.zip": glue("RTE", "0\ta\tb\tmaybe\n")}, "train.tsv, line 2: got 'maybe' in "),
    ("SQuAD1", {"train": b"[1]"}, "train-v1.1.json, line 1: expected SQuAD's JSON"),
    ("UDPOS", {"en-ud": zipped({"train.txt": "a\tb\nc\td\te\n"})}, "line 2: expected 2 columns"),
    ("Multi30k", {"training": packed({"train.de": "a\n", "train.en": "a\nb\n"})}, "as many lines"),
    ("Multi30k", {"training": packed({"train.de": "a\nb\n", "train.en": "a\n"})}, "as many lines"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_broken_files(number, publish, tmp_path):
    name, files, message = BROKEN[number]
    publish(files)
    with pytest.raises(TextFileError, match=message):
        list(getattr(datasets, name)(tmp_path, "train"))


def test_an_archive_without_the_file(publish, tmp_path):
    publish({"RTE.zip": zipped({"RTE/dev.tsv": "x"})})
    with pytest.raises(RuntimeError, match=r"RTE.zip: expected the file RTE/train.tsv in it"):
        datasets.RTE(tmp_path, "train")
    publish({"ptb.train.txt": bz2.compress(b"x")})
    with pytest.raises(TextFileError, match="expected UTF-8"):
        list(datasets.PennTreebank(tmp_path, "train"))
