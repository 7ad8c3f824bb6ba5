"""Which function of sparse tensors is meant by which public function.

A public function in `TABLE` asks sparse tensors from the first use of `tallow.sparse` on; one that
is not there, and no method of theirs, is an error.
"""

from functools import wraps

from tallow import autograd, conversion, overrides, special
from tallow.autograd.engine import as_tuple
from tallow.errors import NotSupportedError
from tallow.layout import sparse_coo
from tallow.methods import MODULES
from tallow.nn import functional
from tallow.shortcuts import FUNCTIONS
from tallow.sparse import arithmetic, making, products
from tallow.sparse.tensor import SparseTensor, expect_layout, refusal
from tallow.tensor import Tensor

LINEAR = "conj conj_physical deg2rad neg negative positive rad2deg"
ZERO_FOR_ZERO = """
    abs absolute angle arcsin arcsinh arctan arctanh asin asinh atan atanh ceil erf erfinv expm1 fix
    floor frac isinf isnan isneginf isposinf log1p nan_to_num nn.functional.relu relu round sgn sign
    signbit sin sinh sqrt square tan tanh trunc
"""
# What does not look at elements, and what is defined by other methods
PLAIN = """
    __complex__ __contains__ __deepcopy__ __dir__ __format__ __hash__ __init_subclass__ __iter__
    __len__ __reduce__ __repr__ backward clone cpu cuda data detach detach_ dim element_size
    get_device is_complex is_floating_point is_inference is_same_size is_shared is_signed ndimension
    nelement numel register_hook requires_grad_ retain_grad size to type type_as
"""
IN_PLACE = """
    abs_ add_ asin_ asinh_ atan_ atanh_ ceil_ deg2rad_ div_ erf_ erfinv_ expm1_ floor_ floor_divide_
    frac_ log1p_ mul_ neg_ negative_ nan_to_num_ pow_ rad2deg_ relu_ round_ sgn_ sign_ sin_ sinh_
    sqrt_ square_ sub_ tan_ tanh_ trunc_ t_ transpose_ unsqueeze_ squeeze_ addmm_
"""
SAME = {
    "add": arithmetic.add, "sub": arithmetic.sub, "subtract": arithmetic.sub,
    "rsub": arithmetic.rsub, "mul": arithmetic.mul, "multiply": arithmetic.mul,
    "div": arithmetic.div, "divide": arithmetic.div, "true_divide": arithmetic.div,
    "floor_divide": arithmetic.floor_divide, "pow": arithmetic.power, "norm": arithmetic.norm,
    "sum": arithmetic.sum, "any": lambda input: making.coalesce(making.to_coo(input)).held.any(),
    "nn.functional.dropout": arithmetic.dropout, "nn.functional.linear": products.linear,
    "zeros_like": arithmetic.zeros_like, "empty_like": arithmetic.zeros_like,
    "dropout": arithmetic.dropout,
}  # fmt: skip
SAME |= {name: getattr(arithmetic, name) for name in """
    cat index_select narrow permute select squeeze stack t transpose unbind unsqueeze
""".split()}  # fmt: skip
SAME |= {"concat": arithmetic.cat, "concatenate": arithmetic.cat, "narrow_copy": arithmetic.narrow,
         "swapaxes": arithmetic.transpose, "swapdims": arithmetic.transpose}  # fmt: skip
SAME |= {name: getattr(products, name) for name in "addmm baddbmm bmm matmul mm mv".split()}
SAME |= {name: getattr(making, name) for name in """
    ccol_indices coalesce col_indices crow_indices dense_dim indices is_coalesced row_indices
    sparse_dim sparse_mask to_dense to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo
    to_sparse_csc to_sparse_csr values _indices _nnz
""".split()}  # fmt: skip
SAME |= {"_values": making._values_of, "smm": products.smm, "sspaddmm": products.sspaddmm}
METHODS = {
    "__add__": arithmetic.add, "__radd__": arithmetic.add, "__sub__": arithmetic.sub,
    "__rsub__": arithmetic.rsub, "__mul__": arithmetic.mul, "__rmul__": arithmetic.mul,
    "__truediv__": arithmetic.div, "__floordiv__": arithmetic.floor_divide,
    "__pow__": arithmetic.power, "__matmul__": products.matmul,
    "__rmatmul__": lambda self, other: products.matmul(other, self),
    "__neg__": arithmetic.of_values(Tensor.neg, True), "__pos__": lambda self: self,
    "__abs__": arithmetic.of_values(Tensor.abs), "__getitem__": arithmetic.getitem_sparse,
}  # fmt: skip


# In place


def _in_place(form):
    @wraps(form)
    def method(input, *args, **kwargs):
        if not isinstance(input, SparseTensor):  # a dense tensor, to which a sparse one is added
            return input.copy_(form(input, *args, **kwargs))
        return input.become(form(input, *args, **kwargs))

    return method


def zero_(input):
    """Forget all values; returns the tensor."""
    if not input.requires_grad:
        input.held.zero_()
    return input.become(arithmetic.zeros_like(input))


def copy_(input, src, non_blocking=False):
    """Become a copy of another sparse tensor, in the dtype and on the device of this one."""
    if not (isinstance(input, SparseTensor) and isinstance(src, SparseTensor)):
        raise NotSupportedError(
            f"copy_: expected two sparse tensors or two dense ones, got layouts {input.layout} and "
            f"{src.layout}; call to_dense() or to_sparse()"
        )
    if src.layout is not input.layout or src.array.shape != input.array.shape:
        raise arithmetic.ShapeError(
            f"copy_: expected {input.layout} {input.array.shape}, got {src.layout} "
            f"{src.array.shape}"
        )
    return input.become(src.to(dtype=input.dtype, device=input.device).clone())


def sparse_resize_(input, size, sparse_dim, dense_dim):
    """Change the shape of a COO tensor in place, to one that holds its indices and values."""
    expect_layout("sparse_resize_", input, sparse_coo)
    held, index = input.held, input.index
    if (sparse_dim, dense_dim) != (making.sparse_dim(input), making.dense_dim(input)) or tuple(
        size[sparse_dim:]
    ) != tuple(held.array.shape[1:]):
        if making._nnz(input):
            raise arithmetic.ShapeError(
                "sparse_resize_: expected the dims and dense sizes that a tensor with values has, "
                f"got {tuple(size)} with {sparse_dim} and {dense_dim}"
            )
        return sparse_resize_and_clear_(input, size, sparse_dim, dense_dim)
    making.check_index("sparse_resize_", index, held, size)
    return input.become(arithmetic.coo(index, held, size, input.array.coalesced))


def sparse_resize_and_clear_(input, size, sparse_dim, dense_dim):
    """Change the shape of a COO tensor in place, and forget its values."""
    expect_layout("sparse_resize_and_clear_", input, sparse_coo)
    made = making._zeros(size, input.dtype, input.device, sparse_dim=sparse_dim)
    return input.become(made)


SAME |= {
    "sparse_resize_": sparse_resize_, "sparse_resize_and_clear_": sparse_resize_and_clear_,
}  # fmt: skip

# Gradients


def _grad(outputs, inputs, grad_outputs=None, *args, **kwargs):
    """`autograd.grad` with sparse tensors among the operands."""
    outputs, inputs = as_tuple(outputs), as_tuple(inputs)
    found = autograd.grad(
        _histories(outputs), _histories(inputs), _matched(outputs, grad_outputs), *args, **kwargs
    )
    return tuple(
        x.of_gradient(g) if isinstance(x, SparseTensor) and g is not None else g
        for x, g in zip(inputs, found, strict=True)
    )


def _backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """`autograd.backward` with sparse tensors among the operands."""
    tensors = as_tuple(tensors)
    inputs = inputs if inputs is None else _histories(as_tuple(inputs))
    autograd.backward(
        _histories(tensors), _matched(tensors, grad_tensors), retain_graph, create_graph, inputs
    )


def _histories(tensors):
    return [x.held if isinstance(x, SparseTensor) else x for x in tensors]


def _matched(tensors, gradients):
    """Gradients of tensors as gradients of what carries their history."""
    if gradients is None:
        return None
    return [
        x.gradient_of(g) if isinstance(x, SparseTensor) and g is not None else g
        for x, g in zip(tensors, as_tuple(gradients), strict=True)
    ]


# The table

TABLE: dict = {}


def _objects(name):
    """The public functions of a name, and the methods."""
    owners = [module for module in MODULES if name in getattr(module, "__all__", ())]
    owners += [Tensor, functional, special]
    if name.startswith("nn.functional."):
        owners, name = [functional], name.removeprefix("nn.functional.")
    found = [vars(owner).get(name) for owner in owners]
    return [f for f in found if isinstance(f, FUNCTIONS)]


def enter():
    """Fill the table, give SparseTensor its methods, and have the functions ask."""
    forms = dict(SAME)
    for names, linear in ((LINEAR, True), (ZERO_FOR_ZERO, False)):
        for name in names.split():
            dense = _objects(name)[0]
            forms[name] = arithmetic.of_values(dense, linear)
    changing = {name: _in_place(forms[name[:-1]]) for name in IN_PLACE.split()}
    forms |= changing | {"zero_": zero_, "copy_": copy_}
    for name, form in forms.items():
        for function in _objects(name):
            TABLE.setdefault(function, form)
        if "." not in name and (hasattr(Tensor, name) or name[0] == "_"):
            setattr(SparseTensor, name, form)
    TABLE[autograd.grad], TABLE[autograd.backward] = _grad, _backward
    overrides.ask_about(TABLE)
    in_place = {
        f"__i{name}__": _in_place(METHODS[f"__{name}__"])
        for name in ("add", "sub", "mul", "matmul", "truediv")
    }
    for name, form in (METHODS | in_place).items():
        setattr(SparseTensor, name, form)
        if name in vars(Tensor):  # operators ask where other classes have them ask
            TABLE[vars(Tensor)[name]] = form
    for name, cast in conversion.CASTS.items():
        setattr(SparseTensor, name, arithmetic.of_values(cast, True))
    SparseTensor.T = property(lambda x: arithmetic.permute(x, *reversed(range(x.ndim))))
    SparseTensor.mT = property(lambda x: arithmetic.transpose(x, -2, -1))
    SparseTensor.new = SparseTensor.new_empty = SparseTensor.new_zeros = _new_zeros
    known = {*forms, *METHODS, *PLAIN.split()}
    for name, value in vars(Tensor).items():
        if isinstance(value, FUNCTIONS) and name not in known and name not in vars(SparseTensor):
            setattr(SparseTensor, name, _refusing(name))
    SparseTensor.__torch_function__ = classmethod(_answer)


def _new_zeros(input, *size, dtype=None, device=None, requires_grad=False, **options):
    """A sparse tensor without values, in the dtype and on the device of this one."""
    return new_zeros(
        size or (0,), dtype or input.dtype, device or input.device, requires_grad, input.layout
    )


def new_zeros(size, dtype, device, requires_grad, layout):
    """A sparse tensor without values; the size as ints or as one sequence of them."""
    size = size[0] if size and not isinstance(size[0], int) else size
    dtype = making.given_dtype("zeros", dtype, making.get_default_dtype())
    return making._zeros(size, dtype, device, requires_grad, layout)


def _refusing(name):
    def method(self, *args, **kwargs):
        raise refusal(name, self.layout)

    method.__name__ = method.__qualname__ = name
    return method


def _answer(cls, func, types, args=(), kwargs=None):
    """What a sparse tensor says about a function: its form for them."""
    form = TABLE.get(func)
    if form is not None:
        return form(*args, **(kwargs or {}))
    name = getattr(func, "__name__", str(func))
    if name in vars(SparseTensor) and args and isinstance(args[0], SparseTensor):
        return getattr(SparseTensor, name)(*args, **(kwargs or {}))
    if name in PLAIN.split() or name in ("is_tensor", "__get__"):
        with overrides.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))
    found = [x for x in _flat((*args, *(kwargs or {}).values())) if isinstance(x, SparseTensor)]
    raise refusal(name, found[0].layout)


def _flat(values):
    for value in values:
        if isinstance(value, tuple | list):
            yield from _flat(value)
        else:
            yield value


enter()
