"""The same batches as PyTorch, in the same order, for the same seed."""

import numpy as np
import pytest

import tallow
from tallow.utils import data

torch = pytest.importorskip("torch")
torch_data = torch.utils.data

X = np.arange(23 * 3, dtype=np.float32).reshape(23, 3)
Y = np.arange(23)


def datasets():
    return (
        data.TensorDataset(tallow.tensor(X), tallow.tensor(Y)),
        torch_data.TensorDataset(torch.tensor(X), torch.tensor(Y)),
    )


def same(ours, theirs):
    """True if two batches are equal in type, dtype, shape and value."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, tallow.Tensor)
        assert str(ours.dtype).removeprefix("tallow") == str(theirs.dtype).removeprefix("torch")
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert type(ours) is type(theirs) and ours == theirs


LOADERS = {
    "shuffled": lambda d, t: dict(batch_size=4, shuffle=True),
    "drop_last": lambda d, t: dict(batch_size=4, shuffle=True, drop_last=True),
    "single": lambda d, t: dict(batch_size=None, shuffle=True),
    "generator": lambda d, t: dict(
        batch_size=4, shuffle=True, generator=t.Generator().manual_seed(7)
    ),
    "batch_sampler": lambda d, t: dict(
        batch_sampler=d.BatchSampler(d.RandomSampler(range(23)), 5, False)
    ),
    "replacement": lambda d, t: dict(
        batch_size=8, sampler=d.RandomSampler(range(23), replacement=True, num_samples=71)
    ),
    "more_than_all": lambda d, t: dict(
        batch_size=8, sampler=d.RandomSampler(range(23), num_samples=50)
    ),
    "own_generator": lambda d, t: dict(
        batch_size=8, sampler=d.RandomSampler(range(23), generator=t.Generator().manual_seed(3))
    ),
    "subset": lambda d, t: dict(batch_size=3, sampler=d.SubsetRandomSampler([3, 9, 2, 17])),
    "weighted": lambda d, t: dict(
        batch_size=3, sampler=d.WeightedRandomSampler([1.0, 5.0, 0.5, 2.0], 9)
    ),
    "weighted_once": lambda d, t: dict(
        batch_size=3, sampler=d.WeightedRandomSampler([1.0, 5.0, 0.5, 2.0], 3, replacement=False)
    ),
    "distributed": lambda d, t: dict(
        batch_size=3, sampler=d.DistributedSampler(range(23), num_replicas=4, rank=3, seed=5)
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_three_epochs(name):
    ours, theirs = datasets()
    tallow.manual_seed(11)
    torch.manual_seed(11)
    our_loader = data.DataLoader(ours, **LOADERS[name](data, tallow))
    their_loader = torch_data.DataLoader(theirs, **LOADERS[name](torch_data, torch))
    for _ in range(3):
        assert len(our_loader) == len(their_loader)
        same(list(our_loader), list(their_loader))
    # the streams have come to the same place
    assert tallow.rand(1).item() == torch.rand(1).item()


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("length, replicas", [(23, 4), (24, 4), (3, 8), (2, 5)])
def test_distributed_shares(length, replicas, drop_last):
    for rank in range(replicas):
        options = dict(num_replicas=replicas, rank=rank, drop_last=drop_last, seed=3)
        ours = data.DistributedSampler(range(length), **options)
        theirs = torch_data.DistributedSampler(range(length), **options)
        for epoch in (0, 1):
            ours.set_epoch(epoch)
            theirs.set_epoch(epoch)
            assert len(ours) == len(theirs) and list(ours) == list(theirs)


@pytest.mark.parametrize("lengths", [[10, 13], [0.5, 0.25, 0.25], [1.0], [0.3, 0.3, 0.4]])
def test_random_split(lengths):
    ours = data.random_split(range(23), lengths, tallow.Generator().manual_seed(1))
    theirs = torch_data.random_split(range(23), lengths, torch.Generator().manual_seed(1))
    assert [part.indices for part in ours] == [part.indices for part in theirs]


BATCHES = {
    "ints": [1, 2],
    "bools": [True, False],
    "floats": [1.5, 2.5],
    "strings": ["a", "b"],
    "bytes": [b"a", b"b"],
    "arrays": [np.ones((2, 3), np.float16), np.zeros((2, 3), np.float16)],
    "numpy_numbers": [np.float32(1), np.float32(2)],
    "tuples": [(1, "a"), (2, "b")],
    "lists": [[1, 2.0], [3, 4.0]],
    "dicts": [{"x": (1, 2), "y": [np.ones(2)]}, {"x": (3, 4), "y": [np.zeros(2)]}],
    "empty_arrays": [np.ones((0, 3)), np.ones((0, 3))],
    "numbers_0d": [np.array(3), np.array(4)],
}


@pytest.mark.parametrize("name", BATCHES)
def test_collate(name):
    batch = BATCHES[name]
    same(data.default_collate(batch), torch_data.default_collate(batch))
    same(data.default_convert(batch), torch_data.default_convert(batch))


BAD_BATCHES = {
    "nothing": [None, None],
    "objects": [object(), object()],
    "shapes": [np.ones(2), np.ones(3)],
    "lengths": [[1, 2], [1]],
    "texts": [np.array(["a"]), np.array(["b"])],
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_collate_errors(name):
    with pytest.raises(Exception) as theirs:
        torch_data.default_collate(BAD_BATCHES[name])
    with pytest.raises(theirs.type, match="default_collate: expected"):
        data.default_collate(BAD_BATCHES[name])
