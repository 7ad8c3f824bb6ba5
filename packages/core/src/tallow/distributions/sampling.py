"""Random numbers through which gradients flow: gamma and Dirichlet."""

from tallow import backend, drawing, rejection
from tallow import generator as streams
from tallow.autograd.function import Function, once_differentiable
from tallow.creation import place
from tallow.errors import DistributionError
from tallow.ops.implicit import beta_slope, gamma_slope
from tallow.tensor import wrap


@backend.there
def _drawn(concentration, name):
    """Numbers by a function of `drawing`, or of `rejection` where the host draws."""
    values, generator = concentration.array, streams.generator_of(concentration.device)
    here = generator.device.type == "cpu"
    values = backend.for_array(values).to_host(values) if here else values
    if streams.captured is None and not (values >= 0).all():
        raise DistributionError("standard_gamma: expected concentrations of 0 or more, got others")
    made = getattr(rejection if here else drawing, name)(generator, values)
    return place(made, concentration.device) if here else wrap(made)


class _Gamma(Function):
    @staticmethod
    def forward(ctx, concentration):
        sample = _drawn(concentration, "gamma")
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
        sample = _drawn(concentration, "dirichlet")
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
