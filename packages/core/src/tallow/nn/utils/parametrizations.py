"""Ready parametrizations: weights of a given norm, of spectral norm 1, orthogonal."""

from tallow.autograd.modes import no_grad
from tallow.errors import ArgumentError, OutOfRangeError, describe
from tallow.nn import functional as F
from tallow.nn.module import Module
from tallow.nn.utils.orthogonal import MAPS, Orthogonal
from tallow.nn.utils.parametrize import register_parametrization
from tallow.nn.utils.weights import (
    as_matrix,
    norm_except,
    output_dim,
    spectral_norm_of,
    unit_vectors,
    with_norm,
)
from tallow.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module, name):
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ArgumentError(
            f"parametrization: expected a parameter or buffer {name!r} of {type(module).__name__}, "
            f"got {type(tensor).__name__}"
        )
    return tensor


class _WeightNorm(Module):
    """A weight from its norm along a dim and its direction."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return with_norm(weight_g, weight_v, self.dim)

    def right_inverse(self, weight):
        return norm_except(weight, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """Train a weight's norm along `dim` (None: its whole norm) and its direction apart.

    Salimans & Kingma, "Weight Normalization", 2016. They are `module.parametrizations[name]`'s
    `original0` and `original1`; states with `name_g` and `name_v`, as the older
    `nn.utils.weight_norm` has them, are loaded, too. Returns the module.

    >>> from tallow.nn.utils import parametrizations
    >>> layer = parametrizations.weight_norm(tallow.nn.Linear(20, 40))
    >>> tuple(layer.parametrizations.weight.original0.shape)
    (40, 1)
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(module, state_dict, prefix, *rest):
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module.register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, whose singular vectors are buffers."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise OutOfRangeError(f"spectral_norm: expected a dim of {describe(weight)}, got {dim}")
        if n_power_iterations <= 0:
            raise ArgumentError(
                f"spectral_norm: expected n_power_iterations from 1 up, got {n_power_iterations}"
            )
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            u, v = unit_vectors(matrix, eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            self._power_method(matrix, 15)

    @no_grad()
    def _power_method(self, matrix, count):
        for _ in range(count):
            self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(matrix.H.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        return weight / spectral_norm_of(matrix, self._u.clone(), self._v.clone())

    def right_inverse(self, value):
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value (Miyato et al., 2018).

    In training, every reading of the weight improves the estimate by `n_power_iterations`; `dim` is
    that of the output channels. Returns the module.

    >>> from tallow.nn.utils import parametrizations
    >>> layer = parametrizations.spectral_norm(tallow.nn.Linear(1, 1))
    >>> round(abs(layer.weight.item()), 4)
    1.0
    """
    weight = _tensor_of(module, name)
    dim = output_dim(module) if dim is None else dim
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Keep a weight orthogonal: its columns, or its rows if these are fewer, are orthonormal.

    `orthogonal_map` is "matrix_exp", "cayley" or "householder"; the first for square and complex
    weights unless told, else the last. `use_trivialization` makes assignment possible for all.
    Returns the module.
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ArgumentError(f"orthogonal: expected a matrix or a batch, got {describe(weight)}")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        known = ", ".join(MAPS)
        raise ArgumentError(
            f"orthogonal: expected orthogonal_map to be one of {known}, got {orthogonal_map!r}"
        )
    parametrization = Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    register_parametrization(module, name, parametrization, unsafe=True)
    return module
