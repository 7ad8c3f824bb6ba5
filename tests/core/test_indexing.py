"""Indexing, gathering, scattering and masks against PyTorch: values, shapes, dtypes, gradients."""

import itertools

import numpy as np
import pytest

import tallow


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))
INTS = np.array([2, 0, 2])
J = np.array([[1, 0, 3], [-1, 2, 0]])
K = np.array([4, -5, 1])
MASK = X > 0.3

GET = """\
x[0]
x[-1]
x[1, 2]
x[1, 2, -3]
x[...]
x[..., 1]
x[0, ..., 1]
x[None]
x[:, None, 1]
x[..., None]
x[1:]
x[-2:, ::2]
x[:, 3:1]
x[5:9]
x[:, :, 1:4:3]
x[None, 0, None, ..., None, 2:]
x[()]
x[i]
x[[0, 2]]
x[[[0, 1], [2, 0]]]
x[range(2)]
x[(0, 1)]
x[:, j]
x[..., k]
x[i, k % 4]
x[i, :, k]
x[:, i, k]
x[0, :, k]
x[0, i]
x[0, ..., k]
x[i, 0]
x[i, None, k % 4]
x[i, ..., None, 0]
x[None, i, None, k % 4]
x[:, i, 1:3]
x[1:, i, k]
x[i, 1:3, k]
x[i, j[:1], k]
x[j % 3, i, 1]
x[:, torch.tensor(1)]
x[torch.tensor(-1), :, torch.tensor(2)]
x[torch.tensor([1])]
x[i.int()]
x[mask]
x[mask[:, :, 0]]
x[mask[:, 0, 0]]
x[:, mask[0]]
x[:, mask[0, :, 0]]
x[..., mask[0, 0]]
x[mask[:, 0, 0], 1]
x[0, mask[0]]
x[mask[:, :, 0], 1:3]
x[mask[:, 0, 0], :, k[:1]]
x[[True, False, True]]
x[True]
x[False]
x[torch.tensor(True)]
x[:, True]
x[None, True, 0]
x[True, i]
x[i, True]
x[torch.zeros(3, dtype=torch.bool)]
x[torch.zeros(0, dtype=torch.int64)]
x[:, torch.zeros(2, 0, dtype=torch.int64)]
x[[]]
x[torch.ones(3, dtype=torch.uint8)]
x[torch.tensor(2):, torch.tensor(1)]
x[0][None][..., 2:].transpose(0, 1)[i]
x.transpose(0, 2)[k, :, i]
x[0, 0, 0][...]
x[0, 0, 0][None]
x[0, 0, 0][()]
x[0, 0, 0][True]
x[i][:, :, k]
x[mask, ...]
x[0, 0][mask[0, 0]]
x[mask[:, :1].expand(3, 4, 5)]
""".splitlines()


@pytest.mark.parametrize("source", GET)
def test_getitem(parity, source):
    parity(source, x=X, i=INTS, j=J, k=K, mask=MASK)


PARTS = {
    "int": "1", "slice": "1:", "none": "None", "tensor": "i", "matrix": "j % 3", "mask": "m",
    "dots": "...",
}  # fmt: skip


@pytest.mark.parametrize("parts", list(itertools.product(PARTS, repeat=3)), ids="-".join)
def test_combinations(parity, parts):
    source = f"x[{', '.join(PARTS[p] for p in parts)}]"
    operands = {"x": RNG.standard_normal((3, 3, 3, 3)), "i": INTS, "j": J, "m": np.ones(3, bool)}
    if parts.count("dots") > 1:
        with pytest.raises(IndexError, match="index: expected a key for float64"):
            parity.run(tallow, source, operands, False, False)
    else:
        parity(source, **operands)


GET_ERRORS = """\
x[3]
x[-4]
x[0, 4]
x[0, 0, 0, 0]
x[0, 0, 0, None, 0]
x[::-1]
x[::0]
x[1.0]
x["a"]
x[0, 1.5]
x[torch.tensor([3])]
x[torch.tensor([-4])]
x[:, torch.tensor([0, 4])]
x[torch.tensor([1.0])]
x[torch.tensor([1, 2]), torch.tensor([1, 2, 3])]
x[torch.ones(4, dtype=torch.bool)]
x[torch.ones(3, 3, dtype=torch.bool)]
x[torch.ones(3, 4, 5, 1, dtype=torch.bool)]
x[torch.tensor([1]).to(torch.int16)]
x[torch.tensor([1]).to(torch.int8)]
x[0, 0, 0][0]
x[{}]
x[0:"a"]
x[torch.tensor([0, 1]):]
x[torch.zeros(3, 1, 2, dtype=torch.int64), torch.zeros(2, 2, dtype=torch.int64)[:, :1].expand(2, 3)]
""".splitlines()


@pytest.mark.parametrize("source", GET_ERRORS)
def test_getitem_errors(parity, source):
    parity.fails(source, "index", x=X)


SET = """\
x[0] = 1
x[0] = v
x[1, 2] = v[0]
x[...] = v
x[..., 1] = v[:, 1]
x[:, 1:3] = v[0]
x[1:] = v[None, None, :4, :1]
x[None, 0] = v
x[()] = 2.5
x[::2, None] = v[0]
x[i[1:]] = v
x[i, :, k] = v[:3, :4]
x[0, :, k] = v[:, :3]
x[:, i[:2], 1] = v[:3, :2]
x[mask] = 0
x[mask] = v[0, 0]
x[mask] = v.reshape(-1)[:int(mask.sum())].sum()
x[:, mask[0]] = v[:1, 0]
x[mask[:, 0, 0]] = v
x[True] = v
x[[0, 2]] = v
x[[True, False, True], 1:3] = v[0]
x[0, 0, 0] = v[0, 0]
x[0, 0, 0] = v[:1, :1]
x[i[:0]] = v
x[1] = torch.ones(4, 5)
x[1] = torch.ones(4, 5, dtype=torch.int64)
x[1] = torch.ones(5, dtype=torch.float32)
x[i[1:]] = torch.ones(4, 5, dtype=torch.float64)
x[0] = x[1]
x[1:] = x[:-1] * 2
x[0][1] = v[0]
x[:, 0][i[1:]] = v[0]
x[0, 1:3][..., i[1:]] = v[0, 0]
x[torch.tensor(1)] = v
x[0] += v
x[i[1:]] += v
x[mask] *= 2
x[0] = True
x.transpose(0, 1)[1] = v[:3]
x.view(-1)[3] = v[0, 0]
x.flatten()[::7] = v[0, 0]
x[0].mul_(v)
x[:, 1].add_(v[0])
x[1:, ::2].zero_()
x.unsqueeze(0)[0, 1] = v
x.diagonal()[1] = v[0, :3]
x.diagonal(0, 1, 2).mul_(3)
x.unfold(2, 2, 2)[0, 0, 0] = v[0, :2]
x.select(1, 2).copy_(v[:3])
x.narrow(1, 1, 2).fill_(3.0)
x.permute(2, 0, 1)[0].copy_(v[:3, :4])
x[i[1:].int()] = v
""".splitlines()


@pytest.mark.parametrize("source", SET)
def test_setitem(parity, source):
    operands = {"v": RNG.standard_normal((4, 5)), "i": INTS, "k": K, "mask": MASK, "leaf": X}
    parity(f"x = leaf * 1; {source}; x", **operands)
    parity(f"x = leaf * 1; {source}; x.sin() * x.detach()", **operands)
    parity(f"x = leaf.clone(); {source}; x", gradients=False, **operands)


SET_ERRORS = """\
x[3] = 1
x[0] = torch.ones(3)
x[0] = torch.ones(2, 4, 5)
x[torch.tensor([3])] = 1.0
x[mask] = torch.ones(2, dtype=torch.float64)
x[torch.tensor([0, 1])] = torch.ones(3, 4, 5, dtype=torch.float64)
x[torch.tensor([0, 1])] = torch.ones(4, 5)
x["a"] = 1
x[0] = "a"
x[0] = None
""".splitlines()


@pytest.mark.parametrize("source", SET_ERRORS)
def test_setitem_errors(parity, source):
    parity.fails(f"x = x * 1; {source}; x", x=X, mask=MASK)


CASTS = """\
x[0] = 2.7
x[0] = torch.tensor([1.5, -2.5])
x[0] = True
x[0, 0] = torch.tensor(300.9)
x[torch.tensor([0])] = 1
x[x > 2] = 9
""".splitlines()


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32", "uint8"])
@pytest.mark.parametrize("source", CASTS)
def test_setitem_casts(parity, source, dtype):
    x = np.arange(6).reshape(3, 2).astype(dtype)
    parity(f"{source}; x", x=x, gradients=False)


def test_leaf_that_requires_gradients():
    x = tallow.ones(3, requires_grad=True)
    with pytest.raises(tallow.errors.GradientError, match="leaf"):
        x[0] = 1
    with tallow.no_grad():
        x[0] = 2
    assert x.tolist() == [2, 1, 1]


def test_views_share_memory():
    x = tallow.zeros(3, 4)
    for view in (
        x[0],
        x[:, 1],
        x[..., None],
        x[1:, ::2],
        x[None],
        x.T,
        x.diagonal(),
        x.unfold(0, 2, 1),
    ):
        view.fill_(1)
        assert np.shares_memory(view.array, x.array)
    assert not np.shares_memory(x[tallow.tensor([0])].array, x.array)
