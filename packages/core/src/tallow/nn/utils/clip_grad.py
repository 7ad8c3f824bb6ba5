"""Bounds on the gradients before an optimizer's step."""

import inspect
import warnings

from tallow.autograd.modes import no_grad
from tallow.creation import tensor
from tallow.joining import stack
from tallow.tensor import Tensor


@no_grad()
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all elements of some tensors taken together, as a 0-d tensor.

    `norm_type` is the p of the norm, `inf` included. With `error_if_nonfinite` a norm that is
    infinite or not a number is a RuntimeError.

    >>> tallow.nn.utils.get_total_norm([tallow.tensor([3.0]), tallow.tensor([4.0])]).item()
    5.0
    """
    tensors = _listed(tensors)
    if not tensors:
        return tensor(0.0)
    norms = [x.norm(norm_type) for x in tensors]
    total = stack([norm.to(norms[0].device) for norm in norms]).norm(norm_type)
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"total norm of order {norm_type}: expected a finite number, got {total.item()}; "
            "pass error_if_nonfinite=False to clip all the same"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients by `max_norm / total_norm` if that is below 1, in place."""
    scale = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
    for grad in _gradients(parameters):
        grad.mul_(scale.to(grad.device))


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients, in place, such that their common norm is at most `max_norm`.

    Returns the norm they had, a 0-d tensor (Pascanu et al., 2013).

    >>> w = tallow.nn.Parameter(tallow.tensor([1.0, 1.0]))
    >>> (w * tallow.tensor([3.0, 4.0])).sum().backward()
    >>> tallow.nn.utils.clip_grad_norm_([w], max_norm=1.0).item()
    5.0
    >>> round(w.grad.norm().item(), 4)
    1.0
    """
    given, parameters = parameters, _listed(parameters)
    if not parameters and inspect.isgenerator(given):
        warnings.warn("clip_grad_norm_: expected parameters, got an empty generator", stacklevel=2)
    total_norm = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total_norm)
    return total_norm


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """`clip_grad_norm_`, under its old name."""
    warnings.warn("clip_grad_norm is deprecated; use clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Cut every element of the gradients to ±clip_value, in place.

    >>> w = tallow.nn.Parameter(tallow.tensor([1.0, 1.0]))
    >>> (w * tallow.tensor([-3.0, 0.5])).sum().backward()
    >>> tallow.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [-1.0, 0.5]
    """
    for grad in _gradients(parameters):
        grad.clamp_(min=-clip_value, max=clip_value)


def _listed(tensors):
    """One tensor or an iterable of them, as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters):
    return [p.grad for p in _listed(parameters) if p.grad is not None]
