"""Transforms of text, tokens and numbers of tokens, one at a time or in batches."""

import re

import tallow
from tallow import nn
from tallow.errors import ArgumentError, describe
from tallowtext import functional as F
from tallowtext._files import numbered_lines
from tallowtext.vocab import Vocab
from tallowtext.vocab.vocabulary import saved_vocab

__all__ = [
    "AddToken", "LabelToIndex", "MaskTransform", "PadTransform", "RegexTokenizer", "Sequential",
    "StrToIntTransform", "ToTensor", "Truncate", "VocabTransform",
]  # fmt: skip


class VocabTransform(nn.Module):
    """Tokens as their numbers in a Vocab, in a sequence or a batch.

    The Vocab may be one that torchtext saved, as `tallow.load` gives it.

    >>> from tallowtext import transforms, vocab
    >>> numbers = transforms.VocabTransform(vocab.vocab({"a": 1, "b": 1}))
    >>> numbers([["b", "a"], ["b"]])
    [[1, 0], [1]]
    """

    def __init__(self, vocab):
        super().__init__()
        self.vocab = saved_vocab(vocab)

    def forward(self, input):
        return F.per_sequence("VocabTransform", input, self.vocab.lookup_indices)


class ToTensor(nn.Module):
    """Numbers of tokens as a tensor; see `functional.to_tensor`."""

    def __init__(self, padding_value=None, dtype=tallow.long):
        super().__init__()
        self.padding_value = padding_value
        self.dtype = dtype

    def forward(self, input):
        return F.to_tensor(input, padding_value=self.padding_value, dtype=self.dtype)


class LabelToIndex(nn.Module):
    """Labels as numbers: their places in `label_names`, or in the file `label_path`, one a line.

    `sort_names` numbers them in alphabetical order.

    >>> from tallowtext import transforms
    >>> transforms.LabelToIndex(["neg", "pos"])(["pos", "neg"])
    [1, 0]
    """

    def __init__(self, label_names=None, label_path=None, sort_names=False):
        super().__init__()
        if bool(label_names) == bool(label_path):
            raise ArgumentError("LabelToIndex: expected label_names or label_path, and not both")
        if label_path:
            label_names = [line.strip() for _, line in numbered_lines(label_path) if line.strip()]
        self.vocab = Vocab(sorted(label_names) if sort_names else label_names)

    @property
    def label_names(self):
        """The labels in the order of their numbers."""
        return self.vocab.get_itos()

    def forward(self, input):
        if isinstance(input, str):
            return self.vocab[input]
        return F.per_sequence("LabelToIndex", input, self.vocab.lookup_indices)


class Truncate(nn.Module):
    """The first `max_seq_len` tokens of each sequence."""

    def __init__(self, max_seq_len):
        super().__init__()
        self.max_seq_len = max_seq_len

    def forward(self, input):
        return F.truncate(input, self.max_seq_len)


class AddToken(nn.Module):
    """A token put before each sequence, or behind it."""

    def __init__(self, token, begin=True):
        super().__init__()
        self.token = token
        self.begin = begin

    def forward(self, input):
        return F.add_token(input, self.token, self.begin)


class PadTransform(nn.Module):
    """A tensor (..., length) filled up with `pad_value` to `max_length`; longer ones stay.

    >>> import tallow
    >>> from tallowtext import transforms
    >>> transforms.PadTransform(4, 9)(tallow.tensor([[1, 2]]))
    tensor([[1, 2, 9, 9]])
    """

    def __init__(self, max_length, pad_value):
        super().__init__()
        self.max_length = max_length
        self.pad_value = pad_value

    def forward(self, x):
        missing = self.max_length - x.size(-1)
        return nn.functional.pad(x, (0, missing), value=self.pad_value) if missing > 0 else x


class StrToIntTransform(nn.Module):
    """Texts of numbers as ints, in a sequence or a batch."""

    def forward(self, input):
        return F.str_to_int(input)


class RegexTokenizer(nn.Module):
    """The parts of a text between spaces, after pairs (pattern, replacement) applied in turn.

    >>> from tallowtext import transforms
    >>> transforms.RegexTokenizer([(r"[,._+ ]+", r" ")])("Basic.Regex,Tokens_for+a..Line")
    ['Basic', 'Regex', 'Tokens', 'for', 'a', 'Line']
    """

    def __init__(self, patterns_list):
        super().__init__()
        self.patterns = [(re.compile(pattern), text) for pattern, text in patterns_list]

    def forward(self, line):
        for pattern, text in self.patterns:
            line = pattern.sub(text, line)
        return line.split()


class Sequential(nn.Sequential):
    """Transforms applied one after the other.

    >>> from tallowtext import transforms as T, vocab
    >>> prepare = T.Sequential(T.VocabTransform(vocab.vocab({"a": 1, "b": 1})), T.ToTensor(0))
    >>> prepare([["b", "a"], ["b"]])
    tensor([[1, 0],
            [1, 0]])
    """


class MaskTransform(nn.Module):
    """Tokens hidden at random, as BERT is trained: gives (masked tokens, hidden tokens, mask).

    In each row of (batch, length) `mask_prob` of the places are chosen, but for padding and, unless
    `mask_bos`, the first token. Of these 80 % become `mask_idx`, 10 % a random token, and the rest
    stay. Devlin et al., BERT (2018), section 3.1.
    """

    hidden, replaced = 0.8, 0.1

    def __init__(self, vocab_len, mask_idx, bos_idx, pad_idx, mask_bos=False, mask_prob=0.15):
        super().__init__()
        self.vocab_len = vocab_len
        self.mask_idx = mask_idx
        self.bos_idx = bos_idx
        self.pad_idx = pad_idx
        self.mask_bos = mask_bos
        self.mask_prob = mask_prob

    def forward(self, tokens):
        if tokens.ndim != 2:
            raise ArgumentError(f"MaskTransform: expected (batch, length), got {describe(tokens)}")
        mask = self._chosen(tokens)
        chance = tallow.rand_like(tokens, dtype=tallow.float)
        hide, replace = mask & (chance >= 1 - self.hidden), mask & (chance < self.replaced)
        masked = tallow.where(hide, tallow.full_like(tokens, self.mask_idx), tokens)
        masked = tallow.where(replace, tallow.randint_like(tokens, high=self.vocab_len), masked)
        return masked, tokens[mask], mask.int()

    def _chosen(self, tokens):
        """Which places are predicted, at least one of them."""
        length = tokens.shape[1]
        count = int(length * self.mask_prob)
        mask = tallow.stack([tallow.randperm(length) < count for _ in tokens]).to(tokens.device)
        if not self.mask_bos:
            mask &= tokens != self.bos_idx
        mask &= tokens != self.pad_idx
        if not mask.any():
            mask[0, 0] = True
        return mask
