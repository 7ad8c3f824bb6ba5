"""Spectral normalization by a hook before the forward: PyTorch's older way."""

from tallow.autograd.modes import no_grad
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.parameter import Parameter
from tallow.nn.utils.weights import (
    add_hook,
    as_matrix,
    output_dim,
    remove_hook,
    spectral_norm_of,
    unit_vectors,
)


class SpectralNorm:
    """The hook: it sets the weight, divided by its largest singular value."""

    def __init__(self, name="weight", n_power_iterations=1, dim=0, eps=1e-12):
        if n_power_iterations <= 0:
            raise ArgumentError(
                f"spectral_norm: expected n_power_iterations from 1 up, got {n_power_iterations}"
            )
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def compute_weight(self, module, do_power_iteration):
        """The weight divided by its norm; power iterations improve the singular vectors first."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
        return weight / spectral_norm_of(matrix, u.clone(), v.clone())

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value (Miyato et al., 2018).

    `n_power_iterations` before every forward in training estimate it; `dim` is that of the output
    channels. `nn.utils.parametrizations.spectral_norm` does it without a hook.
    """
    dim = output_dim(module) if dim is None else dim
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters.get(name)
    if weight is None:
        raise ArgumentError(
            f"spectral_norm: expected a parameter {name!r} of {type(module).__name__}, got none"
        )
    add_hook(module, hook)
    u, v = unit_vectors(as_matrix(weight, dim), eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    return module


def remove_spectral_norm(module, name="weight"):
    """Make the normalized weight a parameter; ValueError if it is not normalized."""
    with no_grad():
        weight = remove_hook(module, SpectralNorm, name).compute_weight(module, False)
    for each in (name, f"{name}_u", f"{name}_v", f"{name}_orig"):
        delattr(module, each)
    module.register_parameter(name, Parameter(weight))
    return module
