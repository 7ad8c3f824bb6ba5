"""Batch normalization over the batches of many processes."""

import sys

from tallow.creation import full
from tallow.nn.functional.normalization import update_running


def processes(group):
    """How many processes a group has; 1 where none was set up."""
    distributed = sys.modules.get("tallow.distributed")
    if distributed is None or not distributed.is_initialized():
        return 1
    return distributed.get_world_size(group)


def synchronized_batch_norm(
    input, running_mean, running_var, weight, bias, training, momentum, eps, group
):
    """`batch_norm` in training, of (N, C, ...), by the statistics of all processes of a group.

    Mean and variance come from two sums over the processes, the second of squares of differences
    from the mean; processes may have batches of different lengths.
    """
    from tallow.distributed.nn.functional import all_reduce

    axes = [0, *range(2, input.ndim)]
    factor = (1, -1, *(1,) * (input.ndim - 2))
    own = input.numel() // input.shape[1]
    count = all_reduce(full((), float(own), dtype=input.dtype, device=input.device), group=group)
    mean = all_reduce(input.sum(axes), group=group) / count
    centred = input - mean.view(factor)
    variance = all_reduce(centred.square().sum(axes), group=group) / count
    if running_mean is not None:
        update_running(running_mean, mean.array, momentum)
        update_running(running_var, (variance * (count / (count - 1))).array, momentum)
    scale = (variance + eps).rsqrt()
    result = centred * (scale if weight is None else scale * weight).view(factor)
    return result if bias is None else result + bias.view(factor)
