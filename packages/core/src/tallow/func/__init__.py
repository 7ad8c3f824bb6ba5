"""Functions of functions: gradients, Jacobian matrices and batches, without touching `grad`.

They nest, take arguments and give results that are tuples, lists and dicts of tensors, and work on
modules by `functional_call`.
"""

from tallow.func.batching import vmap
from tallow.func.gradients import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
)
from tallow.func.modules import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip
