"""Texts with labels, and pairs of texts with labels."""

import csv

from tallow.utils.datasets import File, drive
from tallowtext.data.readers import rows
from tallowtext.datasets._published import (
    chosen,
    folder_of,
    of_archive,
    of_files,
    published,
)
from tallowtext.datasets._reviews import labelled_reviews

__all__ = [
    "AG_NEWS", "AmazonReviewFull", "AmazonReviewPolarity", "CoLA", "DBpedia", "IMDB", "MNLI",
    "MRPC", "QNLI", "QQP", "RTE", "SST2", "STSB", "SogouNews", "WNLI", "YahooAnswers",
    "YelpReviewFull", "YelpReviewPolarity",
]  # fmt: skip

GLUE = "https://dl.fbaipublicfiles.com/glue/data/"
SENTEVAL = "https://dl.fbaipublicfiles.com/senteval/senteval_data/"
NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"

quoted = rows()
tabbed = rows(header=1, delimiter="\t", quoting=csv.QUOTE_NONE)
tabbed_and_quoted = rows(header=1, delimiter="\t")


def labelled(row):
    """(label, text) of a row whose columns after the first are one text."""
    return int(row[0]), " ".join(row[1:])


def _zhang(name, about, number, md5, folder):
    """One of the datasets of Zhang et al., Character-level Convolutional Networks (2015)."""
    splits = {split: f"{folder}/{split}.csv" for split in ("train", "test")}
    files = of_archive(drive(number), md5, f"{folder}.tar.gz", **splits)
    return published(name, about, files, quoted, labelled)


AG_NEWS = published(
    "AG_NEWS",
    "News: (label from 1 to 4: world, sports, business, technology; title and description).",
    of_files(
        NEWS,
        train=("train.csv", "b1a00f826fdfbd249f79597b59e1dc12"),
        test=("test.csv", "d52ea96a97a2d943681189a97654912d"),
    ),
    quoted,
    labelled,
)
AmazonReviewFull = _zhang(
    "AmazonReviewFull",
    "Reviews of products: (stars from 1 to 5, title and text).",
    "0Bz8a_Dbh9QhbZVhsUnRWRDhETzA",
    "57d28bd5d930e772930baddf36641c7c",
    "amazon_review_full_csv",
)
AmazonReviewPolarity = _zhang(
    "AmazonReviewPolarity",
    "Reviews of products: (1 for bad or 2 for good, title and text).",
    "0Bz8a_Dbh9QhbaW12WVVZS2drcnM",
    "fe39f8b653cada45afd5792e0f0e8f9b",
    "amazon_review_polarity_csv",
)
DBpedia = _zhang(
    "DBpedia",
    "Articles of an encyclopedia: (label from 1 to 14, title and text).",
    "0Bz8a_Dbh9QhbQ2Vic1kxMmZZQ1k",
    "dca7b1ae12b1091090db52aa7ec5ca64",
    "dbpedia_csv",
)
SogouNews = _zhang(
    "SogouNews",
    "News in Chinese, in Pinyin: (label from 1 to 5, title and text).",
    "0Bz8a_Dbh9QhbUkVqNEszd0pHaFE",
    "0c1700ba70b73f964dd8de569d3fd03e",
    "sogou_news_csv",
)
YahooAnswers = _zhang(
    "YahooAnswers",
    "Questions with the best answer: (label from 1 to 10, title, question and answer).",
    "0Bz8a_Dbh9Qhbd2JNdDBsQUdocVU",
    "f3f9899b997a42beb24157e62e3eea8d",
    "yahoo_answers_csv",
)
YelpReviewFull = _zhang(
    "YelpReviewFull",
    "Reviews of businesses: (stars from 1 to 5, text).",
    "0Bz8a_Dbh9QhbZlU4dXhHTFhZQU0",
    "f7ddfafed1033f68ec72b9267863af6c",
    "yelp_review_full_csv",
)
YelpReviewPolarity = _zhang(
    "YelpReviewPolarity",
    "Reviews of businesses: (1 for bad or 2 for good, text).",
    "0Bz8a_Dbh9QhbNUpYQ2N3SGlFaDg",
    "620c8ae4bd5a150b730f1ba9a7c6a4d3",
    "yelp_review_polarity_csv",
)


def IMDB(root=None, split=("train", "test")):
    """Reviews of films: (1 for bad or 2 for good, text).

    Splits: train, test. Files are kept below `root`, those of a split and a label in one.
    """
    folder = folder_of("IMDB", root)
    return chosen("IMDB", split, ("train", "test"), lambda one: labelled_reviews(folder, one))


SST2 = published(
    "SST2",
    "Sentences from reviews of films: (text, 0 for bad or 1 for good), in test (text,).",
    of_archive(
        GLUE + "SST-2.zip",
        "9f81648d4199384278b86e315dac217c",
        train="SST-2/train.tsv",
        dev="SST-2/dev.tsv",
        test="SST-2/test.tsv",
    ),
    tabbed_and_quoted,
    lambda row: (row[0].strip(), int(row[1])),
    {"test": lambda row: (row[1].strip(),)},
)
CoLA = published(
    "CoLA",
    "Sentences, grammatical or not: (source, 0 or 1, text).",
    of_archive(
        "https://nyu-mll.github.io/CoLA/cola_public_1.1.zip",
        "9f6d88c3558ec424cd9d66ea03589aba",
        train="cola_public/raw/in_domain_train.tsv",
        dev="cola_public/raw/in_domain_dev.tsv",
        test="cola_public/raw/out_of_domain_dev.tsv",
    ),
    rows(delimiter="\t", quoting=csv.QUOTE_NONE),  # torchtext loses the first sentence
    lambda row: (row[0], int(row[1]), row[3]),
)
MNLI_LABELS = {"entailment": 0, "neutral": 1, "contradiction": 2}
MNLI = published(
    "MNLI",
    "Does one sentence follow from another: (0 yes, 1 open or 2 no; sentence, other).",
    of_archive(
        "https://cims.nyu.edu/~sbowman/multinli/multinli_1.0.zip",
        "0f70aaf66293b3c088a864891db51353",
        train="multinli_1.0_train.txt",
        dev_matched="multinli_1.0_dev_matched.txt",
        dev_mismatched="multinli_1.0_dev_mismatched.txt",
    ),
    tabbed,
    # "-" is the label of those on which the annotators did not agree
    lambda row: None if row[0] == "-" else (MNLI_LABELS[row[0]], row[5], row[6]),
)
MRPC = published(
    "MRPC",
    "Do two sentences say the same: (0 or 1, sentence, other).",
    of_files(
        SENTEVAL,
        train=("msr_paraphrase_train.txt", "793daf7b6224281e75fe61c1f80afe35"),
        test=("msr_paraphrase_test.txt", "e437fdddb92535b820fe8852e2df8a49"),
    ),
    tabbed,
    lambda row: (int(row[0]), row[3], row[4]),
)
QQP = published(
    "QQP",
    "Do two questions ask the same: (0 or 1, question, other).",
    {
        "train": File(
            "http://qim.fs.quoracdn.net/quora_duplicate_questions.tsv",
            "b6d5672bd9dc1e66ab2bb020ebeafb8d",
        )
    },
    tabbed_and_quoted,
    lambda row: (int(row[-1]), row[3], row[4]),
)
ENTAILED = {"entailment": 0, "not_entailment": 1}


def _glue(name, about, file, md5, label, records=tabbed):
    """A task of GLUE with pairs of texts, of which those to test on have no label."""
    splits = {split: f"{name}/{split}.tsv" for split in ("train", "dev", "test")}
    return published(
        name,
        about,
        of_archive(GLUE + file, md5, **splits),
        records,
        lambda row: (label(row[3]), row[1], row[2]),
        {"test": lambda row: (row[1], row[2])},
    )


QNLI = _glue(
    "QNLI",
    "Does a sentence answer a question: (0 if so, else 1; question, sentence), in test the texts.",
    "QNLIv2.zip",
    "b4efd6554440de1712e9b54e14760e82",
    ENTAILED.__getitem__,
)
RTE = _glue(
    "RTE",
    "Does one text follow from another: (0 if so, else 1; text, other), in test the texts.",
    "RTE.zip",
    "bef554d0cafd4ab6743488101c638539",
    ENTAILED.__getitem__,
)
WNLI = _glue(
    "WNLI",
    "Is a pronoun read rightly: (1 if so, else 0; text, reading), in test the texts.",
    "WNLI.zip",
    "a1b4bd2861017d302d29e42139657a42",
    int,
    tabbed_and_quoted,
)
STSB = published(
    "STSB",
    "How similar two sentences are: (number, score from 0 to 5, sentence, other).",
    of_archive(
        "http://ixa2.si.ehu.es/stswiki/images/4/48/Stsbenchmark.tar.gz",
        "4eb0065aba063ef77873d3a9c8088811",
        train="stsbenchmark/sts-train.csv",
        dev="stsbenchmark/sts-dev.csv",
        test="stsbenchmark/sts-test.csv",
    ),
    rows(delimiter="\t", quoting=csv.QUOTE_NONE),
    lambda row: (int(row[3]), float(row[4]), row[5], row[6]),
)
