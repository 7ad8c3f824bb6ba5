"""Products with Jacobian and Hessian matrices, and these themselves, of functions of tensors.

`tallow.func` has the same as functions of functions; what is here takes the inputs along.
"""

from tallow import autograd
from tallow.autograd import enable_grad
from tallow.creation import ones_like
from tallow.errors import ArgumentError, GradientError, TypeMismatchError
from tallow.func.gradients import columns, pull, pusher, rows
from tallow.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(outputs, v times the Jacobian matrix): gradients of `inputs` for the gradient v of outputs.

    v may be missing for a single output with one element. `strict` raises where an output does not
    depend on an input, which gives zeros otherwise; `create_graph` records what is computed.

    >>> import tallow
    >>> x = tallow.tensor([1.0, 2.0])
    >>> tallow.autograd.functional.vjp(lambda x: x * x, x, tallow.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    run = _Run("vjp", func, inputs, create_graph, strict)
    start = run.vector(v, run.outputs, "the output")
    return run.left_outputs(), run.as_inputs(run.pulled(start))


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(outputs, the Jacobian matrix times v): tangents of outputs for the tangents v of `inputs`.

    It takes two backward passes; see `tallow.func.jvp`. The arguments are those of `vjp`.
    """
    run = _Run("jvp", func, inputs, create_graph, strict)
    tangents = run.vector(v, run.owned, "the input")
    run.check_strict()
    moved = pusher(run.outputs, run.owned, create_graph)(tangents)
    return run.left_outputs(), moved[0] if run.single_output else tuple(moved)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(output, v times the Hessian matrix) of a function with one number as its result."""
    run = _Run("vhp", func, inputs, create_graph, strict)
    run.check_scalar()
    v = run.vector(v, run.owned, "the input")
    slopes = pull(run.outputs, run.owned, list(map(ones_like, run.outputs)), True)
    if strict:
        run.check_second(slopes)
    return run.left_outputs(), run.as_inputs(pull(slopes, run.owned, v, create_graph))


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(output, the Hessian matrix times v): equal to `vhp`, as the matrix is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)


def jacobian(
    func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"
):
    """The Jacobian matrix: of shape (*S, *T) for an output of shape S and an input of shape T.

    A tuple of them for several inputs; a tuple for each output in one for several outputs. It is
    computed by rows, or by columns with strategy "forward-mode"; `vectorize` changes nothing.

    >>> import tallow
    >>> tallow.autograd.functional.jacobian(lambda x: x * x, tallow.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(
            f"jacobian: expected strategy 'reverse-mode' or 'forward-mode', got {strategy!r}"
        )
    run = _Run("jacobian", func, inputs, create_graph, strict)
    if strategy == "forward-mode":
        matrices = columns(run.outputs, run.owned, create_graph)
    else:
        matrices = [rows(y, run.owned, create_graph) for y in run.outputs]
    run.check_strict()
    per_output = [run.as_inputs(row) for row in matrices]
    return per_output[0] if run.single_output else tuple(per_output)


def hessian(
    func, inputs, create_graph=False, strict=False, vectorize=False,
    outer_jacobian_strategy="reverse-mode",
):  # fmt: skip
    """The second derivatives of a function with one number as its result.

    Of shape (*T, *T) for an input of shape T; for several inputs a tuple of tuples.

    >>> import tallow
    >>> tallow.autograd.functional.hessian(lambda x: (x**3).sum(), tallow.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def first(*args):
        value = func(*args)
        if not isinstance(value, Tensor) or value.array.size != 1:
            raise GradientError("hessian: expected one number from the function")
        given = args[0] if isinstance(inputs, Tensor) else args
        flat = jacobian(lambda *x: func(*x).reshape(()), given, create_graph=True, strict=strict)
        if strict and not all(x.requires_grad for x in _tuple(flat)):
            raise GradientError("hessian: expected first derivatives that depend on the inputs")
        return flat

    return jacobian(first, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def _tuple(x):
    return x if isinstance(x, tuple) else (x,)


def _slopes(y, owned):
    """The gradients of the sum of one output; None where it does not depend on an input."""
    if not y.requires_grad:
        return [None] * len(owned)
    return autograd.grad(y, owned, ones_like(y), retain_graph=True, allow_unused=True)


class _Run:
    """One call of a function, recorded by its inputs."""

    def __init__(self, name, func, inputs, create_graph, strict):
        self.name = name
        self.strict = strict
        self.create_graph = create_graph
        self.single_input = isinstance(inputs, Tensor)
        self.owned = [self._own(x) for x in self._tensors(inputs, "inputs")]
        with enable_grad():
            result = func(*self.owned)
        self.single_output = isinstance(result, Tensor)
        self.outputs = self._tensors(result, "outputs")

    def _tensors(self, given, what):
        tensors = _tuple(given)
        if not all(isinstance(x, Tensor) for x in tensors):
            raise TypeMismatchError(
                f"{self.name}: expected {what} as a tensor or a tuple of tensors, got "
                f"{type(given).__name__}"
            )
        return list(tensors)

    def _own(self, x):
        """What stands for an input: x with its history if that is to go on."""
        if self.create_graph and x.requires_grad:
            with enable_grad():
                return x.view_as(x)
        return x.detach().requires_grad_()

    def vector(self, v, tensors, what):
        """The given v as a list that fits the tensors; ones if it may be missing."""
        if v is None:
            if len(tensors) != 1 or tensors[0].array.size != 1:
                raise GradientError(
                    f"{self.name}: expected v, which may be missing where {what} is one number"
                )
            return [ones_like(tensors[0])]
        given = self._tensors(v, "v")
        shapes, expected = ([tuple(x.array.shape) for x in xs] for xs in (given, tensors))
        if shapes != expected:
            raise GradientError(f"{self.name}: expected v of shapes {expected}, got {shapes}")
        return given

    def pulled(self, start):
        self.check_strict()
        with enable_grad():
            return pull(self.outputs, self.owned, start, self.create_graph)

    def check_strict(self):
        """Raise under `strict` if an output does not depend on an input."""
        for y in self.outputs if self.strict else ():
            if any(g is None for g in _slopes(y, self.owned)):
                raise GradientError(
                    f"{self.name}: expected outputs that depend on every input (strict), got one "
                    "that does not"
                )

    def check_scalar(self):
        if not self.single_output or self.outputs[0].array.size != 1:
            raise GradientError(f"{self.name}: expected one number from the function")

    def check_second(self, slopes):
        if not all(g.requires_grad for g in slopes):
            raise GradientError(
                f"{self.name}: expected first derivatives that depend on the inputs (strict)"
            )

    def as_inputs(self, flat):
        return flat[0] if self.single_input else tuple(flat)

    def left_outputs(self):
        outputs = self.outputs if self.create_graph else [y.detach() for y in self.outputs]
        return outputs[0] if self.single_output else tuple(outputs)
