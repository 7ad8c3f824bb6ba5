"""Weight normalization by a hook before the forward: PyTorch's older way."""

import warnings

from tallow.nn.parameter import Parameter
from tallow.nn.utils.weights import add_hook, norm_except, remove_hook, with_norm


class WeightNorm:
    """The hook: it sets the weight from its norm and its direction."""

    def __init__(self, name, dim):
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module):
        """The weight from its norm `name_g` and its direction `name_v`."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return with_norm(g, v, self.dim)

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module, name="weight", dim=0):
    """Split a weight into its norm along `dim` (None: of all) and its direction, both trained.

    Deprecated: `nn.utils.parametrizations.weight_norm` does it without a hook.
    """
    warnings.warn(
        "nn.utils.weight_norm is deprecated; use nn.utils.parametrizations.weight_norm",
        FutureWarning,
        stacklevel=2,
    )
    hook = WeightNorm(name, dim)
    add_hook(module, hook)
    weight = getattr(module, name)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight, hook.dim).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    hook(module, ())
    return module


def remove_weight_norm(module, name="weight"):
    """Make the weight one parameter again; ValueError if it is not normalized."""
    weight = remove_hook(module, WeightNorm, name).compute_weight(module)
    for each in (name, f"{name}_g", f"{name}_v"):
        delattr(module, each)
    setattr(module, name, Parameter(weight.detach()))
    return module
