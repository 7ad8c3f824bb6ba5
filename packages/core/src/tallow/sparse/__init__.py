"""Sparse tensors: COO with any dims, and matrices by rows or columns, in blocks or not.

They are made by `sparse_coo_tensor` and its kin, or `to_sparse`. Gradients come sparse, at the
indices of the tensor. What has no form for them is an error that says so: `to_dense()` helps.
"""

from tallow.left_out import missing
from tallow.sparse import table
from tallow.sparse.arithmetic import log_softmax, softmax, sum
from tallow.sparse.indices import (
    _convert_indices_from_coo_to_csr,
    _convert_indices_from_csr_to_coo,
)
from tallow.sparse.invariants import (
    LEGACY,
    as_sparse_gradcheck,
    check_sparse_tensor_invariants,
)
from tallow.sparse.making import (
    sparse_bsc_tensor,
    sparse_bsr_tensor,
    sparse_compressed_tensor,
    sparse_coo_tensor,
    sparse_csc_tensor,
    sparse_csr_tensor,
    spdiags,
)
from tallow.sparse.products import addmm, dsmm, hspmm, mm, sampled_addmm, smm, spmm, sspaddmm
from tallow.sparse.tensor import SparseTensor, rebuild


def empty(*size, layout, dtype=None, device=None, requires_grad=False, **options):
    """A sparse tensor without values: `zeros` and `empty` of a sparse layout."""
    return table.new_zeros(size or options["size"], dtype, device, requires_grad, layout)


def call(name, input, *args, **kwargs):
    """A method that dense tensors have by name alone."""
    return table.SAME[name](input, *args, **kwargs)


__all__ = [
    "SparseTensor", "addmm", "as_sparse_gradcheck", "check_sparse_tensor_invariants", "log_softmax",
    "mm", "sampled_addmm", "softmax", "spdiags", "sum",
]  # fmt: skip


def __getattr__(name):
    if name in LEGACY:
        return LEGACY[name]
    raise missing("tallow.sparse", name)
