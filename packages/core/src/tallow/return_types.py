"""The results of functions that give several tensors by name; they print as PyTorch's do.

>>> import tallow
>>> tallow.tensor([3, 1, 2]).max(0)
tallow.return_types.max(
values=tensor(3),
indices=tensor(0))
"""

from collections import namedtuple
from typing import Any

from tallow import names


def _repr(self):
    parts = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{names.package}.return_types.{type(self).__name__}(\n{parts})"


def _result(name, fields, doc) -> Any:
    """A class of results: a tuple whose parts have names."""
    cls: Any = namedtuple(name, fields, module=__name__)  # noqa: PYI024
    cls.__doc__ = doc
    cls.__repr__ = _repr
    cls.n_fields = cls.n_sequence_fields = len(cls._fields)
    return cls


_SELECTION = "Elements and their positions."
cummax, cummin, kthvalue, max, median, min, mode, nanmedian, sort, topk = (
    _result(name, "values indices", _SELECTION)
    for name in "cummax cummin kthvalue max median min mode nanmedian sort topk".split()
)
aminmax = _result("aminmax", "min max", "The smallest and the largest elements.")
frexp = _result("frexp", "mantissa exponent", "Numbers as mantissa * 2**exponent.")
histogram, histogramdd = (
    _result(name, "hist bin_edges", "Counts, and the edges of the bins they are of.")
    for name in ("histogram", "histogramdd")
)
svd = _result("svd", "U S V", "Singular vectors, in columns, around the singular values.")
linalg_svd = _result(
    "linalg_svd", "U S Vh",
    "Left singular vectors, in columns, singular values, right singular vectors, in rows.",
)  # fmt: skip
qr, linalg_qr = (
    _result(name, "Q R", "Orthonormal columns, and an upper triangular matrix.")
    for name in ("qr", "linalg_qr")
)
geqrf = _result("geqrf", "a tau", "Householder reflectors below R, and their factors.")
linalg_eig, linalg_eigh = (
    _result(name, "eigenvalues eigenvectors", "Eigenvalues, and eigenvectors in columns.")
    for name in ("linalg_eig", "linalg_eigh")
)
lu_unpack, linalg_lu = (
    _result(name, "P L U", "A permutation, a lower and an upper triangular matrix.")
    for name in ("lu_unpack", "linalg_lu")
)
linalg_lu_factor = _result(
    "linalg_lu_factor", "LU pivots",
    "U and below it L, and the rows (from 1) that each row was exchanged with.",
)  # fmt: skip
linalg_lu_factor_ex = _result(
    "linalg_lu_factor_ex", "LU pivots info",
    "As of `lu_factor`, and for each matrix 0, or the number of the first pivot that is 0.",
)  # fmt: skip
linalg_cholesky_ex = _result(
    "linalg_cholesky_ex", "L info",
    "Factors, and for each 0, or the order of the first leading minor that is not positive.",
)  # fmt: skip
linalg_inv_ex = _result(
    "linalg_inv_ex", "inverse info",
    "Inverses, and for each 0, or the number of the first pivot that is 0.",
)  # fmt: skip
linalg_solve_ex = _result(
    "linalg_solve_ex", "result info",
    "Solutions, and for each 0, or the number of the first pivot that is 0.",
)  # fmt: skip
linalg_lstsq = _result(
    "linalg_lstsq", "solution residuals rank singular_values",
    "What `lstsq` gives; empty tensors stand for what the driver does not compute.",
)  # fmt: skip
slogdet, linalg_slogdet = (
    _result(name, "sign logabsdet", "Signs of determinants, and logarithms of absolute values.")
    for name in ("slogdet", "linalg_slogdet")
)
triangular_solve = _result(
    "triangular_solve", "solution cloned_coefficient", "Solutions, and the matrix."
)
