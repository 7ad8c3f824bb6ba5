"""Batches of sequences: padded, packed, of similar length, or cut from running text."""

import numpy as np

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.utils.data import IterableDataset, Sampler
from tallowtext.data.streams import Stream, shared

__all__ = ["BucketBatchSampler", "PackCollate", "PadCollate", "TokenBlocks", "pack_sequences"]


class PadCollate:
    """A `collate_fn` that pads sequences: samples are tuples, dicts, or sequences themselves.

    A field of the samples that is a sequence, a list of numbers or a tensor (length, ...), becomes
    a tensor (N, longest, ...) filled up with `padding_value`, one value or a dict with one for some
    fields. Numbers become a tensor (N), all else a list. With `lengths` the lengths (N) of the
    first field that is a sequence come last, or in a dict as "lengths".

    >>> from tallowtext.data import PadCollate
    >>> PadCollate(padding_value=9, lengths=True)([([1, 2, 3], 0), ([4], 1)])
    (tensor([[1, 2, 3],
            [4, 9, 9]]), tensor([0, 1]), tensor([3, 1]))
    """

    def __init__(self, padding_value=0, lengths=False, padding_side="right"):
        self.padding_value = padding_value
        self.lengths = lengths
        self.padding_side = padding_side

    def __call__(self, samples):
        first = samples[0]
        if isinstance(first, dict):
            columns = {name: [sample[name] for sample in samples] for name in first}
        elif isinstance(first, tuple):
            columns = dict(enumerate(zip(*samples, strict=True)))
        else:
            columns = {0: samples}
        made = {name: self._column(name, column) for name, column in columns.items()}
        if self.lengths:
            made["lengths"] = _lengths(columns)
        if isinstance(first, dict):
            return made
        return tuple(made.values()) if len(made) > 1 else made[0]

    def _column(self, name, column):
        if _are_sequences(column):
            value = self.padding_value
            value = value.get(name, 0) if isinstance(value, dict) else value
            tensors = [tallow.as_tensor(sequence) for sequence in column]
            return nn.utils.rnn.pad_sequence(tensors, True, value, self.padding_side)
        if isinstance(column[0], int | float):
            return tallow.tensor(list(column))
        if isinstance(column[0], tallow.Tensor):
            return tallow.stack(list(column))
        return list(column)


def _are_sequences(column):
    if isinstance(column[0], tallow.Tensor):
        return column[0].ndim > 0
    return isinstance(column[0], list) and all(
        isinstance(item, int | float) for sequence in column for item in sequence
    )


def _lengths(columns):
    found = next((column for column in columns.values() if _are_sequences(column)), None)
    if found is None:
        raise ArgumentError("PadCollate: expected a field of sequences for lengths, got none")
    return tallow.tensor([len(sequence) for sequence in found])


class PackCollate:
    """A `collate_fn` that makes a PackedSequence of sequences, as recurrent layers take it.

    Samples are sequences, or tuples whose first is one: then the batch is a tuple too, its other
    fields as `PadCollate` has them, in the order of the samples.
    """

    def __init__(self, padding_value=0):
        self.pad = PadCollate(padding_value)

    def __call__(self, samples):
        alone = not isinstance(samples[0], tuple)
        sequences = samples if alone else [sample[0] for sample in samples]
        packed = nn.utils.rnn.pack_sequence(
            [tallow.as_tensor(sequence) for sequence in sequences], enforce_sorted=False
        )
        if alone:
            return packed
        others = zip(*(sample[1:] for sample in samples), strict=True)
        return packed, *(self.pad._column(i, column) for i, column in enumerate(others, 1))


class BucketBatchSampler(Sampler):
    """Batches of samples of similar length, so that little is padded: lists of their indices.

    `lengths` has that of each sample. A batch has `batch_size` samples; or with `max_tokens` as
    many as its longest one times their number allows. With `shuffle` samples are shuffled, those
    of `bucket` batches are sorted by length, and the batches shuffled; without, all are sorted.

    >>> from tallowtext.data import BucketBatchSampler
    >>> list(BucketBatchSampler([5, 1, 4, 2, 9], batch_size=2, shuffle=False))
    [[1, 3], [2, 0], [4]]
    >>> list(BucketBatchSampler([5, 1, 4, 2, 9], max_tokens=10, shuffle=False))
    [[1, 3], [2, 0], [4]]
    """

    def __init__(
        self, lengths, batch_size=None, max_tokens=None, shuffle=True, drop_last=False, bucket=100,
        generator=None,
    ):  # fmt: skip
        if (batch_size is None) == (max_tokens is None):
            raise ArgumentError(
                "BucketBatchSampler: expected batch_size or max_tokens, and not both"
            )
        self.lengths = np.asarray(lengths)
        if max_tokens is not None and self.lengths.max(initial=0) > max_tokens:
            raise ArgumentError(
                f"BucketBatchSampler: expected samples of up to {max_tokens} tokens, got one of "
                f"{self.lengths.max()}"
            )
        self.batch_size = batch_size
        self.max_tokens = max_tokens
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.bucket = bucket
        self.generator = generator

    def __iter__(self):
        batches = self._batches()
        if self.shuffle:
            order = tallow.randperm(len(batches), generator=self.generator).tolist()
            batches = [batches[i] for i in order]
        yield from batches

    def __len__(self):
        """How many batches there are; with `max_tokens` and `shuffle` about so many."""
        if self.max_tokens is not None:
            return len(self._split(np.argsort(self.lengths, kind="stable")))
        whole, rest = divmod(len(self.lengths), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def _batches(self):
        count = len(self.lengths)
        if not self.shuffle:
            return self._split(np.argsort(self.lengths, kind="stable"))
        order = tallow.randperm(count, generator=self.generator).numpy()
        size = self.batch_size or max(1, int(self.max_tokens / max(self.lengths.mean(), 1)))
        size *= self.bucket
        buckets = [order[start : start + size] for start in range(0, count, size)]
        return [
            batch
            for bucket in buckets
            for batch in self._split(bucket[np.argsort(self.lengths[bucket], kind="stable")])
        ]

    def _split(self, order):
        """Batches of samples that are sorted by length."""
        if self.max_tokens is None:
            batches = [
                order[start : start + self.batch_size].tolist()
                for start in range(0, len(order), self.batch_size)
            ]
            complete = not batches or len(batches[-1]) == self.batch_size
            return batches if complete or not self.drop_last else batches[:-1]
        batches, batch = [], []
        for index in order.tolist():
            if (len(batch) + 1) * self.lengths[index] > self.max_tokens:
                batches.append(batch)
                batch = []
            batch.append(index)
        return [*batches, batch] if batch and not (self.drop_last and batches) else batches


class TokenBlocks(Stream):
    """Running text for a language model: pairs (length) of tokens and of those that follow them.

    The numbers of tokens in an iterable of lists are put one behind the other, with `separator`
    after each list if given, and cut into blocks; what is left at the end is dropped. It is a
    stream: of the iterable no more is kept than a block takes. The workers of a DataLoader share
    the blocks, or make them of their share of an IterableDataset.

    >>> from tallowtext.data import TokenBlocks
    >>> for tokens, following in TokenBlocks([[1, 2, 3], [4, 5]], 2, separator=0):
    ...     print(tokens.tolist(), following.tolist())
    [1, 2] [2, 3]
    [3, 0] [0, 4]
    [4, 5] [5, 0]
    """

    def __init__(self, sequences, length, separator=None):
        self.sequences = sequences
        self.length = length
        self.separator = separator

    def __iter__(self):
        blocks = self._blocks()
        is_shared = isinstance(self.sequences, IterableDataset)
        for block in blocks if is_shared else shared(blocks):
            tokens = tallow.tensor(block)
            yield tokens[:-1], tokens[1:]

    def _blocks(self):
        kept: list[int] = []
        for sequence in self.sequences:
            kept.extend(sequence)
            if self.separator is not None:
                kept.append(self.separator)
            start = 0
            while len(kept) - start > self.length:
                yield kept[start : start + self.length + 1]
                start += self.length
            del kept[:start]


def pack_sequences(sequences, length, padding_value=0):
    """Whole sequences put together in rows (N, length), so that little is padded.

    A dict of tensors (N, length): "input_ids"; "segment_ids", which of its row a sequence is, from
    1, and 0 for padding; "position_ids", places within the sequence. Attention should stay within
    a segment: `segment_ids[:, :, None] == segment_ids[:, None]` is its mask. The longest sequences
    are placed first, each in the first row with room.

    >>> from tallowtext.data import pack_sequences
    >>> packed = pack_sequences([[1, 2], [3, 4, 5], [6]], length=4)
    >>> packed["input_ids"].tolist(), packed["segment_ids"].tolist()
    ([[3, 4, 5, 6], [1, 2, 0, 0]], [[1, 1, 1, 2], [1, 1, 0, 0]])
    """
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    if lengths.max(initial=0) > length:
        raise ArgumentError(
            f"pack_sequences: expected sequences of up to {length} tokens, got one of "
            f"{lengths.max()}"
        )
    rows, used = [], np.zeros(len(sequences), np.int64)  # of each possible row
    for index in np.argsort(-lengths, kind="stable").tolist():
        row = int(np.argmax(used + lengths[index] <= length))
        if row == len(rows):
            rows.append([])
        rows[row].append(index)
        used[row] += lengths[index]
    made = np.zeros((3, len(rows), length), np.int64)
    made[0] = padding_value
    for row, indices in enumerate(rows):
        at = 0
        for segment, index in enumerate(indices, 1):
            stop = at + lengths[index]
            made[0, row, at:stop] = sequences[index]
            made[1, row, at:stop] = segment
            made[2, row, at:stop] = np.arange(lengths[index])
            at = stop
    names = ("input_ids", "segment_ids", "position_ids")
    return dict(zip(names, map(tallow.from_numpy, made), strict=True))
