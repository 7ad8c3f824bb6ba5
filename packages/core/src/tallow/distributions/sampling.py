"""Random numbers through which gradients flow: gamma and Dirichlet."""

from tallow import backend, rejection
from tallow.autograd.function import Function, once_differentiable
from tallow.creation import place
from tallow.errors import DistributionError
from tallow.generator import default_generator
from tallow.ops.implicit import beta_slope, gamma_slope
from tallow.tensor import wrap


def _drawn(draw, concentration):
    values = backend.for_array(concentration.array).to_host(concentration.array)
    if not (values >= 0).all():
        raise DistributionError("standard_gamma: expected concentrations of 0 or more, got others")
    return place(draw(default_generator, values), concentration.device)


class _Gamma(Function):
    @staticmethod
    def forward(ctx, concentration):
        sample = _drawn(rejection.gamma, concentration)
        ctx.save_for_backward(concentration, sample)
        return sample

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        concentration, sample = ctx.saved_tensors
        return g * wrap(gamma_slope(concentration.array, sample.array))


class _Dirichlet(Function):
    """Each coordinate x moves as a beta number; the others shrink in proportion to 1 - x."""

    @staticmethod
    def forward(ctx, concentration):
        sample = _drawn(rejection.dirichlet, concentration)
        ctx.save_for_backward(concentration, sample)
        return sample

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        concentration, x = ctx.saved_tensors
        rest = concentration.sum(-1, True) - concentration
        slope = wrap(beta_slope(concentration.array, rest.array, x.array))
        return slope / (1 - x) * (g - (x * g).sum(-1, True))


standard_gamma, standard_dirichlet = _Gamma.apply, _Dirichlet.apply
