"""Public names of PyTorch that tallow leaves out on purpose, and why."""

from tallow.errors import LeftOutError

OTHER = "torch takes other arguments here than in nn.functional; call nn.functional's"

SEMI_STRUCTURED = "half of the elements dropped, for kernels of some GPUs; use to_sparse()"
STREAM = "operations run one after another on the current stream"
SHARDS = (
    "no tensor or module lies in parts on several processes; docs/distributed.md has what runs on "
    "many, docs/compatibility.md the rest"
)
LEFT_OUT = {
    "torch.embedding_bag": OTHER,
    "torch.nn.LinearCrossEntropyOptions": "the product is not cut into chunks here",
    "torch.nn.functional.scaled_grouped_mm": "needs float8 and float4 products",
    "torch.nn.functional.scaled_mm": "needs float8 and float4 products",
    "torch.utils.cpp_extension.load": "kernels are registered in Python: see CONTRIBUTING.md",
    "torch.nested.nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.nested.as_nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.linalg.ldl_factor": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_factor_ex": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_solve": "NumPy has no LDL factorisation; use solve",
    "torch.Tensor.index": "write input[...]",
    "torch.Tensor.grad_dtype": "a gradient has the dtype of its tensor",
    "torch.Tensor.record_stream": STREAM,
    "torch.Tensor.storage_type": "storages are bytes: see untyped_storage",
    "torch.Tensor.to_padded_tensor": "tallow has no nested tensors",
    "torch.Tensor.chalf": "NumPy has no complex numbers of 16-bit parts",
    "torch.float4_e2m1fn_x2": "a storage format of PyTorch's quantised models",
    "torch.float8_e8m0fnu": "a storage format of PyTorch's quantised models",
    "torch.jagged": "tallow has no nested tensors",
    "torch.sparse.spsolve": "SciPy has solvers for sparse systems",
    "torch.special.airy_ai": "rarely used; SciPy has it",
}  # fmt: skip

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
