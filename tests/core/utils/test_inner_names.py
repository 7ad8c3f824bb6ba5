"""Inner parts of PyTorch's that libraries with loaders and containers of their own take."""

import gc
from itertools import count
from types import SimpleNamespace

import pytest

import tallow
from tallow.utils.data import DataLoader
from tallow.utils.data import dataloader as own
from tallow.utils.data.inner import _DatasetKind, _generate_state, pin_memory
from tallow.utils.weak import TensorWeakRef, WeakIdKeyDictionary


def loader(dataset, kind, indices, collation=True, drop_last=False):
    return SimpleNamespace(
        dataset=dataset, _dataset_kind=kind, _index_sampler=indices, _auto_collation=collation,
        collate_fn=list if collation else lambda x: x, drop_last=drop_last, generator=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "case, expected",
    [
        (("abcd", _DatasetKind.Map, [[0, 2], [3]]), [["a", "c"], ["d"]]),
        (("abcd", _DatasetKind.Map, [2, 1], False), ["c", "b"]),
        (("abc", _DatasetKind.Iterable, [[0, 1]] * 3), [["a", "b"], ["c"]]),
        (("abc", _DatasetKind.Iterable, [[0, 1]] * 3, True, True), [["a", "b"]]),
    ],
)
def test_iterators_of_other_loaders(case, expected):
    for kind in own._SingleProcessDataLoaderIter, own._MultiProcessingDataLoaderIter:
        assert list(kind(loader(*case))) == expected
    assert len(own._SingleProcessDataLoaderIter(loader(*case))) == len(case[2])


def test_an_endless_sampler_and_the_seed():
    tallow.manual_seed(0)
    iterator = own._SingleProcessDataLoaderIter(loader("ab", 1, None or _Count(), False))
    after = tallow.rand(1)
    assert list(iterator) == ["a", "b"]
    tallow.manual_seed(0)
    tallow.empty((), dtype=tallow.int64).random_()
    assert tallow.rand(1).item() == after.item()


class _Count:
    def __iter__(self):
        return count()


def test_kinds_of_iterators():
    iterator = iter(DataLoader(range(3)))
    assert isinstance(iterator, own._BaseDataLoaderIter)
    assert isinstance(iterator, own._SingleProcessDataLoaderIter)
    assert not isinstance(iterator, own._MultiProcessingDataLoaderIter)
    assert not isinstance(3, own._BaseDataLoaderIter)
    assert pin_memory([tallow.ones(1)])[0].item() == 1


def test_seeds_of_numpy_in_workers():
    assert _generate_state(5, 1) != _generate_state(5, 2) and len(_generate_state(2**40, 0)) == 4
    worker = pytest.importorskip("torch.utils.data._utils.worker")
    for seed in (0, 5, 2**40 + 3, 2**63 - 1):
        assert _generate_state(seed, 3) == worker._generate_state(seed, 3)


def test_weak_dictionaries():
    x, y = tallow.ones(2), tallow.ones(2)
    notes = WeakIdKeyDictionary({x: 1})
    notes[y] = 2
    reference = TensorWeakRef(x)
    assert notes[x] == 1 and list(notes.values()) == [1, 2] and list(notes)[0] is x
    del notes[y]
    assert y not in notes and len(notes) == 1 and reference() is x
    del x
    gc.collect()
    assert len(notes) == 0 and reference() is None


def test_contexts_that_decorate():
    from tallow.utils._contextlib import _DecoratorContextManager, _NoParamDecoratorContextManager

    entered = []

    class Noted(_DecoratorContextManager):
        def __init__(self, name="a"):
            self.name = name

        def __enter__(self):
            entered.append(self.name)

        def __exit__(self, *exc):
            entered.append("out")

        def clone(self):
            return type(self)(self.name)

    class Bare(_NoParamDecoratorContextManager):
        __enter__, __exit__ = Noted.__enter__, Noted.__exit__
        name = "bare"

    assert Noted("b")(lambda: 3)() == 3
    assert Bare(lambda: 4)() == 4 and Bare()(lambda: 5)() == 5
    with Bare():
        pass
    assert entered == ["b", "out"] + ["bare", "out"] * 3


def test_flat_vectors():
    from tallow._utils import _flatten_dense_tensors, _unflatten_dense_tensors

    parts = [tallow.ones(2, 2), tallow.zeros(3)]
    flat = _flatten_dense_tensors(parts)
    assert flat.tolist() == [1] * 4 + [0] * 3
    assert [x.shape for x in _unflatten_dense_tensors(flat, parts)] == [(2, 2), (3,)]


def test_nobody_dispatches():
    from tallow._functorch import _add_batch_dim, is_batchedtensor
    from tallow.utils._python_dispatch import TorchDispatchMode, is_traceable_wrapper_subclass

    with pytest.raises(NotImplementedError, match="TorchFunctionMode is handed functions"):
        TorchDispatchMode()
    with pytest.raises(NotImplementedError, match="func.vmap works otherwise"):
        _add_batch_dim()
    assert not is_traceable_wrapper_subclass(tallow.ones(1))
    seen = []
    tallow.vmap(lambda x: (seen.append(is_batchedtensor(x)), x * 2)[1])(tallow.ones(2))
    assert seen == [True] and not is_batchedtensor(tallow.ones(1))
    with pytest.raises(OSError, match="no library of operators"):
        tallow.ops.load_library("x.so")


def test_functions_that_change_their_argument():
    x = tallow.tensor([-1.0, 2.0])
    assert tallow.clamp_(x, min=0) is x and x.tolist() == [0, 2]
    assert tallow.sqrt_(x).tolist() == [0, pytest.approx(2**0.5)]


def test_blocks_of_transformer_layers():
    class Doubled(tallow.nn.TransformerEncoderLayer):
        def _ff_block(self, x):
            return super()._ff_block(x) * 0

    layer = Doubled(4, 2, norm_first=True).eval()
    x = tallow.randn(3, 1, 4)
    expected = x + layer._sa_block(layer.norm1(x), None, None)
    assert tallow.allclose(layer(x), expected)
    decoder = tallow.nn.TransformerDecoderLayer(4, 2)
    assert decoder._mha_block(x, x, None, None).shape == x.shape


def test_types_that_no_tensor_has():
    assert tallow.qint8.itemsize == 1 and str(tallow.quint4x2).endswith("quint4x2")
    with pytest.raises(NotImplementedError, match="one that tensors have, got .*qint32"):
        tallow.zeros(1, dtype=tallow.qint32)
    assert tallow.amp.grad_scaler.OptState.READY is not tallow.amp.grad_scaler.OptState.STEPPED
