"""Inner names of PyTorch's `torch.func`, which programs look into: next to nothing is here."""

from tallow.func.batched import BatchedArray
from tallow.left_out import never
from tallow.tensor import Tensor as Tensor
from tallow.utils._pytree import tree_flatten as tree_flatten
from tallow.utils._pytree import tree_unflatten as tree_unflatten


def is_batchedtensor(tensor):
    """True within `vmap` for a tensor that stands for those of all examples."""
    return isinstance(tensor.array, BatchedArray)


def _get_name(func):
    return getattr(func, "__name__", repr(func))


_WHY = "func.vmap works otherwise"
get_unwrapped = never("_functorch.get_unwrapped", _WHY)
_add_batch_dim = never("_functorch._add_batch_dim", _WHY)
_remove_batch_dim = never("_functorch._remove_batch_dim", _WHY)
_maybe_remove_batch_dim = never("_functorch._maybe_remove_batch_dim", _WHY)
_broadcast_to_and_flatten = never("_functorch._broadcast_to_and_flatten", _WHY)
