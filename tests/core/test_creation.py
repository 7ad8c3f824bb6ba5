"""Making tensors, against PyTorch."""

import math

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError

A = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "source",
    [
        # ranges
        "torch.arange(5)", "torch.arange(5.)", "torch.arange(1, 2, 0.1)", "torch.arange(5, 0, -1)",
        "torch.arange(0, 1, 0.1, dtype=torch.float64)", "torch.arange(5, dtype=torch.float16)",
        "torch.arange(torch.tensor(5))", "torch.arange(torch.tensor(5.))", "torch.arange(end=4)",
        "torch.arange(start=1, end=4)", "torch.arange(1, 4, step=2)", "torch.arange(0, 10, 3.5)",
        "torch.arange(0.5, 3, dtype=torch.int64)", "torch.arange(True)", "torch.arange(3, 3)",
        "torch.arange(-1, 1, 0.25, dtype=torch.bfloat16)", "torch.arange(3., requires_grad=True)",
        "torch.linspace(0, 1, 5)", "torch.linspace(0, 10, 5, dtype=torch.int64)",
        "torch.linspace(0, -7, 6, dtype=torch.int32)", "torch.linspace(3, 10, 1)",
        "torch.linspace(3, 10, 0)", "torch.linspace(0, 1j, 3)",
        "torch.linspace(torch.tensor(0.), torch.tensor(1.), 3)",
        "torch.linspace(0, 1, 3, dtype=torch.complex64)", "torch.linspace(-1.7, 3.3, 9)",
        "torch.linspace(0, 1, 4, dtype=torch.float16)", "torch.linspace(0, 1, 11).tolist()",
        "torch.linspace(-5, 5, 12, dtype=torch.bfloat16)", "torch.logspace(0, 2, 3)",
        "torch.logspace(0, 3, 4, base=2)", "torch.logspace(0, 3, 4, dtype=torch.int64)",
        "torch.logspace(-1, 1, 5)",
        # of a size
        "torch.full((2,), 1)", "torch.full((2,), 1.5)", "torch.full((2,), True)",
        "torch.full((2,), 1j)", "torch.full((2,), 1, dtype=torch.float64)", "torch.full((), 3)",
        "torch.full((2,), 1.7, dtype=torch.int64)", "torch.full((2,), torch.tensor(1.5))",
        "torch.full((2,), -1, dtype=torch.uint8)", "torch.full([2, 2], 0.)",
        "torch.zeros(2, 3)", "torch.zeros((2, 3))", "torch.zeros([2, 3])", "torch.zeros(())",
        "torch.zeros(torch.Size([2]))", "torch.zeros(size=(2,))", "torch.zeros(0)",
        "torch.zeros(2, 0)", "torch.zeros(torch.tensor(2))", "torch.zeros(2, dtype=float)",
        "torch.zeros(2, dtype=int)", "torch.zeros(2, dtype=bool)", "torch.zeros(2, dtype=complex)",
        "torch.zeros(2, device='cpu')", "torch.zeros(2, requires_grad=True)",
        "torch.ones(2, 2, out=torch.empty(0))", "torch.ones(2, out=torch.empty(2).long())",
        "torch.ones(2, layout=torch.strided)", "torch.empty(2, 3).shape.numel()",
        "torch.eye(2)", "torch.eye(2, 3, dtype=torch.int64)", "torch.eye(0)",
        "torch.tril_indices(3, 3)", "torch.tril_indices(3, 4, 1)", "torch.triu_indices(3, 4, -1)",
        "torch.triu_indices(3, 4, -1, dtype=torch.int32)", "torch.scalar_tensor(3)",
        "torch.scalar_tensor(3, dtype=torch.int64)",
        "torch.empty_strided((2, 3), (1, 2)).stride()",
        "torch.empty_permuted((2, 3, 4), (0, 2, 1)).stride()",
        # from data
        "torch.tensor(1)", "torch.tensor(1.)", "torch.tensor(True)", "torch.tensor(1j)",
        "torch.tensor([])", "torch.tensor([[]])", "torch.tensor([1, 2.])", "torch.tensor([1, 1j])",
        "torch.tensor([True, 2])", "torch.tensor([1, True, 2.5])", "torch.tensor((1, 2))",
        "torch.tensor(range(3))", "torch.tensor(2**63 - 1)", "torch.tensor(-2**63)",
        "torch.tensor(2**64, dtype=torch.float32)", "torch.tensor(-1, dtype=torch.uint8)",
        "torch.tensor([1.7, -1.7], dtype=torch.int64)", "torch.tensor([1.7], dtype=torch.bool)",
        "torch.tensor([1e40])", "torch.tensor([1e40], dtype=torch.float16)",
        "torch.tensor([[1, 2], [3, 4]], dtype=torch.float32, requires_grad=True)",
        "torch.tensor(torch.tensor([1, 2]))", "torch.tensor([torch.tensor(1), torch.tensor(2)])",
        "torch.tensor([torch.tensor(1.), 2])", "torch.as_tensor([1, 2])", "torch.as_tensor(5)",
        "torch.as_tensor(torch.ones(2), dtype=torch.float64)", "torch.asarray([1, 2])",
        "torch.asarray([1., 2.], dtype=torch.float64, requires_grad=True)",
        "torch.frombuffer(bytearray(b'abcd'), dtype=torch.uint8)",
        "torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16)",
        "torch.frombuffer(bytearray(b'abcd'), dtype=torch.uint8, count=2, offset=1)",
        # like others
        "torch.zeros_like(torch.ones(2, dtype=torch.int32))", "torch.full_like(torch.ones(2), 2)",
        "torch.zeros_like(torch.ones(2, 3).t()).stride()",
        "torch.ones_like(torch.ones(2), dtype=int)",
        "torch.empty_like(torch.ones(2, 3, 4).permute(2, 0, 1)).stride()",
        "torch.ones_like(torch.ones(2, 3).t(), memory_format=torch.contiguous_format).stride()",
        "torch.full_like(torch.ones(2, dtype=torch.int64), 1.5)",
        "torch.ones(2).new_tensor([1, 2])", "torch.ones(2).long().new_tensor([1.5])",
        "torch.ones(2).long().new_zeros(2, 3)", "torch.ones(2).new_full((2,), 3)",
        "torch.ones(2).new_ones((2,), dtype=torch.int64)", "torch.ones(2).new([1, 2])",
        "torch.ones(2).new_empty_strided((2, 2), (1, 2)).stride()",
        "torch.ones(2, 3).t().clone().stride()", "torch.ones(2, 3).t().double().stride()",
        "torch.ones(2, 3).t().clone(memory_format=torch.contiguous_format).stride()",
        "(torch.ones(2, 3).t() + 1).stride()",
        # PyTorch's early constructors
        "torch.Tensor([1, 2])", "torch.Tensor()", "torch.Tensor(torch.tensor([1.]))",
        "torch.Tensor([[1, 2], [3, 4]])", "torch.FloatTensor([1, 2])", "torch.LongTensor([1, 2])",
        "torch.LongTensor(2, 3).numel()", "torch.BoolTensor([1, 0])", "torch.IntTensor([1.5])",
        "torch.DoubleTensor([1])", "torch.ByteTensor([1])", "torch.HalfTensor([1])",
        "isinstance(torch.ones(2), torch.FloatTensor)",
        "isinstance(torch.ones(2), torch.IntTensor)",
        "torch.typename(torch.ones(2))", "torch.typename(3)", "torch.ones(2).type()",
        "torch.ones(2).bfloat16().type()", "torch.ones(2).type('torch.DoubleTensor')",
        "torch.ones(2).type(torch.LongTensor)", "torch.ones(2).type(torch.int64)",
    ],
)  # fmt: skip
def test_parity(parity, source):
    parity(source)


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
@pytest.mark.parametrize(
    "make",
    [
        np.float64(1), np.float32(1), np.int32(1), np.array([1, 2], np.int32), np.array(1.5),
        [np.float64(1)], [np.float32(1), np.float32(2)], [np.int32(1)], [np.float32(1), 2],
        [np.array([1, 2]), np.array([3, 4])], [np.array([1.0, 2])], np.ones((2, 3)).T,
        np.array([1, 2], np.uint16), np.array([True]), np.array([1j]), np.ones((0, 2)),
    ],
    ids=repr,
)  # fmt: skip
def test_from_numpy_values(make):
    torch = pytest.importorskip("torch")
    for name in ("tensor", "as_tensor", "asarray"):
        if isinstance(make, list) and name == "asarray":
            continue
        ours, theirs = getattr(tallow, name)(make), getattr(torch, name)(make)
        assert str(ours.dtype)[7:] == str(theirs.dtype)[6:], name
        assert ours.tolist() == theirs.tolist() and ours.stride() == theirs.stride(), name


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("torch.arange(5, 0)", "arange: expected a finite end on the side of start"),
        ("torch.arange(0, 5, 0)", "arange: expected a step other than 0"),
        ("torch.arange(float('nan'))", "arange: expected a finite end"),
        ("torch.arange(float('inf'))", "arange: expected a finite end"),
        ("torch.arange(3, dtype=torch.bool)", "arange: expected a dtype of numbers"),
        ("torch.arange(3, requires_grad=True)", "requires_grad: expected a floating-point"),
        ("torch.linspace(3, 10, -1)", "linspace: expected 0 or more steps"),
        ("torch.full((2,), 300, dtype=torch.uint8)", "expected numbers in the range"),
        ("torch.zeros(-1)", "zeros: expected sizes of 0 or more"),
        ("torch.zeros(2.5)", "zeros: expected an int, got float"),
        ("torch.zeros('a')", "zeros: expected an int, got str"),
        ("torch.zeros(2, dtype='float32')", "zeros: expected a dtype such as"),
        ("torch.zeros(2, device='gpu')", "device: expected 'cpu', 'cuda'"),
        ("torch.eye(-1)", "eye: expected sizes of 0 or more"),
        ("torch.eye(2.5)", "eye: expected an int, got float"),
        ("torch.empty_strided((2, 3), (1,))", "empty_strided: expected 2 strides, got 1"),
        ("torch.empty_permuted((2, 3), (0, 0))", "empty_permuted: expected each of 2 dims once"),
        ("torch.tensor('a')", "tensor: expected numbers, sequences of them or an array, got str"),
        ("torch.tensor([[1, 2], [3]])", "tensor: expected nested sequences of equal lengths"),
        ("torch.tensor(2**63)", "tensor: expected numbers in the range of tallow.int64"),
        ("torch.tensor([2**63])", "tensor: expected numbers in the range of tallow.int64"),
        ("torch.tensor(300, dtype=torch.uint8)", "tensor: expected numbers in the range"),
        ("torch.tensor(200, dtype=torch.int8)", "tensor: expected numbers in the range"),
        ("torch.tensor(float('nan'), dtype=torch.int64)", "tensor: expected numbers that"),
        ("torch.tensor([1 + 2j], dtype=torch.float32)", "tensor: expected numbers"),
        ("torch.tensor([1, 2], requires_grad=True)", "requires_grad: expected a floating-point"),
        ("torch.from_numpy([1])", "from_numpy: expected a numpy.ndarray, got list"),
        ("torch.frombuffer(bytearray(5), dtype=torch.int16)", "frombuffer: expected a whole"),
        ("torch.frombuffer(bytearray(0), dtype=torch.uint8)", "frombuffer: expected a whole"),
        ("torch.frombuffer(bytearray(4), dtype=torch.uint8, count=9)", "frombuffer: expected a"),
        ("torch.zeros_like([1])", "zeros_like: expected a tensor, got list"),
        ("torch.complex(torch.ones(2), torch.ones(2).double())", "complex: expected float32"),
        ("torch.complex(torch.ones(2).long(), torch.ones(2).long())", "complex: expected float32"),
        ("torch.ones(2).type('torch.NoTensor')", "type: expected a name such as"),
    ],
)  # fmt: skip
def test_errors(parity, source, match):
    parity.fails(source, match)


def test_numpy_arrays_of_other_types_are_refused():
    for array in (np.array(["a"]), np.array([1, 2], object), np.array([1], "datetime64[s]")):
        with pytest.raises(TypeError, match="dtype: expected one of bool, uint8"):
            tallow.tensor(array)
    with pytest.raises(ArgumentError, match="native byte order"):
        tallow.from_numpy(np.array([1, 2], ">i4"))


def test_what_shares_memory_and_what_copies():
    array = A.copy()
    for share in (tallow.from_numpy, tallow.as_tensor, tallow.asarray, tallow.from_dlpack):
        x = share(array)
        x[0, 0] += 1
        assert array[0, 0] == x[0, 0].item()
    assert array[0, 0] == 4
    for copy in (tallow.tensor, lambda a: tallow.asarray(a, copy=True), tallow.Tensor):
        copy(array).fill_(7)
        assert array[0, 0] == 4
    with pytest.raises(ArgumentError, match="asarray: expected to share memory"):
        tallow.asarray(array, dtype=tallow.int64, copy=False)


def test_as_tensor_keeps_the_history_of_a_tensor():
    x = tallow.ones(2, requires_grad=True)
    assert tallow.as_tensor(x) is x
    (tallow.as_tensor(x, dtype=tallow.float64) * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_read_only_arrays_are_copied():
    array = A.copy()
    array.flags.writeable = False
    tallow.as_tensor(array).zero_()
    assert array[0, 1] == 1


def test_device_of_new_tensors():
    from tallow.testing.devices import HOMES

    other = HOMES[1]  # which is not the current one
    with other:
        assert tallow.get_default_device() == other
        for x in (tallow.ones(2), tallow.tensor([1.0]), tallow.arange(3), tallow.rand(2)):
            assert x.device == other
        assert tallow.ones(2, device="cpu").device.type == "cpu"
        with tallow.device("cpu"):
            assert tallow.ones(2).device.type == "cpu"
    assert tallow.ones(2).device.type == "cpu"
    tallow.set_default_device(other)
    try:
        assert tallow.zeros(2).device == other
    finally:
        tallow.set_default_device(None)
    assert tallow.get_default_device() == tallow.device("cpu")
    moved = tallow.ones_like(tallow.ones(2, device=other))
    assert moved.device == other and tallow.zeros_like(moved, device="cpu").device.type == "cpu"


def test_memory_formats():
    x = tallow.arange(120.0).reshape(2, 3, 4, 5)
    last = x.contiguous(memory_format=tallow.channels_last)
    assert last.stride() == (60, 1, 15, 3) and bool((last == x).all())
    assert last.is_contiguous(memory_format=tallow.channels_last) and not last.is_contiguous()
    assert last.contiguous(memory_format=tallow.channels_last) is last
    assert x.to(memory_format=tallow.channels_last).stride() == last.stride()
    assert last.clone().stride() == last.stride()
    assert tallow.zeros_like(last).stride() == last.stride()
    assert last.contiguous().stride() == x.stride()
    assert repr(tallow.channels_last) == "tallow.channels_last" and x.layout is tallow.strided
    with pytest.raises(RuntimeError, match="contiguous: expected 4 dims"):
        x[0].contiguous(memory_format=tallow.channels_last)


def test_constants():
    assert (tallow.inf, tallow.pi, tallow.e) == (math.inf, math.pi, math.e)
    assert math.isnan(tallow.nan) and tallow.newaxis is None


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray, np.recarray])
def test_from_numpy_of_other_kinds_of_arrays(kind):
    """Their operators are not ours: a matrix multiplies by `*` as by `@`."""
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = tallow.from_numpy(a.view(kind))
    assert type(x.numpy()) is np.ndarray and (x * x).tolist() == [[1, 4], [9, 16]]
    x[0, 0] = 7
    assert a[0, 0] == 7


@pytest.mark.parametrize("make", [
    lambda how: tallow.full((2,), 1.0, layout=how),
    lambda how: tallow.ones_like(tallow.zeros(2), layout=how),
    lambda how: tallow.rand(2, layout=how),
    lambda how: tallow.hann_window(3, layout=how),
    lambda how: tallow.signal.windows.hann(3, layout=how),
])  # fmt: skip
def test_tensors_are_dense(make):
    assert make(tallow.strided).layout is tallow.strided
    with pytest.raises(ArgumentError, match="layout tallow.strided, got tallow.sparse_coo"):
        make(tallow.sparse_coo)
