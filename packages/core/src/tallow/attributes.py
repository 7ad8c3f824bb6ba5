"""What a tensor says about itself: its shape and memory, Python's protocols, new ones like it."""

from importlib import import_module

import numpy as np

from tallow import (
    backend,
    complex_parts,
    conversion,
    creation,
    cuda,
    formatting,
    graph,
    joining,
    legacy,
    logic,
    shaping,
)
from tallow.elementwise import named, one_tensor
from tallow.errors import ArgumentError, GradientError, ShapeError, TypeMismatchError, describe
from tallow.layout import strided
from tallow.left_out import LEFT_OUT, missing
from tallow.promotion import as_operand, axis_of, to_dtype
from tallow.size import Size
from tallow.tensor import Tensor, disabled_torch_function, root_of, wrap

__all__ = [
    "get_device", "is_complex", "is_floating_point", "is_inference", "is_signed", "is_tensor",
    "numel",
]  # fmt: skip
METHODS = [
    "_is_view", "const_data_ptr", "data_ptr", "dim", "element_size", "expand_as", "hardshrink",
    "is_pinned", "is_set_to", "is_shared", "ndimension", "nelement", "new", "new_empty",
    "new_empty_strided", "new_full", "new_ones", "new_tensor", "new_zeros", "pin_memory", "prelu",
    "reshape_as", "share_memory_", "size", "stride", "to_dense", "type", "untyped_storage",
    "view_as",
]  # fmt: skip
SPARSE_METHODS = """
    _indices _nnz _values ccol_indices coalesce col_indices crow_indices dense_dim indices
    is_coalesced row_indices smm sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_
    sspaddmm to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr values
""".split()

# Shape and memory


def size(input, dim=None):
    """The shape as a Size, or the length of one dim."""
    shape = input.array.shape
    return Size(shape) if dim is None else shape[axis_of("size", dim, len(shape))]


def numel(input):
    """How many elements there are."""
    return input.array.size


def dim(input):
    """How many dimensions there are."""
    return input.array.ndim


def stride(input, dim=None):
    """How many elements apart in memory neighbours in each dim are."""
    array = input.array
    strides = tuple(n // array.itemsize for n in array.strides)
    return strides if dim is None else strides[axis_of("stride", dim, array.ndim)]


def element_size(input):
    """How many bytes an element takes."""
    return input.array.itemsize


def data_ptr(input):
    """The address of the first element."""
    array = input.array
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr


const_data_ptr = data_ptr


def to_dense(input, dtype=None, *, masked_grad=None):
    """The dense tensor of the same elements: the tensor itself, unless it is sparse."""
    return input if dtype is None else to_dtype(input, dtype)


def is_set_to(input, tensor):
    """True if both show the same memory in the same way."""
    same = data_ptr(input) == data_ptr(tensor) and input.dtype is tensor.dtype
    return same and size(input) == size(tensor) and stride(input) == stride(tensor)


class UntypedStorage:
    """The memory that a tensor and its views share, as bytes, or a slice of it.

    >>> import tallow
    >>> storage = tallow.tensor([1, 2], dtype=tallow.int16).untyped_storage()
    >>> tallow.asarray(storage[2:4], dtype=tallow.uint8)
    tensor([2, 0], dtype=tallow.uint8)
    """

    def __init__(self, memory):
        self._memory = memory

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The first `nbytes` bytes of a file, read where they are used; `shared` writes changes."""
        array = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,))
        return cls(wrap(array.view(np.ndarray)))

    def untyped(self):
        """Itself."""
        return self

    @property
    def __array_interface__(self):
        return self[:]._memory.array.__array_interface__

    def __getitem__(self, place):
        array = self._memory.array.reshape(-1).view(np.uint8)
        return UntypedStorage(wrap(array[place])) if isinstance(place, slice) else int(array[place])

    def data_ptr(self):
        """Its address."""
        return data_ptr(self._memory)

    def nbytes(self):
        """Its length."""
        return self._memory.array.nbytes

    size = __len__ = nbytes

    @property
    def device(self):
        """Where it is."""
        return self._memory.device


def untyped_storage(input):
    """The memory that the tensor shares with its views."""
    array = root_of(input).array
    while isinstance(array.base, array.__class__):
        array = array.base
    return UntypedStorage(wrap(array))


# Kinds


def is_tensor(obj):
    """True if `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """True if the dtype is floating."""
    return one_tensor("is_floating_point", input).dtype.is_floating_point


def is_complex(input):
    """True if the dtype is complex."""
    return one_tensor("is_complex", input).dtype.is_complex


def is_signed(input):
    """True if the dtype has negative numbers."""
    return input.dtype.is_signed


def is_inference(input):
    """False: tensors made in inference mode are like others."""
    return False


def _is_view(input):
    """True if it shows the memory of another tensor, `_base`, in a way that autograd knows."""
    return input._base is not None


def is_shared(input):
    """True if other processes may see the elements: after `share_memory_()`, or those of a file."""
    return import_module("tallow.multiprocessing").is_shared(input)


def share_memory_(input):
    """Move the elements to memory that processes share that get the tensor; the tensor itself.

    Views made before keep the old memory.
    """
    return import_module("tallow.multiprocessing").share(input)


def hardshrink(input, lambd=0.5):
    """`nn.functional.hardshrink`."""
    return import_module("tallow.nn.functional").hardshrink(input, lambd)


def prelu(input, weight):
    """`nn.functional.prelu`."""
    return import_module("tallow.nn.functional").prelu(input, weight)


def is_pinned(input, device=None):
    """True if the tensor's memory is what `pin_memory` gives."""
    pinned = backend.is_open("cuda") and backend.for_device("cuda").is_pinned
    return bool(pinned and pinned(input.array))


def pin_memory(input, device=None):
    """A copy in memory that a GPU reads by itself; the tensor itself where there is no GPU.

    From there `to("cuda", non_blocking=True)` does not wait for the copy.
    """
    if not cuda.is_available() or is_pinned(input):
        return input
    return wrap(backend.for_device("cuda").pinned(input.array))


def get_device(input):
    """The number of the device, -1 for the CPU."""
    index = input.device.index
    return -1 if index is None else index


def type(input, dtype=None, non_blocking=False):
    """The tensor in another dtype; without one, the name of its type, such as torch.FloatTensor.

    >>> tallow.ones(1).type(tallow.int64)
    tensor([1])
    """
    if dtype is None:
        return legacy.type_name(input.dtype)
    return to_dtype(input, legacy.dtype_named(dtype))


# Others like it


def expand_as(input, other):
    """Expanded to the shape of another tensor."""
    return shaping.expand(input, *other.array.shape)


def view_as(input, other):
    """Viewed in the shape of another tensor."""
    return shaping.view(input, *other.array.shape)


def reshape_as(input, other):
    """Reshaped to the shape of another tensor."""
    return shaping.reshape(input, *other.array.shape)


def new(input, *args, device=None):
    """`Tensor(*args)`, in the dtype and on the device of this tensor."""
    where = input.device if device is None else device
    return legacy.construct(Tensor, args, input.dtype, where)


def new_tensor(input, data, *, dtype=None, device=None, requires_grad=False):
    """A tensor with a copy of `data`, in the dtype and on the device of this one unless told."""
    return creation.tensor(
        data, dtype=dtype or input.dtype, device=input.device if device is None else device,
        requires_grad=requires_grad,
    )  # fmt: skip


def _new_of(name):
    maker = getattr(creation, name)

    def method(input, *size, dtype=None, device=None, requires_grad=False, **others):
        where = input.device if device is None else device
        return maker(
            *size, dtype=dtype or input.dtype, device=where, requires_grad=requires_grad, **others
        )

    doc = f"`{name}`, in the dtype and on the device of this tensor unless told."
    return named(method, f"new_{name}", doc)


new_empty, new_full, new_ones, new_zeros, new_empty_strided = map(
    _new_of, ["empty", "full", "ones", "zeros", "empty_strided"]
)


def _of_sparse(name):
    """A method that `tallow.sparse` has: that is imported at its first use."""

    def method(input, *args, **kwargs):
        return import_module("tallow.sparse").call(name, input, *args, **kwargs)

    return named(method, name, f"`{name}`: see `tallow.sparse`.")


# Properties


def _transposed(input):
    """The dims in reverse order."""
    return shaping.permute(input, *reversed(range(input.array.ndim)))


def _matrix_transposed(input):
    """The last two dims exchanged."""
    if input.array.ndim < 2:
        raise ShapeError(f"mT: expected a matrix or a batch of them, got {describe(input)}")
    return shaping.transpose(input, -2, -1)


def _cuda_array_interface(input):
    """CUDA's protocol for sharing memory among libraries."""
    if input.requires_grad:
        raise GradientError(
            "__cuda_array_interface__: expected a tensor without gradients, got one that requires "
            "them; use .detach()"
        )
    if input.device.type != "cuda":
        raise AttributeError(
            f"__cuda_array_interface__: expected a CUDA tensor, got one on {input.device}"
        )
    return input.array.__cuda_array_interface__


PROPERTIES = {
    "shape": lambda input: Size(input.array.shape),
    "ndim": dim,
    "T": _transposed,
    "mT": _matrix_transposed,
    "H": complex_parts.hermitian,
    "mH": complex_parts.adjoint,
    "itemsize": element_size,
    "nbytes": lambda input: input.array.nbytes,
    "layout": lambda input: strided,
    "is_cuda": lambda input: input.device.type == "cuda",
    "is_cpu": lambda input: input.device.type == "cpu",
    "is_meta": lambda input: input.device.type == "meta",
    **dict.fromkeys(
        ("is_mps", "is_nested", "is_quantized", "is_sparse", "is_sparse_csr"),
        lambda input: False,
    ),
    "grad_fn": graph.grad_fn,
    "retains_grad": graph.retains_grad,
    "_base": lambda input: input.alias and input.alias.op and input.alias.parent,
    "__cuda_array_interface__": _cuda_array_interface,
}

# Python's protocols


class _LeftOut:
    """A name that PyTorch's tensors have, and these do not on purpose: to ask for it says why.

    It is not there for `hasattr`. (A `__getattr__` would make each attribute of tensors slower.)
    """

    def __init__(self, name):
        self.name = name

    def __get__(self, input, owner):
        raise missing("tallow.Tensor", self.name)


_OF_TENSOR = "torch.Tensor."
_LEFT_OUT = [name.removeprefix(_OF_TENSOR) for name in LEFT_OUT if name.startswith(_OF_TENSOR)]


def _len(input):
    if not input.array.ndim:
        raise TypeMismatchError("len: expected a tensor with dimensions, got a 0-d tensor")
    return input.array.shape[0]


def _iter(input):
    if not input.array.ndim:
        raise TypeMismatchError("iteration: expected a tensor with dimensions, got a 0-d tensor")
    return iter(joining.unbind(input))


def _contains(input, item):
    return bool(logic.eq(input, as_operand("in", item)).array.any())


def _reversed(input):
    return shaping.flip(input, 0) if input.array.ndim else input


def _format(input, spec):
    return format(input.item(), spec) if not input.array.ndim else object.__format__(input, spec)


def _float(input):
    return float(conversion.real_item("float", input))


def _int(input):
    return int(conversion.real_item("int", input))


def _complex(input):
    return complex(conversion.item(input))


def _deepcopy(input, memo):
    import copy  # with what it imports it would be a tenth of what tallow takes

    if input.node is not None:
        raise GradientError(
            "deepcopy: expected a leaf, got the result of an operation; use .detach().clone()"
        )
    if id(input) not in memo:
        twin = wrap(input.array.copy(), input._requires_grad, input.__class__)
        memo[id(input)] = twin
        twin.grad = copy.deepcopy(input.grad, memo)
        twin.__dict__.update(copy.deepcopy(input.__dict__, memo))
    return memo[id(input)]


def _reduce(input):
    array = backend.for_array(input.array).to_host(input.array)
    state = (input.__class__, array, input._requires_grad, str(input.device), dict(input.__dict__))
    return _rebuild, state


def _rebuild(cls, array, requires_grad, where, attributes):
    tensor = wrap(creation.place(array, where).array, requires_grad, cls)
    tensor.__dict__.update(attributes)
    return tensor


def _dlpack(input, **options):
    if input.requires_grad:
        raise GradientError(
            "dlpack: expected a tensor without gradients, got one that requires them; use .detach()"
        )
    return input.array.__dlpack__(**options)


def _namespace(input, /, *, api_version=None):
    """The array API standard's functions for tensors, `tallow.array_api`."""
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        raise ArgumentError(f"array API: expected a version up to 2024.12, got {api_version!r}")
    return import_module("tallow.array_api")


def _init_subclass(cls, **options):
    super(Tensor, cls).__init_subclass__(**options)
    if cls.__torch_function__ is not disabled_torch_function:
        import_module("tallow.overrides").join(cls)


def __torch_function__(cls, func, types, args=(), kwargs=None):
    """What a subclass says about a function of its objects: that, with results of the subclass."""
    asked = import_module("tallow.overrides").default_torch_function
    return asked(cls, func, types, args, kwargs)


def _make_subclass(cls, data, require_grad=False):
    """A leaf of a subclass that shares the memory of a tensor."""
    return wrap(data.array, require_grad, cls)


PROTOCOLS = {
    "__init_subclass__": classmethod(_init_subclass),
    "__torch_function__": classmethod(__torch_function__),
    "_make_subclass": staticmethod(_make_subclass),
    "__new__": lambda cls, *args, device=None: legacy.construct(cls, args, None, device),
    "__len__": _len,
    "__iter__": _iter,
    "__contains__": _contains,
    "__reversed__": _reversed,
    "__format__": _format,
    "__repr__": formatting.tensor_repr,
    "__bool__": conversion.truth,
    "__index__": conversion.index,
    "__float__": _float,
    "__int__": _int,
    "__complex__": _complex,
    "__deepcopy__": _deepcopy,
    "__reduce__": _reduce,
    "__array__": conversion.array_protocol,
    "__array_namespace__": _namespace,
    "__array_wrap__": lambda input, array, context=None, scalar=False: creation.as_tensor(array),
    "__array_priority__": 1000,  # so that ndarray + tensor asks the tensor
    "__dlpack__": _dlpack,
    "__dlpack_device__": lambda input: input.array.__dlpack_device__(),
    "__hash__": object.__hash__,
    **{name: _LeftOut(name) for name in _LEFT_OUT},
    **{name: _of_sparse(name) for name in SPARSE_METHODS},
}

for _name in "contains deepcopy float format int iter len reversed".split():  # as programs ask
    PROTOCOLS[f"__{_name}__"].__name__ = f"__{_name}__"

nelement, ndimension = numel, dim
