"""Forward-mode differentiation: tensors that carry a tangent along with what they are computed to.

No operation has a rule for it. What is computed of a dual tensor is recorded, and the tangent of a
result is the derivative of its backward pass, which is linear in the gradient it is given
(`tallow.func.jvp`). So every operation that can be differentiated twice has a tangent, at the cost
of a forward and two backward passes, and nothing is computed before `unpack_dual`. Recording has to
be on, and a `Function` is moved along by its `backward`.
"""

from typing import NamedTuple

from tallow.autograd.modes import _Mode, is_grad_enabled
from tallow.errors import ArgumentError, GradientError, ShapeError, describe
from tallow.func.gradients import history, leads_out, leave, own, pusher
from tallow.tensor import Tensor

__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
    "unpack_dual",
]  # fmt: skip

_levels: list[list] = []  # at most one: pairs (dual tensor, tangent)


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` gives: the tensor, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level():
    """Begin to carry tangents. As in PyTorch there is one level; `func.jvp` nests."""
    if _levels:
        raise GradientError("enter_dual_level: expected no level inside another; see func.jvp")
    _levels.append([])
    return 0


def exit_dual_level(*, level=None):
    """End it: all tangents are forgotten."""
    if not _levels or level not in (None, 0):
        raise GradientError(f"exit_dual_level: expected the level entered last, got {level}")
    _levels.pop()


class dual_level(_Mode):
    """A context in which `make_dual` gives tensors a tangent, and `unpack_dual` takes it.

    >>> import tallow
    >>> from tallow.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(tallow.tensor([1.0, 2.0]), tallow.ones(2))
    ...     forward_ad.unpack_dual(x * x).tangent
    tensor([2., 4.])
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exception):
        exit_dual_level()


def make_dual(tensor, tangent, *, level=None):
    """A view of `tensor` with a `tangent`, of its shape and dtype."""
    if not _levels:
        raise GradientError("make_dual: expected to be inside of a dual_level(), got no level")
    if not is_grad_enabled():
        raise GradientError("make_dual: expected recording to be on: the tangents come of it")
    for name, x in (("a tensor", tensor), ("a tangent", tangent)):
        if not (x.is_floating_point() or x.is_complex()):
            raise ArgumentError(
                f"make_dual: expected {name} of floating numbers, got {describe(x)}"
            )
    if tensor.shape != tangent.shape or tensor.dtype is not tangent.dtype:
        raise ShapeError(
            f"make_dual: expected a tangent {describe(tensor)}, got {describe(tangent)}"
        )
    dual = own(tensor)
    _levels[0].append((dual, tangent))
    return dual.view_as(dual)


def unpack_dual(tensor, *, level=None):
    """(primal, tangent): the tensor without its tangent; None where it depends on no dual one."""
    duals = [dual for dual, _ in _levels[0]] if _levels else []
    if not duals or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    edges = {id(edge) for edge in history([tensor])}
    if not any(id(dual if dual.is_leaf else dual.node) in edges for dual in duals):
        return UnpackedDualTensor(tensor, None)
    tangents = [tangent for _, tangent in _levels[0]]
    kept = leads_out([tensor], duals) or any(t.requires_grad for t in tangents)
    return UnpackedDualTensor(
        leave(tensor, duals, kept), pusher([tensor], duals, kept)(tangents)[0]
    )
