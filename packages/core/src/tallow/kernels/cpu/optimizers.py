"""Steps of optimizers, of all parameters in one call, as the compiled kernels do them."""

from tallow.kernels.cpu import compiled
from tallow.kernels.updates import updates


@updates("sgd", "cpu")
def _(params, grads, buffers, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    how = (lr, momentum, dampening, weight_decay, nesterov, maximize)
    if not compiled.sgd(params, grads, buffers if momentum else [], *how):
        return NotImplemented


@updates("adam", "cpu")
def _(
    params, grads, means, squares, maxima, steps, *, lr, betas, eps, weight_decay, amsgrad,
    maximize, decoupled_weight_decay,
):  # fmt: skip
    state = (means, squares, maxima if amsgrad else [], steps)
    how = (lr, *betas, eps, weight_decay, maximize, decoupled_weight_decay)
    if not compiled.adam(params, grads, *state, *how):
        return NotImplemented


@updates("rmsprop", "cpu")
def _(
    params, grads, squares, buffers, means, steps, *, lr, alpha, eps, weight_decay, momentum,
    centered, maximize,
):  # fmt: skip
    state = (squares, buffers if momentum else [], means if centered else [])
    how = (lr, alpha, eps, weight_decay, momentum, maximize)
    if not compiled.rmsprop(params, grads, *state, *how):
        return NotImplemented


@updates("adagrad", "cpu")
def _(params, grads, sums, steps, *, lr, lr_decay, weight_decay, eps, maximize):
    how = (lr, lr_decay, weight_decay, eps, maximize)
    if not compiled.adagrad(params, grads, sums, steps, *how):
        return NotImplemented


@updates("adadelta", "cpu")
def _(params, grads, squares, deltas, steps, *, lr, rho, eps, weight_decay, maximize):
    how = (lr, rho, eps, weight_decay, maximize)
    if not compiled.adadelta(params, grads, squares, deltas, *how):
        return NotImplemented
