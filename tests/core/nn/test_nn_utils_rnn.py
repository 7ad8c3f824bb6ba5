"""Packed and padded sequences are PyTorch's."""

import numpy as np
import pytest

import tallow
from tallow.nn.utils import rnn
from tallow.testing.devices import devices

torch = pytest.importorskip("torch")


def sequences(library, lengths, trailing=(2,), dtype="float32"):
    """Tensors (length, *trailing) of counting numbers, with gradients if they are floats."""
    made, start = [], 1
    for n in lengths:
        size = n * int(np.prod(trailing))
        array = np.arange(start, start + size).reshape(n, *trailing).astype(dtype)
        made.append(library.from_numpy(array))
        start += size
    if dtype == "float32":
        made = [x.requires_grad_() for x in made]
    return made


def same(ours, theirs):
    """Compare what the two libraries gave, down to dtypes; fields of named tuples one by one."""
    if theirs is None or isinstance(theirs, int | float):
        assert ours == theirs
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        a, b = ours.detach().numpy(), theirs.detach().numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


LENGTHS = [[4, 3, 1], [3, 3, 3], [1], [2, 5, 1, 5], [1, 1, 7]]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("padding_side", ["right", "left"])
@pytest.mark.parametrize("lengths", [*LENGTHS, [0, 2], [0, 0]])
@pytest.mark.parametrize("trailing", [(), (2,), (3, 1)])
def test_padding(batch_first, padding_side, lengths, trailing):
    results, gradients = [], []
    for library in (tallow, torch):
        given = sequences(library, lengths, trailing)
        padded = library.nn.utils.rnn.pad_sequence(given, batch_first, -1.5, padding_side)
        (padded * padded).sum().backward()
        results.append(padded)
        gradients.append([x.grad for x in given])
    same(*results)
    same(*gradients)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("trailing", [(), (2,), (3, 1)])
def test_packing_and_back(batch_first, lengths, trailing):
    results = []
    for library in (tallow, torch):
        utils = library.nn.utils.rnn
        given = sequences(library, lengths, trailing)
        padded = utils.pad_sequence(given, batch_first)
        packed = utils.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
        back = utils.pad_packed_sequence(packed, batch_first, -1.0, total_length=8)
        (packed.data**2).sum().backward()
        unpacked = utils.unpack_sequence(packed)
        unpadded = utils.unpad_sequence(padded.detach(), library.tensor(lengths), batch_first)
        gradients = [x.grad for x in given]
        results.append([packed, back, unpacked, unpadded, gradients])
    same(*results)


@pytest.mark.parametrize("dtype", ["int64", "float64", "bool"])
def test_sequences_in_order(dtype):
    results = []
    for library in (tallow, torch):
        utils = library.nn.utils.rnn
        packed = utils.pack_sequence(sequences(library, [3, 2, 2], (), dtype))
        assert packed.sorted_indices is None
        results.append([packed, utils.pad_packed_sequence(packed)])
    same(*results)


def test_lengths_may_be_tensors():
    padded = tallow.arange(6.0).reshape(3, 2)
    for lengths in (tallow.tensor([3, 1]), tallow.tensor([3.0, 1.0])):
        packed = rnn.pack_padded_sequence(padded, lengths)
        assert packed.batch_sizes.tolist() == [2, 1, 1]


def test_gradients_of_packed_data():
    results = []
    for library in (tallow, torch):
        (x,) = sequences(library, [5], (3,))
        packed = library.nn.utils.rnn.pack_padded_sequence(x, [5, 4, 2])
        padded, _ = library.nn.utils.rnn.pad_packed_sequence(packed)
        (padded**2).sum().backward()
        results.append(x.grad)
    same(*results)


def test_packed_sequences_convert():
    packed = rnn.pack_sequence([tallow.tensor([1.0]), tallow.tensor([2.0, 3.0])], False)
    assert packed.cpu() is packed and packed.float() is packed and not packed.is_cuda
    double = packed.double()
    assert isinstance(double, rnn.PackedSequence) and double.data.dtype == tallow.float64
    same(double.batch_sizes, torch.tensor([2, 1]))
    assert packed.to(tallow.int32).sorted_indices.tolist() == [1, 0]
    pair = rnn.PackedSequence((packed.data, packed.batch_sizes))
    assert pair.batch_sizes is packed.batch_sizes and pair.unsorted_indices is None
    with pytest.raises(AssertionError, match="PackedSequence: expected batch_sizes"):
        rnn.PackedSequence(packed.data)


def test_permutations_are_inverted():
    assert rnn.invert_permutation(None) is None
    for order in ([2, 0, 1], [0], [3, 1, 0, 2]):
        same(
            rnn.invert_permutation(tallow.tensor(order)),
            torch.nn.utils.rnn.invert_permutation(torch.tensor(order)),
        )


@pytest.mark.parametrize(
    "call, error, message",
    [
        ("pack_padded_sequence(x, [4, 3])", RuntimeError, "expected 3 lengths, got 2"),
        ("pack_padded_sequence(x, [1, 3, 4])", RuntimeError, "lengths from long to short"),
        ("pack_padded_sequence(x, [4, 3, 0])", RuntimeError, "expected lengths from 1 to 4"),
        ("pack_padded_sequence(x[:0], [1, 1, 1])", RuntimeError, "a batch of sequences"),
        ("pack_padded_sequence(x, [[4, 3, 1]])", RuntimeError, r"lengths \(B,\) on the CPU"),
        ("pad_packed_sequence(packed, total_length=2)", ValueError, "total_length of 4 or more"),
        ("pad_sequence([])", RuntimeError, "expected sequences, got none"),
        ("pad_sequence(3)", RuntimeError, "expected an iterable of tensors, got int"),
        ("pad_sequence([x, x[:, :2]])", RuntimeError, "with the same dims"),
        ("pad_sequence([x[0, 0, 0]])", RuntimeError, "with the same dims"),
        ("pad_sequence([x], padding_side='up')", RuntimeError, "'left' or 'right', got 'up'"),
        ("pack_sequence([x[:1], x])", RuntimeError, "or pass enforce_sorted=False"),
    ],
)
def test_wrong_arguments(call, error, message):
    for library in (tallow, torch):
        utils = library.nn.utils.rnn
        x = library.ones(4, 3, 2)
        names = {"x": x, "packed": utils.pack_padded_sequence(x, [4, 3, 1])}
        with pytest.raises(error, match=message if library is tallow else None):
            eval(f"utils.{call}", {"utils": utils, **names})


def test_lengths_beyond_the_steps():
    with pytest.raises(RuntimeError, match=r"expected lengths from 1 to 2, got \[3\]"):
        rnn.pack_padded_sequence(tallow.ones(2, 1), [3])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_take_them(name):
    layer = getattr(tallow.nn, name)(2, 3)
    given = sequences(tallow, [2, 4, 1])
    output, _ = layer(rnn.pack_sequence(given, enforce_sorted=False))
    for x, out in zip(given, rnn.unpack_sequence(output), strict=True):
        alone = layer(x.unsqueeze(1))[0].squeeze(1)
        np.testing.assert_allclose(out.detach().numpy(), alone.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("device", devices())
def test_on_other_devices(device):
    given = [x.detach().to(device) for x in sequences(tallow, [2, 4, 1])]
    packed = rnn.pack_sequence(given, enforce_sorted=False)
    assert packed.data.device.type == packed.sorted_indices.device.type == device
    assert packed.batch_sizes.device.type == "cpu"
    padded, lengths = rnn.pad_packed_sequence(packed)
    assert padded.device.type == device and lengths.tolist() == [2, 4, 1]
    for x, y in zip(given, rnn.unpack_sequence(packed.cpu()), strict=True):
        assert x.tolist() == y.tolist()
