"""Torch's own forms of what nn.functional has; most are compared in test_opinfo."""

import pytest

import tallow
from tallow.errors import ArgumentError, DtypeError

torch = pytest.importorskip("torch")

CALLS = [
    lambda t, x: t.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
    lambda t, x: t.instance_norm(x[None], None, None, None, None, True, 0.1, 1e-5, False),
    lambda t, x: t.embedding(x, t.tensor([1, 0])),
    lambda t, x: t.kl_div(x, x.softmax(-1), 1),
    lambda t, x: t.binary_cross_entropy_with_logits(x, x * 0, None, None, 2),
    lambda t, x: t.hinge_embedding_loss(x, x * 0 + 1, 1.0, 0),
    lambda t, x: t.margin_ranking_loss(x, x * 2, x * 0 + 1),
    lambda t, x: t.poisson_nll_loss(x, x * 0 + 2, True, False, 1e-8, 1),
    lambda t, x: t.triplet_margin_loss(x, x + 1, x - 2),
    lambda t, x: t.cosine_embedding_loss(x, x + 1, t.ones(4)),
    lambda t, x: t.convolution(x[None], x.new_ones(2, 4, 2), None, [1], [0], [1], False, [0], 1),
    lambda t, x: t.convolution(x[None], x.new_ones(4, 2, 2), None, [2], [0], [1], True, [1], 1),
    lambda t, x: t.grid_sampler(x[None, None], t.zeros(1, 1, 1, 2), 0, 0, True),
    lambda t, x: t.affine_grid_generator(t.ones(1, 2, 3), [1, 1, 2, 2], False),
]


@pytest.mark.parametrize("call", CALLS)
def test_values(call):
    values = torch.arange(20.0).reshape(4, 5).sin()
    got, expected = call(tallow, tallow.from_numpy(values.numpy())), call(torch, values)
    assert torch.allclose(torch.from_numpy(got.numpy().copy()), expected, 1e-5, 1e-6)


def test_a_mode_that_there_is_not():
    with pytest.raises(ArgumentError, match="grid_sampler: expected a number from 0 to 2, got 7"):
        tallow.grid_sampler(tallow.ones(1, 1, 2, 2), tallow.zeros(1, 1, 1, 2), 7, 0, True)


# Recurrent layers and cells, with weights in lists


def to_tallow(x):
    if isinstance(x, torch.Tensor):
        return tallow.from_numpy(x.detach().numpy().copy())
    return type(x)(map(to_tallow, x)) if isinstance(x, list | tuple) else x


def compare(name, *args, **options):
    got = getattr(tallow, name)(*to_tallow(args), **{k: to_tallow(v) for k, v in options.items()})
    expected = getattr(torch, name)(*args, **options)
    got, expected = ([x] if not isinstance(x, tuple) else x for x in (got, expected))
    for a, b in zip(got, expected, strict=True):
        a = torch.from_numpy(a.numpy().copy())
        assert a.dtype == b.dtype and torch.allclose(a, b, 1e-5, 1e-6, equal_nan=True)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_recurrent(name, bias, bidirectional, batch_first):
    kind = {"rnn_tanh": "RNN", "rnn_relu": "RNN"}.get(name, name.upper())
    options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    layer = getattr(torch.nn, kind)(3, 4, 2, **options)
    h = torch.rand(4 if bidirectional else 2, 5 if batch_first else 2, 4)
    hx = (h, h * 2) if name == "lstm" else h
    how = layer._flat_weights, bias, 2, 0.0, False, bidirectional
    compare(name, torch.rand(5, 2, 3), hx, *how, batch_first)
    if not batch_first:
        compare(name, torch.rand(5, 3), torch.tensor([2, 2, 1]), hx, *how)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_recurrent_with_a_projection():
    layer = torch.nn.LSTM(3, 4, proj_size=2)
    hx = torch.rand(1, 2, 2), torch.rand(1, 2, 4)
    how = layer._flat_weights, True, 1, 0.0, False, False, False
    compare("lstm", torch.rand(5, 2, 3), hx, *how)


@pytest.mark.parametrize("name", ["lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"])
def test_cells(name):
    cell = getattr(torch.nn, {"lstm_cell": "LSTMCell", "gru_cell": "GRUCell"}.get(name, "RNNCell"))
    cell, h = cell(3, 4), torch.rand(2, 4)
    hx = (h, h * 2) if name == "lstm_cell" else h
    compare(name, torch.rand(2, 3), hx, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)


def test_conv_tbc():
    compare("conv_tbc", torch.rand(5, 2, 3), torch.rand(3, 3, 4), torch.rand(4), 1)


@pytest.mark.parametrize("initial", [None, 2.0])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segment_reduce(reduce, initial):
    x, lengths = torch.arange(12.0).sin(), torch.tensor([1, 0, 3, 2])
    compare("segment_reduce", x.view(6, 2), reduce, lengths=lengths, initial=initial)
    lengths = torch.tensor([[1, 3, 2], [2, 2, 2]])
    compare("segment_reduce", x.view(2, 6), reduce, lengths=lengths, axis=1, initial=initial)
    offsets = torch.tensor([0, 2, 12])
    compare("segment_reduce", x, reduce, offsets=offsets, initial=initial)


@pytest.mark.parametrize(
    "reduce, given, message",
    [
        ("median", {"lengths": [2]}, "expected sum, mean, max, min, prod, got 'median'"),
        ("sum", {}, "expected lengths or offsets, and not both"),
        ("sum", {"lengths": [1]}, "expected lengths of 2 together along dim 0"),
        ("sum", {"lengths": [3, -1]}, "expected lengths of 2 together along dim 0"),
    ],
)
def test_segments_that_there_are_not(reduce, given, message):
    given = {name: tallow.tensor(value) for name, value in given.items()}
    with pytest.raises(ArgumentError, match=f"segment_reduce: {message}"):
        tallow.segment_reduce(tallow.ones(2), reduce, **given)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_cross_map_normalization(size):
    x = torch.rand(2, 6, 3, 3)
    theirs, ours = (
        torch.nn.CrossMapLRN2d(size, 0.5, 0.75, 2),
        tallow.nn.CrossMapLRN2d(size, 0.5, 0.75, 2),
    )
    got = torch.from_numpy(ours(to_tallow(x)).numpy())
    assert torch.allclose(got, theirs(x), 1e-5) and repr(ours) == repr(theirs)


# Others


@pytest.mark.parametrize(
    "values", [[1.5, -2.0, 3.0], [[1, 2], [3, 4]], [True, False, True], 2.0], ids=str
)
def test_hash_tensor(values):
    x = torch.tensor(values)
    compare("hash_tensor", x)
    if x.ndim:
        compare("hash_tensor", x, 0, keepdim=True)


def test_hashes_that_there_are_not():
    with pytest.raises(NotImplementedError, match="hash_tensor: expected mode 0, got 1"):
        tallow.hash_tensor(tallow.ones(1), mode=1)
    with pytest.raises(DtypeError, match="hash_tensor: expected real numbers"):
        tallow.hash_tensor(tallow.ones(1, dtype=tallow.complex64))


@pytest.mark.filterwarnings("ignore:range", "ignore:torch.range")
@pytest.mark.parametrize("args", [(1, 4), (1, 4, 0.5), (3, -3, -2), (0, 1, 0.3)])
def test_range(args):
    compare("range", *args)
    with pytest.raises(ArgumentError, match="range: expected an end that step goes to"):
        tallow.range(1, 0)


def test_range_is_deprecated():
    with pytest.warns(UserWarning, match="range: includes its end"):
        assert tallow.range(2, dtype=tallow.int64).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "options", [{}, {"k": 2}, {"k": 2, "largest": False}, {"B": True, "k": 2}], ids=str
)
def test_lobpcg(options):
    x = torch.rand(8, 8, dtype=torch.float64)
    A, B = x @ x.T, torch.eye(8, dtype=torch.float64) + 0.1
    options = options | ({"B": B} if "B" in options else {})
    ours = {name: to_tallow(value) for name, value in options.items()}
    values, vectors = tallow.lobpcg(to_tallow(A), **ours)
    expected, _ = torch.lobpcg(A, **options, niter=1000, tol=1e-10)
    assert torch.allclose(torch.from_numpy(values.numpy()), expected, 1e-6)
    B = to_tallow(options.get("B", torch.eye(8, dtype=torch.float64)))
    assert tallow.allclose(to_tallow(A) @ vectors, B @ vectors * values)


def test_functions_for_conditions():
    assert tallow.cond(tallow.tensor(False), len, lambda x: -x, (tallow.ones(1),)) == -1
    with pytest.raises(TypeError, match="cond: expected two functions"):
        tallow.cond(True, 1, 2)
    found = tallow.while_loop(lambda x: x < 9, lambda x: x * 2, (tallow.ones(1),))
    assert found[0] == 16


def test_methods_of_functional():
    x = torch.tensor([-1.0, 0.2, 3.0])
    assert to_tallow(x).hardshrink().tolist() == x.hardshrink().tolist()
    weight = torch.tensor([0.5])
    assert to_tallow(x).prelu(to_tallow(weight)).equal(to_tallow(x.prelu(weight)))


def test_settings_that_change_nothing():
    before = tallow.is_warn_always_enabled()
    tallow.set_warn_always(True)
    assert tallow.is_warn_always_enabled() and not before
    tallow.set_warn_always(before)
    tallow.set_num_interop_threads(2)
    assert tallow.get_num_interop_threads() == 1 and tallow.set_flush_denormal(True) is False


def test_from_file(tmp_path):
    path = tmp_path / "numbers"
    made = tallow.from_file(str(path), shared=True, size=3, dtype=tallow.int32)
    made.copy_(tallow.arange(3))
    own = tallow.from_file(str(path), size=2, dtype=tallow.int32)
    own[0] = 7
    again = tallow.from_file(str(path), shared=False, size=3, dtype=tallow.int32)
    assert own.tolist() == [7, 1] and again.tolist() == [0, 1, 2] and made.is_shared()
