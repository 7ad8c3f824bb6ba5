"""What weight and spectral normalization compute, whichever way they are attached to a module."""

from tallow.autograd.modes import no_grad
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d


def norm_except(v, dim):
    """The norm of v over all dims but one, which is kept; for dim -1 over all, a 0-d tensor."""
    if dim == -1:
        return v.norm()
    others = [d for d in range(v.ndim) if d != dim]
    return v.norm(2, others, keepdim=True) if others else v.abs()


def with_norm(g, v, dim):
    """v scaled to have the norm g (Salimans & Kingma, "Weight Normalization", 2016)."""
    return v * (g / norm_except(v, dim))


def as_matrix(weight, dim):
    """The weight as a matrix, whose rows are its slices along `dim`."""
    if dim:
        weight = weight.permute(dim, *[d for d in range(weight.ndim) if d != dim])
    return weight.flatten(1)


@no_grad()
def unit_vectors(matrix, eps):
    """Two random vectors of length 1, one for the rows of a matrix and one for its columns."""
    u, v = (matrix.new_empty(n).normal_(0, 1) for n in matrix.shape)
    return F.normalize(u, dim=0, eps=eps), F.normalize(v, dim=0, eps=eps)


def spectral_norm_of(matrix, u, v):
    """The largest singular value, given its singular vectors (Miyato et al., 2018)."""
    return u.dot(matrix.mv(v))


def output_dim(module):
    """The dim of the output channels in the weight of a module."""
    return int(isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d))


def hook_on(module, kind, name):
    """The key and the hook before the forward, of class `kind`, on the tensor `name`; or None."""
    hooks = {} if module._hooks is None else module._hooks.forward_pre
    for key, hook in hooks.items():
        if isinstance(hook.call, kind) and hook.call.name == name:
            return key, hook.call
    return None


def add_hook(module, hook):
    """Register a hook before the forward; RuntimeError if its tensor has one of its class."""
    if hook_on(module, type(hook), hook.name):
        raise RuntimeError(
            f"{type(hook).__name__}: expected {hook.name!r} without such a hook, it has one"
        )
    module.register_forward_pre_hook(hook)


def remove_hook(module, kind, name):
    """Take a hook away again and return it; ValueError if there is none."""
    found = hook_on(module, kind, name)
    if found is None:
        raise ArgumentError(f"{kind.__name__}: expected one on {name!r} of {type(module).__name__}")
    del module._hooks.forward_pre[found[0]]
    return found[1]
