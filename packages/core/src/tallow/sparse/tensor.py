"""`SparseTensor`: a tensor that keeps the elements that are not 0, and where they are.

Its values are a Tensor like others, and carry the history: what is computed from a sparse tensor
is computed from them, by the operations for dense tensors.
"""

import copy

import numpy as np

from tallow import backend, conversion, dtypes, formatting, joining
from tallow.autograd.inplace import bump
from tallow.autograd.modes import state
from tallow.errors import GradientError, NotSupportedError, TypeMismatchError
from tallow.layout import sparse_bsc, sparse_coo, sparse_csc, sparse_csr
from tallow.sparse.indices import check_compressed, check_index, distinct, filled
from tallow.tensor import Tensor, disabled_torch_function, wrap


def refusal(name, layout):
    """The error for a function that has no form for sparse tensors."""
    return NotSupportedError(
        f"{name}: expected a dense tensor, got a sparse one (layout {layout.name}); call to_dense()"
    )


class Stored:
    """What a sparse tensor has in the place of an array.

    `layout`     how `indices` are to be read
    `indices`    COO: one array (sparse dims, n); compressed: where the values of each row (or
                 column) begin, and the column (or row) of each
    `values`     COO and by elements: (n, *dense dims); in blocks: (n, height, width, *dense dims)
    `shape`      that of the whole tensor
    `coalesced`  COO: the indices are sorted and occur once

    The engine adds such arrays as gradients: `a + b` of two keeps both their values.
    """

    __slots__ = ("layout", "indices", "values", "shape", "coalesced")
    __array_ufunc__ = None  # NumPy leaves operators to us

    def __init__(self, layout, indices, values, shape, coalesced=False):
        self.layout, self.indices, self.values = layout, indices, values
        self.shape = tuple(map(int, shape))
        self.coalesced = coalesced or layout is not sparse_coo or values.shape[0] < 2

    @property
    def dtype(self):
        """That of the values, but not the object: operators of dense tensors ask by identity."""
        return np.dtype(self.values.dtype, copy=True)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape, dtype=np.int64)))
    itemsize = property(lambda self: self.values.dtype.itemsize)
    nbytes = property(lambda self: self.values.nbytes)
    base = property(lambda self: self)  # never the engine's own, to be changed in place

    def copy(self):
        return Stored(
            self.layout, [x.copy() for x in self.indices], self.values.copy(), self.shape,
            self.coalesced,
        )  # fmt: skip

    def __add__(self, other):
        if not isinstance(other, Stored):
            return other + filled(wrap(self.indices[0]), wrap(self.values), self.shape).array
        xp = backend.for_array(self.values).xp
        index = xp.concatenate((self.indices[0], other.indices[0]), axis=1)
        return Stored(self.layout, [index], xp.concatenate((self.values, other.values)), self.shape)

    __radd__ = __add__


def _refuse(op_name, stored):
    raise refusal(op_name, stored.layout)


backend.register_type(
    Stored,
    backend.for_device("cpu")._replace(
        name="sparse", array_type=Stored, refuse=_refuse, kernels=None,
        device_of=lambda x: backend.for_array(x.values).device_of(x.values),
        at=lambda x: backend.at(x.values),
    ),
)  # fmt: skip


def build(layout, indices, values, shape, coalesced=False):
    """A sparse tensor of arrays of indices and a tensor of values, whose history it has."""
    made = wrap(Stored(layout, indices, values.array, shape, coalesced), cls=SparseTensor)
    made.__dict__["_held"] = values
    return made


def coo(index, values, shape, coalesced=False):
    """A COO tensor of tensors: index (sparse dims, n), values (n, *dense dims)."""
    return build(sparse_coo, [index.array], values, shape, coalesced)


def like(x, values):
    """A sparse tensor with the indices of another."""
    stored = x.array
    return build(stored.layout, stored.indices, values, stored.shape, stored.coalesced)


def expect_layout(name, x, *layouts):
    """Raise unless x is a sparse tensor of one of these layouts."""
    found = x.layout
    if found not in layouts:
        known = " or ".join(layout.name for layout in layouts)
        raise TypeMismatchError(f"{name}: expected a tensor of layout {known}, got {found.name}")


class SparseTensor(Tensor):
    """A tensor of layout sparse_coo, sparse_csr, sparse_csc, sparse_bsr or sparse_bsc.

    Made by `sparse_coo_tensor` and its kin, `to_sparse`, and as the gradient of a table whose
    module has `sparse=True`.
    """

    __torch_function__ = staticmethod(disabled_torch_function)  # until `table` has answers

    @property
    def held(self):
        """The values as a tensor that has their history."""
        held = self.__dict__.get("_held")
        if held is None or held.array is not self.array.values:
            held = self.__dict__["_held"] = wrap(self.array.values)
        return held

    @property
    def index(self):
        """COO: the indices as a tensor (sparse dims, n)."""
        return wrap(self.array.indices[0])

    layout = property(lambda self: self.array.layout)
    is_sparse = property(lambda self: self.layout is sparse_coo)
    is_sparse_csr = property(lambda self: self.layout is sparse_csr)
    is_leaf = property(lambda self: self.held.is_leaf)
    grad_fn = property(lambda self: self.held.grad_fn)
    retains_grad = property(lambda self: self.held.retains_grad)
    _version = property(lambda self: self.held._version)

    @property
    def requires_grad(self):
        return self.held.requires_grad

    @requires_grad.setter
    def requires_grad(self, flag):
        self.held.requires_grad = flag

    @property
    def grad(self):
        """The gradient, sparse at the indices of the tensor itself."""
        g = self.held.grad
        return None if g is None else self.of_gradient(g)

    @grad.setter
    def grad(self, g):
        if g is None:
            if "_held" in self.__dict__:
                self.held.grad = None
            return
        self.held.grad = self.gradient_of(g)

    def of_gradient(self, g):
        """What a gradient of the values is as one of the tensor."""
        stored = self.array
        if stored.coalesced:
            return like(self, g)
        # equal indices have equal gradients
        order, first, _ = distinct(self.index, stored.shape)
        chosen = order[first]
        return coo(self.index.index_select(1, chosen), g[chosen], stored.shape, True)

    def gradient_of(self, g):
        """What a gradient of the tensor is as one of its values."""
        from tallow.sparse.making import sparse_mask

        return sparse_mask(g, self).held

    def register_hook(self, hook):
        """Call `hook(gradient)`, with a sparse one; what it returns replaces that."""

        def on_values(g):
            replaced = hook(like(self, g))
            return None if replaced is None else self.gradient_of(replaced)

        return self.held.register_hook(on_values)

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        g = None if gradient is None else self.gradient_of(gradient)
        self.held.backward(g, retain_graph, create_graph, inputs)

    def requires_grad_(self, requires_grad=True):
        self.requires_grad = requires_grad
        return self

    def retain_grad(self):
        self.held.retain_grad()

    def become(self, other):
        """Become what another sparse tensor is, with its history: the end of in-place functions."""
        if self.requires_grad and self.is_leaf and state.enabled:
            raise GradientError(
                "in-place operation: expected a sparse tensor that may change in place, got a leaf "
                "that requires gradients; use no_grad()"
            )
        self.array, self.__dict__["_held"] = other.array, other.held
        bump(self)
        return self

    def _coalesced_(self, coalesced):
        """Say that the indices of a COO tensor are sorted and occur once, or that they may not."""
        self.array.coalesced = coalesced
        return self

    # What all tensors have

    def clone(self, *, memory_format=None):
        made = like(self, self.held.clone())
        made.array.indices = [x.copy() for x in made.array.indices]
        return made

    def detach(self):
        return like(self, self.held.detach())

    data = property(detach)

    def detach_(self):
        self.__dict__["_held"] = self.held.detach()
        return self

    def to(self, *args, **kwargs):
        kwargs.pop("memory_format", None)
        args = [x.held if isinstance(x, SparseTensor) else x for x in args]
        values = conversion.to(self.held, *args, **kwargs)
        return self if values is self.held else self._moved(values)

    def _moved(self, values):
        """The tensor with its values in another dtype or on another device."""
        made = like(self, values)
        where = values.device
        made.array.indices = [wrap(x).to(where).array for x in made.array.indices]
        return made

    def cpu(self):
        return self.to("cpu")

    def cuda(self, *args, **kwargs):
        return self._moved(self.held.cuda(*args, **kwargs))

    def type_as(self, other):
        return self.to(other.dtype)

    def type(self, dtype=None, non_blocking=False):
        """The tensor in another dtype; without one, a name such as torch.sparse.FloatTensor."""
        if dtype is not None:
            return like(self, self.held.type(dtype))
        return self.held.type().replace("torch.", "torch.sparse.", 1)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            made = self.detach().clone().requires_grad_(self.requires_grad)
            memo[id(self)] = made
            made.grad = copy.deepcopy(self.grad, memo)
        return memo[id(self)]

    def __reduce__(self):
        return rebuild, (self.layout, self.parts(), self.requires_grad)

    def parts(self):
        """What files keep: tensors of indices, the values, the size; COO: is it coalesced."""
        stored = self.array
        parts = (*map(wrap, stored.indices), self.held.detach(), self.shape)
        return (*parts, stored.coalesced) if self.is_sparse else parts

    def __iter__(self):
        return iter(joining.unbind(self))

    def __len__(self):
        return self.array.shape[0]

    def __bool__(self):
        raise refusal("bool", self.layout)

    def __repr__(self):
        return _repr(self)

    def __hash__(self):
        return id(self)


Stored.kind = SparseTensor


def rebuild(layout, parts, requires_grad=False):
    """The sparse tensor of a layout and what a file kept of it (`SparseTensor.parts`)."""
    if layout is sparse_coo:
        index, values, size, *coalesced = parts
        check_index("load", index, values, size)
        made = coo(index, values, size, bool(coalesced and coalesced[0]))
    else:
        compressed, plain, values, size = parts
        check_compressed("load", layout, compressed, plain, values, size)
        made = build(layout, [compressed.array, plain.array], values, size)
    return made.requires_grad_() if requires_grad else made


def _repr(x):
    """The text of a sparse tensor, as PyTorch prints it."""
    stored, values = x.array, x.held.detach()
    if x.is_sparse:
        names = ["indices"]
    elif x.layout in (sparse_csc, sparse_bsc):
        names = ["ccol_indices", "row_indices"]
    else:
        names = ["crow_indices", "col_indices"]
    prefix = "tensor("
    parts = zip([*names, "values"], [*map(wrap, stored.indices), values], strict=True)
    texts = []
    for name, part in parts:
        text = formatting._tensor_str(part, len(prefix) + len(name) + len("=tensor("))
        size = "" if part.numel() else f", size={tuple(part.shape)}"
        texts.append(f"{name}=tensor({text}{size})")
    suffixes = [] if x.device.type == "cpu" else [f"device='{x.device}'"]
    suffixes += [f"size={stored.shape}", f"nnz={values.shape[0]}"]
    default = dtypes.get_default_dtype()
    if x.dtype not in (default, dtypes.int64, dtypes.bool_, default.to_complex()):
        suffixes.append(f"dtype={x.dtype}")
    suffixes.append(f"layout={x.layout}")
    if x.held.node is not None:
        suffixes.append(f"grad_fn=<{x.held.node.name()}>")
    elif x.requires_grad:
        suffixes.append("requires_grad=True")
    body = prefix + (",\n" + " " * len(prefix)).join(texts)
    if x.is_sparse:  # the rest on a line of its own
        body += ",\n" + " " * len(prefix) + suffixes.pop(0)
    return formatting.with_suffixes(body, suffixes, len(prefix))
