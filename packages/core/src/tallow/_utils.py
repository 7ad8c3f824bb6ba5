"""Inner functions of PyTorch's that programs import from `torch._utils`."""

from tallow.accelerator import get_device_module as _get_device_module
from tallow.accelerator import is_available
from tallow.joining import cat, split
from tallow.shaping import reshape


def _flatten_dense_tensors(tensors):
    """Several tensors of one dtype as one vector, a copy."""
    return cat([reshape(x, -1) for x in tensors])


def _unflatten_dense_tensors(flat, tensors):
    """The parts of a vector as views in the shapes of tensors."""
    parts = split(flat, [x.array.size for x in tensors])
    return tuple(reshape(part, x.shape) for part, x in zip(parts, tensors, strict=True))


def _get_available_device_type():
    """The kind of the accelerator that is here, None without one."""
    return "cuda" if is_available() else None


__all__ = ["_flatten_dense_tensors", "_get_device_module", "_unflatten_dense_tensors"]
