"""PyTorch's database of operators: its sparse samples under PyTorch and tallow."""

import warnings
from functools import cache

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its optional packages
    database = pytest.importorskip("torch.testing._internal.common_methods_invocations")
    from torch.testing._internal.common_utils import TestCase

LAYOUTS = ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"]
UNARY = [op for op in database.op_db if isinstance(op, database.UnaryUfuncInfo)]
UNARY = [op for op in UNARY if op.supports_sparse]
PARTS = {
    "sparse_csr": ("crow_indices", "col_indices"), "sparse_bsr": ("crow_indices", "col_indices"),
    "sparse_csc": ("ccol_indices", "row_indices"), "sparse_bsc": ("ccol_indices", "row_indices"),
}  # fmt: skip


def to_tallow(x):
    """A tensor of the database as tallow's, in its layout."""
    if not isinstance(x, torch.Tensor):
        return x
    x = x.detach()
    layout = str(x.layout).removeprefix("torch.")
    if layout == "strided":
        return tallow.tensor(x.resolve_conj().numpy())
    if layout == "sparse_coo":
        index, values = x._indices(), x._values()
        made = tallow.sparse_coo_tensor(index.numpy(), to_tallow(values), tuple(x.shape))
        return made.coalesce() if x.is_coalesced() else made
    index = [getattr(x, name)().numpy() for name in PARTS[layout]]
    if index[0].ndim > 1:
        pytest.skip("compressed layouts have no batch dims here")
    return tallow.sparse_compressed_tensor(
        *index, to_tallow(x.values()), tuple(x.shape), layout=getattr(tallow, layout)
    )


def dense_of(x):
    x = x.detach()
    x = x if "strided" in str(x.layout) else x.to_dense()
    return x.resolve_conj().numpy() if isinstance(x, torch.Tensor) else x.numpy()


def compare(ours, theirs):
    assert ours.layout.name == str(theirs.layout).removeprefix("torch.")
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(dense_of(ours), dense_of(theirs), rtol=1e-5, atol=1e-6)


def named(name):
    found = tallow
    for part in name.split("."):
        found = getattr(found, part)
    return found


@cache
def simple_inputs(layout, dtype):
    """PyTorch's generated sparse tensors, of some kinds of shape."""
    made = TestCase().generate_simple_inputs(
        getattr(torch, layout), dtype=getattr(torch, dtype), device="cpu", index_dtype=torch.int64,
        enable_batch=False,
    )  # fmt: skip
    return [(x, to_tallow(x)) for x in list(made)[::3]]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_unary(op, layout, dtype):
    """Functions of one tensor."""
    if getattr(torch, dtype) not in op.supported_dtypes("cpu"):
        return
    if (op.name, dtype) == ("atanh", "complex64"):
        return  # of an infinite number, the imaginary part is open
    checked = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x, mine in simple_inputs(layout, dtype):
            try:
                theirs = op.op(x)
            except (RuntimeError, NotImplementedError):
                continue
            compare(named(op.name)(mine), theirs)
            checked += 1
    assert checked or layout != "sparse_coo"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["mul", "sum", "to_sparse"])
def test_samples(name, layout):
    """The samples that the database has for sparse tensors."""
    op = next(op for op in database.op_db if op.name == name)
    if not op.supports_sparse_layout(getattr(torch, layout)):
        return
    function = {"mul": tallow.mul, "sum": tallow.sum}.get(name, tallow.Tensor.to_sparse)
    checked = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            samples = list(op.sample_inputs_sparse(getattr(torch, layout), "cpu", torch.float64))
        except NotImplementedError:
            return
        for sample in samples:
            args = [to_tallow(x) for x in sample.args]
            kwargs = {k: getattr(tallow, str(v)[6:]) if "torch." in str(v) else v
                      for k, v in sample.kwargs.items()}  # fmt: skip
            try:
                theirs = op.op(sample.input, *sample.args, **sample.kwargs)
            except (RuntimeError, NotImplementedError):
                continue
            try:
                ours = function(to_tallow(sample.input), *args, **kwargs)
            except pytest.skip.Exception:
                continue
            compare(ours, theirs)
            checked += 1
    assert checked
