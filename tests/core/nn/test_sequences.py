"""Recurrent layers and attention with all their arguments, against PyTorch's."""

from collections import namedtuple

import numpy as np
import pytest

import tallow
from tallow import nn

rng = np.random.default_rng(4)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def run(torch, source, operands):
    """What a piece of source gives and its gradients, under both libraries: `nn` and `torch`."""
    results = []
    for module in (tallow, torch):
        module.manual_seed(2)
        names = {"torch": module, "nn": module.nn}
        leaves = {
            k: module.tensor(x, requires_grad=x.dtype.kind == "f") for k, x in operands.items()
        }
        *statements, last = source.strip().split("\n")
        exec("\n".join(statements), names | leaves, scope := names | leaves)
        outputs = flat(eval(last, names | scope))
        total = sum((x * x.detach().cos()).sum() for x in outputs if x.requires_grad)
        total.backward()
        model = scope["model"]
        slopes = [x.grad for x in (*leaves.values(), *model.parameters())]
        results.append(([x.detach() for x in outputs], slopes))
    return results


def flat(value):
    if isinstance(value, tuple | list):
        return [x for part in value for x in flat(part)]
    return [] if value is None else [value]


def same(torch, source, **operands):
    (ours, our_slopes), (theirs, their_slopes) = run(torch, source, operands)
    assert len(ours) == len(theirs)
    for a, b in zip([*ours, *our_slopes], [*theirs, *their_slopes], strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


RECURRENT = [
    "model = nn.RNN(4, 3, 2)\nmodel(x, h)",
    "model = nn.RNN(4, 3, 2, batch_first=True, nonlinearity='relu')\nmodel(x.transpose(0, 1), h)",
    "model = nn.GRU(4, 3, bidirectional=True)\nmodel(x, h)",
    "model = nn.GRU(4, 3, 2)\nmodel(x[:, 0], h[:, 0])",
    "model = nn.LSTM(4, 3, 2)\nmodel(x, (h, c))",
    "model = nn.LSTM(4, 3, 2)\nmodel(x, (h, c))[1][1]",
    "model = nn.LSTM(4, 3, bidirectional=True)\nmodel(x, (h, c))[0][-1]",
    "model = nn.LSTM(4, 5, 2, proj_size=3, bias=False)\n"
    "model(x, (h, torch.cat([c, c[..., :2]], 2)))",
    "model = nn.LSTM(4, 3, 2, dropout=0.5)\nmodel(x, (h, c))",
    "model = nn.LSTMCell(4, 3)\nmodel(x[0], (h[0], c[0]))",
    "model = nn.GRUCell(4, 3, bias=False)\nmodel(x[0, 0], h[0, 0])",
]


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("source", RECURRENT)
def test_recurrent_layers(source):
    torch = pytest.importorskip("torch")
    same(torch, source, x=f(5, 2, 4), h=f(2, 2, 3), c=f(2, 2, 3))


PACKED = namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])


@pytest.mark.parametrize("kind, states", [("LSTM", 2), ("GRU", 1), ("RNN", 1)])
@pytest.mark.parametrize("ordered", [True, False])
def test_packed_sequences(kind, states, ordered):
    torch = pytest.importorskip("torch")
    tallow.manual_seed(3)
    torch.manual_seed(3)
    models = [getattr(m.nn, kind)(4, 3, 2, bidirectional=True) for m in (tallow, torch)]
    x, lengths = f(5, 3, 4), [5, 3, 1] if ordered else [1, 5, 3]
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), enforce_sorted=ordered
    )
    given = [f(4, 3, 3) for _ in range(states)]
    hx = [tuple(map(m.tensor, given)) for m in (tallow, torch)]
    hx = hx if states == 2 else [h[0] for h in hx]
    parts = [None if part is None else tallow.tensor(part.numpy()) for part in packed]
    ours, our_state = models[0](PACKED(*parts), hx[0])
    theirs, their_state = models[1](packed, hx[1])
    assert type(ours) is PACKED and ours.batch_sizes is parts[1]
    pairs = [(ours.data, theirs.data), *zip(flat(our_state), flat(their_state), strict=True)]
    for a, b in pairs:
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)
    for out in (ours, theirs):
        (out.data**2).sum().backward()
    for a, b in zip(*(model.parameters() for model in models), strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-3, atol=1e-5)


def test_packed_equals_padded():
    """Each sequence gives what it gives alone, in both directions."""
    tallow.manual_seed(0)
    model = nn.LSTM(4, 3, bidirectional=True)
    long, short = tallow.randn(3, 4), tallow.randn(2, 4)
    data = tallow.stack([long[0], short[0], long[1], short[1], long[2]])
    packed = PACKED(data, tallow.tensor([2, 2, 1]), None, None)
    out, (h, _) = model(packed)
    for rows, alone, n in (([0, 2, 4], long, 0), ([1, 3], short, 1)):
        expected, (last, _) = model(alone)
        np.testing.assert_allclose(out.data[rows].tolist(), expected.tolist(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(h[:, n].tolist(), last.tolist(), rtol=1e-5, atol=1e-6)


def test_names_of_weights():
    torch = pytest.importorskip("torch")
    for kind, options in (("LSTM", {"proj_size": 2}), ("GRU", {}), ("RNN", {"bias": False})):
        how = {"num_layers": 2, "bidirectional": True} | options
        ours, theirs = (getattr(m.nn, kind)(4, 3, **how) for m in (tallow, torch))
        assert list(ours.state_dict()) == list(theirs.state_dict())
        shapes = [[tuple(w.shape) for row in m.all_weights for w in row] for m in (ours, theirs)]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "act, error, message",
    [
        (lambda: nn.LSTM(4, 3)(tallow.ones(5, 2, 3)), RuntimeError,
         r"LSTM: expected input \(L, N, 4\) or \(L, 4\), got float32 \(5, 2, 3\); batch_first is"),
        (lambda: nn.GRU(4, 3)(tallow.ones(5, 2, 4), tallow.ones(1, 3, 3)), RuntimeError,
         r"GRU: expected hx \(1, 2, 3\), got float32 \(1, 3, 3\)"),
        (lambda: nn.GRU(4, 3, proj_size=2), TypeError, "proj_size"),
        (lambda: nn.LSTM(4, 3, proj_size=3), ValueError, "proj_size from 0 to below hidden_size 3"),
        (lambda: nn.LSTM(4, 0), ValueError, "hidden_size above 0"),
        (lambda: nn.RNN(4, 3, nonlinearity="sin"), ValueError, "expected 'tanh' or 'relu'"),
        (lambda: nn.RNN(4, 3, 2, dropout=1.5), ValueError, "dropout from 0 to 1, got 1.5"),
        (lambda: nn.LSTMCell(4, 3)(tallow.ones(2, 5)), RuntimeError, r"expected input \(N, 4\)"),
        (lambda: nn.GRUCell(4, 3)(tallow.ones(2, 4), tallow.ones(3, 3)), RuntimeError,
         r"expected a state \(2, 3\)"),
        (lambda: nn.RNNBase("ELMAN", 4, 3), ValueError, "got 'ELMAN'"),
    ],
)  # fmt: skip
def test_misuse_of_recurrent_layers(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="dropout is put between layers"):
        nn.LSTM(4, 3, dropout=0.5)


# Attention

HIDDEN = np.triu(np.ones((4, 5), bool), 2)
PADDED = np.array([[False, False, False, False, True], [False, False, True, True, True]])
HEADS = np.stack([np.tril(np.ones((4, 5), bool), -k) for k in range(1, 5)])
MAKE = "model = nn.MultiheadAttention(8, 2)\n"
ATTENTION = [
    MAKE + "model(q, k, k, attn_mask=hidden)",
    MAKE + "model(q, k, k, key_padding_mask=padded)",
    MAKE + "model(q, k, k, key_padding_mask=padded, attn_mask=bias)",
    MAKE + "model(q, k, k, attn_mask=heads)",
    MAKE + "model(q, k, k, need_weights=False)[0]",
    MAKE + "later = torch.ones(4, 5).triu(1) > 0\n"
    "model(q, k, k, None, False, later, is_causal=True)[0]",
    MAKE + "model(q, k, k, average_attn_weights=False)",
    MAKE + "model(q[:, 0], k[:, 0], k[:, 0], average_attn_weights=False)",
    MAKE + "model(q[:, 0], k[:, 0], k[:, 0], key_padding_mask=padded[0])",
    "model = nn.MultiheadAttention(8, 2, add_bias_kv=True)\n"
    "model(q, k, k, key_padding_mask=padded, attn_mask=hidden)",
    "model = nn.MultiheadAttention(8, 2, add_zero_attn=True, dropout=0.5)\nmodel(q, k, k)",
    "model = nn.MultiheadAttention(8, 2, batch_first=True)\nmodel(q, q, q)",
    "model = nn.MultiheadAttention(8, 2, batch_first=True, bias=False)\n"
    "model(q.transpose(0, 1), k.transpose(0, 1), k.transpose(0, 1), key_padding_mask=padded)",
    # Layers and stacks
    "model = nn.TransformerEncoderLayer(8, 2, 16, 0.0)\nmodel(k, bias_k, padded)",
    "model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.1), 2)\n"
    "mask = nn.Transformer.generate_square_subsequent_mask(5)\nmodel(k, mask, is_causal=True)",
    "model = nn.TransformerDecoderLayer(8, 2, 16, 0.1, norm_first=True)\n"
    "model(q, k, memory_mask=hidden, memory_key_padding_mask=padded)",
    "model = nn.Transformer(8, 2, 1, 1, 16, 0.1, batch_first=True)\n"
    "mask = nn.Transformer.generate_square_subsequent_mask(4)\n"
    "model(k.transpose(0, 1), q.transpose(0, 1), tgt_mask=mask, src_key_padding_mask=padded, "
    "memory_key_padding_mask=padded, tgt_is_causal=True)",
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("source", ATTENTION)
def test_attention(source):
    torch = pytest.importorskip("torch")
    operands = {"q": f(4, 2, 8), "k": f(5, 2, 8), "bias": f(4, 5), "bias_k": f(5, 5)}
    masks = {"hidden": HIDDEN, "padded": PADDED, "heads": HEADS}
    used = {name: x for name, x in (operands | masks).items() if name in source}
    for name in ("bias", "bias_k"):
        if name in used and f" {name}" not in source and f"={name}" not in source:
            del used[name]
    same(torch, source.replace("=bias)", "=bias.detach())").replace(" bias_k", " bias_k.detach()"),
         **used)  # fmt: skip


def test_a_query_that_sees_nothing_gets_zeros():
    """PyTorch gives NaN with need_weights, zeros without."""
    model = nn.MultiheadAttention(4, 2, bias=False)
    x = tallow.ones(2, 1, 4)
    hidden = tallow.tensor([[True, True], [False, False]])
    out, weights = model(x, x, x, attn_mask=hidden)
    assert out[0].abs().sum() == 0 and weights[0, 0].tolist() == [0, 0]
    assert out[1].abs().sum() > 0


def test_transformer_layers_are_copies():
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = encoder.layers
    assert first.linear1.weight is not second.linear1.weight
    assert first.linear1.weight.tolist() == second.linear1.weight.tolist()


@pytest.mark.parametrize(
    "act, error, message",
    [
        (lambda: nn.MultiheadAttention(8, 3), ValueError, "embed_dim divisible by num_heads"),
        (lambda: nn.MultiheadAttention(8, 2)(*[tallow.ones(3, 2, 6)] * 3), RuntimeError,
         r"expected query \(L, N, 8\)"),
        (lambda: nn.MultiheadAttention(8, 2)(*[tallow.ones(3, 2, 8)] * 3,
                                             attn_mask=tallow.ones(2, 3)), RuntimeError,
         r"expected attn_mask \(L, S\) or \(N \* heads, L, S\), got float32 \(2, 3\)"),
        (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), ValueError,
         "expected 'relu' or 'gelu', got 'tanh'"),
        (lambda: nn.Transformer(8, 2, 1, 1, 16)(tallow.ones(3, 2, 8), tallow.ones(3, 1, 8)),
         RuntimeError, "expected src and tgt of one batch and 8 features"),
    ],
)  # fmt: skip
def test_misuse_of_attention(act, error, message):
    with pytest.raises(error, match=message):
        act()


# Attention by functions of positions


def causal(batch, head, query, key):
    return query >= key


def near(batch, head, query, key):
    return query - key < 2


def decayed(score, batch, head, query, key):
    return score - (query - key).abs() * 0.5 * (head + 1)


FLEX = [
    "flex.flex_attention(q, k, k)",
    "flex.flex_attention(q, k, k, decayed, scale=0.3)",
    "flex.flex_attention(q, k[:, :1], k[:, :1], enable_gqa=True)",
    "flex.flex_attention(q, k, k, decayed, flex.create_block_mask("
    "flex.and_masks(causal, near), None, None, 4, 5, 'cpu'))",
    "flex.flex_attention(q, k, k, block_mask=flex.create_block_mask("
    "flex.or_masks(causal, near), 2, 2, 4, 5, 'cpu'))",
    "flex.flex_attention(q, k, k, return_aux=flex.AuxRequest(lse=True))[1].lse",
]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("source", FLEX)
def test_flex_attention(source):
    torch = pytest.importorskip("torch")
    from torch.nn.attention import flex_attention as theirs

    from tallow.nn.attention import flex_attention as ours

    results = []
    operands = {"q": f(2, 2, 4, 16), "k": f(2, 2, 5, 16)}
    for module, flex in ((tallow, ours), (torch, theirs)):
        names = {name: module.tensor(x) for name, x in operands.items()} | globals()
        results.append(eval(source, names | {"flex": flex}).numpy())
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_flex_attention_of_nothing_and_its_normalizer():
    from tallow.nn.attention import flex_attention as flex

    x = tallow.ones(1, 1, 2, 4)
    mask = flex.create_block_mask(lambda b, h, query, key: query > key, None, None, 2, 2)
    with np.errstate(divide="ignore"):  # the logarithm of no weights at all
        out, lse = flex.flex_attention(x, x, x, block_mask=mask, return_lse=True)
    assert out[0, 0].tolist() == [[0] * 4, [1] * 4] and lse[0, 0].tolist() == [-np.inf, 2.0]
    aux = flex.flex_attention(x, 2 * x, x, return_aux=flex.AuxRequest(max_scores=True))[1]
    assert aux.lse is None and aux.max_scores.tolist() == [[[4.0, 4.0]]]
    assert mask.sparsity() == 75 and repr(mask) == "BlockMask(shape=(1, 1, 2, 2), sparsity=75.00%)"
    assert flex.flex_attention(x, x, x, block_mask=flex.create_block_mask(
        flex.noop_mask, 1, 1, 2, 2)).tolist() == x.tolist()  # fmt: skip


def test_sdpa_kernel_changes_nothing():
    x = tallow.ones(1, 2)
    with nn.attention.sdpa_kernel([nn.attention.SDPBackend.MATH]):
        assert nn.functional.scaled_dot_product_attention(x, x, x).tolist() == x.tolist()
    with pytest.raises(TypeError, match="expected SDPBackend members, got str"):
        with nn.attention.sdpa_kernel("math"):
            pass
