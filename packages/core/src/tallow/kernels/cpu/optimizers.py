"""Steps of optimizers, of all parameters in one call, as the compiled kernels do them.

Parameters of 16 bits, and their state, take the step in float32 and are rounded once.
"""

from functools import wraps

from tallow.kernels.cpu import compiled
from tallow.kernels.cpu.short import cast, is_short, widened
from tallow.kernels.updates import updates


def shorts_too(kernel):
    """Decorator: what declines short floats is called with them widened."""

    @wraps(kernel)
    def step(*lists, **how):
        if kernel(*lists, **how) is not NotImplemented:
            return None
        if not all(map(is_short, lists[0])):
            return NotImplemented
        wide = [[widened(x) for x in arrays] for arrays in lists]
        if kernel(*wide, **how) is NotImplemented:
            return NotImplemented
        for arrays, changed in zip(lists, wide, strict=True):
            for x, y in zip(arrays, changed, strict=True):
                if is_short(x) and arrays is not lists[1]:  # gradients stay as they are
                    x[...] = cast(y, x.dtype)
        return None

    return step


@updates("sgd", "cpu")
@shorts_too
def _(params, grads, buffers, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    how = (lr, momentum, dampening, weight_decay, nesterov, maximize)
    if not compiled.sgd(params, grads, buffers if momentum else [], *how):
        return NotImplemented


@updates("adam", "cpu")
@shorts_too
def _(
    params, grads, means, squares, maxima, steps, *, lr, betas, eps, weight_decay, amsgrad,
    maximize, decoupled_weight_decay,
):  # fmt: skip
    state = (means, squares, maxima if amsgrad else [], steps)
    how = (lr, *betas, eps, weight_decay, maximize, decoupled_weight_decay)
    if not compiled.adam(params, grads, *state, *how):
        return NotImplemented


@updates("rmsprop", "cpu")
@shorts_too
def _(
    params, grads, squares, buffers, means, steps, *, lr, alpha, eps, weight_decay, momentum,
    centered, maximize,
):  # fmt: skip
    state = (squares, buffers if momentum else [], means if centered else [])
    how = (lr, alpha, eps, weight_decay, momentum, maximize)
    if not compiled.rmsprop(params, grads, *state, *how):
        return NotImplemented


@updates("adagrad", "cpu")
@shorts_too
def _(params, grads, sums, steps, *, lr, lr_decay, weight_decay, eps, maximize):
    how = (lr, lr_decay, weight_decay, eps, maximize)
    if not compiled.adagrad(params, grads, sums, steps, *how):
        return NotImplemented


@updates("adadelta", "cpu")
@shorts_too
def _(params, grads, squares, deltas, steps, *, lr, rho, eps, weight_decay, maximize):
    how = (lr, rho, eps, weight_decay, maximize)
    if not compiled.adadelta(params, grads, squares, deltas, *how):
        return NotImplemented
