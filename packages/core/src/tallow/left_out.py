"""Public names of PyTorch that tallow leaves out on purpose, and why."""

from tallow.errors import LeftOutError

OTHER = "torch takes other arguments here than in nn.functional; call nn.functional's"

SEMI_STRUCTURED = "half of the elements dropped, for kernels of some GPUs; use to_sparse()"
STREAM = "operations run one after another on the current stream"
SHARDS = (
    "no tensor or module lies in parts on several processes; docs/distributed.md has what runs on "
    "many, docs/compatibility.md the rest"
)
INNER = "an inner function of PyTorch's; use what nn has"

LEFT_OUT = {
    "torch.embedding_bag": OTHER,
    "torch.nn.CrossMapLRN2d": "PyTorch's sums a channel too many; use LocalResponseNorm",
    "torch.nn.LinearCrossEntropyOptions": "the product is not cut into chunks here",
    "torch.nn.functional.scaled_grouped_mm": "needs float8 and float4 products",
    "torch.nn.functional.scaled_mm": "needs float8 and float4 products",
    "torch.utils.cpp_extension.load": "kernels are registered in Python: see CONTRIBUTING.md",
    "torch.nested.nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.nested.as_nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.linalg.ldl_factor": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_factor_ex": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_solve": "NumPy has no LDL factorisation; use solve",
    "torch.lobpcg": "an iterative solver; use linalg.eigh",
    "torch.segment_reduce": "a prototype in PyTorch; use scatter_reduce or index_reduce",
    "torch.Tensor.index": "write input[...]",
    "torch.Tensor.grad_dtype": "a gradient has the dtype of its tensor",
    "torch.Tensor.hardshrink": "call nn.functional.hardshrink",
    "torch.Tensor.prelu": "call nn.functional.prelu",
    "torch.Tensor.record_stream": STREAM,
    "torch.Tensor.share_memory_": "processes do not share tensors; workers send them",
    "torch.Tensor.storage_type": "storages are bytes: see untyped_storage",
    "torch.Tensor.to_padded_tensor": "tallow has no nested tensors",
    "torch.cond": "write `if`",
    "torch.while_loop": "write `while`",
    "torch.Tensor.chalf": "NumPy has no complex numbers of 16-bit parts",
    "torch.float4_e2m1fn_x2": "a storage format of PyTorch's quantised models",
    "torch.float8_e8m0fnu": "a storage format of PyTorch's quantised models",
    "torch.from_file": "use numpy.memmap and from_numpy",
    "torch.get_num_interop_threads": "operations run one after another",
    "torch.set_num_interop_threads": "operations run one after another",
    "torch.hash_tensor": "hash input.numpy().tobytes()",
    "torch.jagged": "tallow has no nested tensors",
    "torch.set_flush_denormal": "NumPy has no such switch",
    "torch.set_warn_always": "tallow warns by Python's warnings, whose filters decide",
    "torch.is_warn_always_enabled": "tallow warns by Python's warnings, whose filters decide",
    "torch.sparse.spsolve": "SciPy has solvers for sparse systems",
    "torch.special.airy_ai": "rarely used; SciPy has it",
    "torch.Event": STREAM,
}  # fmt: skip

LEFT_OUT |= {f"torch.{name}": INNER for name in """
    conv_tbc gru gru_cell lstm lstm_cell rnn_relu rnn_tanh
""".split()}  # fmt: skip

LEFT_OUT |= {f"torch.sparse.{name}": SEMI_STRUCTURED for name in """
    SparseSemiStructuredTensor SparseSemiStructuredTensorCUSPARSELT
    SparseSemiStructuredTensorCUTLASS to_sparse_semi_structured
""".split()}  # fmt: skip

LEFT_OUT |= {f"torch.Tensor.{name}": "Python 2's" for name in """
    __div__ __idiv__ __long__ __rdiv__
""".split()}  # fmt: skip


def missing(module, name):
    """The error for a name that a module (or Tensor) lacks: with the reason, if it was left out."""
    reason = LEFT_OUT.get(f"torch{module.removeprefix('tallow')}.{name}")
    if reason is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    return LeftOutError(f"{module}.{name}: left out of tallow: {reason}")


class Never:
    """What nothing is: `isinstance(x, Tracer)` is False, and making one is an error that says why.

    For classes that programs name beside what they run. They say why in `why`.
    """

    def __init__(self, *args, **kwargs):
        place, name = type(self).__module__.removeprefix("tallow."), type(self).__name__
        raise LeftOutError(f"{place}: expected no torch.{place}.{name}; {self.why}")


def never(path, why):
    """A function for its name, `path` within torch: to call it is an error that says why."""
    place, _, name = path.rpartition(".")

    def function(*args, **kwargs):
        raise LeftOutError(f"{place}: expected no torch.{path}; {why}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"An error: {why}."
    return function
