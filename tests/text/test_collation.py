"""Batches of sequences."""

import pytest

import tallow
from tallow import nn
from tallow.utils.data import DataLoader
from tallowtext.data import (
    BucketBatchSampler,
    PackCollate,
    PadCollate,
    Stream,
    TokenBlocks,
    pack_sequences,
)


def test_padding_of_dicts():
    samples = [
        {"ids": [1, 2], "tags": tallow.tensor([[1.0], [2.0]]), "label": 1.5, "text": "a b"},
        {"ids": [3], "tags": tallow.tensor([[3.0]]), "label": 0.5, "text": "c"},
    ]
    batch = PadCollate({"ids": 7, "tags": -1}, lengths=True)(samples)
    assert batch["ids"].tolist() == [[1, 2], [3, 7]]
    assert batch["tags"].tolist() == [[[1], [2]], [[3], [-1]]]
    assert batch["label"].tolist() == [1.5, 0.5] and batch["text"] == ["a b", "c"]
    assert batch["lengths"].tolist() == [2, 1]


def test_padding_of_sequences():
    sequences = [tallow.tensor([1, 2]), tallow.tensor([3])]
    assert PadCollate(padding_side="left")(sequences).tolist() == [[1, 2], [0, 3]]
    batch = PadCollate()([(tallow.tensor(1), ["a"]), (tallow.tensor(2), ["b", "c"])])
    assert batch[0].tolist() == [1, 2] and batch[1] == [["a"], ["b", "c"]]
    with pytest.raises(ValueError, match="a field of sequences for lengths, got none"):
        PadCollate(lengths=True)([(1, "a")])


def test_packing_for_recurrent_layers():
    samples = [([1, 2], 0), ([3, 4, 5], 1), ([6], 2)]
    packed, labels = PackCollate()(samples)
    assert labels.tolist() == [0, 1, 2]
    padded, lengths = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    assert padded.tolist() == [[1, 2, 0], [3, 4, 5], [6, 0, 0]] and lengths.tolist() == [2, 3, 1]
    assert PackCollate()([[1], [2, 3]]).batch_sizes.tolist() == [2, 1]


def test_buckets():
    tallow.manual_seed(0)
    lengths = tallow.randint(1, 50, (1000,)).tolist()
    sampler = BucketBatchSampler(lengths, 16, bucket=10)
    batches = list(sampler)
    assert sorted(sum(batches, [])) == list(range(1000)) and len(batches) == len(sampler) == 63
    wide = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert wide < 1.2 * sum(lengths)
    assert list(sampler) != batches
    shortest = [min(lengths[i] for i in batch) for batch in batches]
    assert shortest != sorted(shortest)
    assert len(list(BucketBatchSampler(lengths, 16, drop_last=True))) == 62


def test_buckets_of_tokens():
    tallow.manual_seed(0)
    lengths = tallow.randint(1, 50, (500,)).tolist()
    for shuffle in (True, False):
        sampler = BucketBatchSampler(lengths, max_tokens=100, shuffle=shuffle)
        batches = list(sampler)
        assert sorted(sum(batches, [])) == list(range(500))
        assert max(len(batch) * max(lengths[i] for i in batch) for batch in batches) <= 100
    assert len(batches) == len(sampler)
    again = [
        list(BucketBatchSampler(lengths, 8, generator=tallow.Generator().manual_seed(3)))
        for _ in range(2)
    ]
    assert again[0] == again[1]


def test_buckets_in_a_loader():
    data = [list(range(n)) for n in (3, 1, 2, 3)]
    sampler = BucketBatchSampler([len(sample) for sample in data], 2, shuffle=False)
    loader = DataLoader(data, batch_sampler=sampler, collate_fn=PadCollate())
    assert [batch.shape for batch in loader] == [(2, 2), (2, 3)]


def test_blocks_are_a_stream():
    def endless():
        n = 0
        while True:
            yield [n, n + 1, n + 2]
            n += 3

    blocks = iter(TokenBlocks(endless(), 8))
    for start in range(0, 80, 8):
        tokens, following = next(blocks)
        assert tokens.tolist() == list(range(start, start + 8))
        assert following.tolist() == list(range(start + 1, start + 9))


def test_workers_share_the_blocks():
    sequences = [list(range(n, n + 5)) for n in range(0, 50, 5)]
    blocks = TokenBlocks(sequences, 4)
    alone = [tokens.tolist() for tokens, _ in blocks]
    shared = [tokens.tolist() for tokens, _ in DataLoader(blocks, batch_size=None, num_workers=2)]
    assert sorted(shared) == alone and len(alone) == 12
    streamed = TokenBlocks(Stream.of(sequences), 4)
    shared = [tokens.tolist() for tokens, _ in DataLoader(streamed, batch_size=None, num_workers=2)]
    assert len(shared) == 12 and shared[0] == [0, 1, 2, 3]


def test_packed_sequences_are_whole():
    tallow.manual_seed(0)
    lengths = tallow.randint(1, 9, (60,)).tolist()
    sequences = [[100 * i + j for j in range(n)] for i, n in enumerate(lengths, 1)]
    packed = pack_sequences(sequences, 10, padding_value=-1)
    ids, segments, positions = packed["input_ids"], packed["segment_ids"], packed["position_ids"]
    found = []
    for row in range(len(ids)):
        for segment in range(1, int(segments[row].max()) + 1):
            places = segments[row] == segment
            found.append(ids[row][places].tolist())
            assert positions[row][places].tolist() == list(range(len(found[-1])))
    assert sorted(found) == sorted(sequences)
    assert (ids[segments == 0] == -1).all()
    assert ids.numel() < 1.15 * sum(lengths)
    assert pack_sequences([], 4)["input_ids"].shape == (0, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BucketBatchSampler([1]), "batch_size or max_tokens"),
        (lambda: BucketBatchSampler([1, 30], max_tokens=20), "up to 20 tokens, got one of 30"),
        (lambda: pack_sequences([[1, 2, 3]], 2), "up to 2 tokens, got one of 3"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
