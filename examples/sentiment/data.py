"""Sentences with labels, and batches of them as numbers of words."""

import random
from dataclasses import dataclass

import tallow
from tallow.utils.data import DataLoader
from tallowtext.data import BucketBatchSampler, CSVRows, PadCollate
from tallowtext.data.utils import get_tokenizer
from tallowtext.vocab import build_vocab_from_iterator

COLUMNS = ["text", "label"]
PARTS = ("train", "dev", "test")
LONGEST = 200  # words of a sentence that are read
GOOD = "good great fine funny warm clever moving fresh brilliant delightful".split()
BAD = "bad dull flat silly cold clumsy boring stale awful tedious".split()
THINGS = "film plot cast story score script ending dialogue pace camera".split()


@dataclass
class Task:
    """For each part a list of (numbers of words, label); the vocabulary, 0 for padding."""

    parts: dict
    vocab: object

    def loader(self, part, batch_size):
        """Batches (tokens (N, L), labels (N,)) of sentences that are about as long."""
        samples = self.parts[part]
        sampler = BucketBatchSampler(
            [len(tokens) for tokens, _ in samples], batch_size, shuffle=part == "train"
        )
        return DataLoader(samples, batch_sampler=sampler, collate_fn=PadCollate())


def made_up(count, seed):
    """`count` sentences from lists of words, in some of which a "not" turns the meaning."""
    generator = random.Random(seed)
    sentences = []
    for _ in range(count):
        label = generator.randrange(2)
        turned = generator.random() < 0.5
        word = generator.choice(GOOD if label != turned else BAD)
        first, second = generator.sample(THINGS, 2)
        other = generator.choice(GOOD + BAD)
        sentence = generator.choice([
            f"the {first} is {'not ' if turned else ''}{word}",
            f"the {second} may be {other}, but the {first} is {'not ' if turned else ''}{word}",
            f"whatever they say of the {other} {second}, it is {'not ' if turned else ''}{word}",
        ])  # fmt: skip
        sentences.append((sentence, label))
    return sentences


def read(folder):
    """The sentences of the files train.tsv, dev.tsv and test.tsv in a folder."""
    return {
        part: [
            (text, int(label)) for text, label in CSVRows(folder / f"{part}.tsv", COLUMNS, COLUMNS)
        ]
        for part in PARTS
    }


def load(options):
    """The task that the command line asks for."""
    if options.data is None:
        sentences = made_up(1400, options.seed)
        bounds = {"train": sentences[:1000], "dev": sentences[1000:1200], "test": sentences[1200:]}
    else:
        bounds = read(options.data)
    tokenizer = get_tokenizer("basic_english")
    split = {
        part: [(tokenizer(text)[:LONGEST], label) for text, label in sentences]
        for part, sentences in bounds.items()
    }
    vocab = build_vocab_from_iterator(
        (words for words, _ in split["train"]), options.min_freq, ["<pad>", "<unk>"]
    )
    vocab.set_default_index(1)
    parts = {
        part: [(tallow.tensor(vocab(words)), label) for words, label in samples if words]
        for part, samples in split.items()
    }
    return Task(parts, vocab)
