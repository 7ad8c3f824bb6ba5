"""Published datasets under torchtext's names: functions from a folder and splits to samples.

>>> from tallowtext.datasets import AG_NEWS
>>> AG_NEWS(split="validation")
Traceback (most recent call last):
    ...
tallowtext.datasets._published.SplitError: AG_NEWS: expected splits of train, test, got 'validation'

A split is a `tallowtext.data.Stream`, which reads its file as it goes and downloads it when it is
made; `tallowtext.data.to_map_style_dataset` makes a dataset with an index of it. Files lie where
torchtext puts them, root/datasets/NAME, `root` being the cache by default.
"""

from tallowtext.datasets.classification import (
    AG_NEWS,
    IMDB,
    MNLI,
    MRPC,
    QNLI,
    QQP,
    RTE,
    SST2,
    STSB,
    WNLI,
    AmazonReviewFull,
    AmazonReviewPolarity,
    CoLA,
    DBpedia,
    SogouNews,
    YahooAnswers,
    YelpReviewFull,
    YelpReviewPolarity,
)
from tallowtext.datasets.corpora import (
    CC100,
    UDPOS,
    CoNLL2000Chunking,
    EnWik9,
    PennTreebank,
    SQuAD1,
    SQuAD2,
    WikiText2,
    WikiText103,
)
from tallowtext.datasets.summaries import CNNDM
from tallowtext.datasets.translation import IWSLT2016, IWSLT2017, Multi30k

__all__ = [
    "AG_NEWS", "CC100", "CNNDM", "IMDB", "IWSLT2016", "IWSLT2017", "MNLI", "MRPC", "QNLI", "QQP",
    "RTE", "SST2", "STSB", "UDPOS", "WNLI", "AmazonReviewFull", "AmazonReviewPolarity", "CoLA",
    "CoNLL2000Chunking", "DBpedia", "EnWik9", "Multi30k", "PennTreebank", "SQuAD1", "SQuAD2",
    "SogouNews", "WikiText103", "WikiText2", "YahooAnswers", "YelpReviewFull",
    "YelpReviewPolarity",
]  # fmt: skip
