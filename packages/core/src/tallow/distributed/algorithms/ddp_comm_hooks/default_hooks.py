"""How a bucket of gradients becomes its mean over the processes: as it is, or rounded to 16 bits.

A hook takes its state, here a process group or None, and a `GradBucket`, starts what it does and
returns something whose `wait()` gives the mean.
"""

from tallow import distributed
from tallow.dtypes import bfloat16, float16


def allreduce_hook(process_group, bucket):
    """The mean, in the gradients' own dtype."""
    return _mean(process_group, bucket.buffer())


def bf16_compress_hook(process_group, bucket):
    """The mean of gradients rounded to bfloat16, half the bytes on the way."""
    return _compressed(process_group, bucket, bfloat16)


def fp16_compress_hook(process_group, bucket):
    """The mean of gradients rounded to float16, half the bytes on the way."""
    return _compressed(process_group, bucket, float16)


def _mean(group, buffer):
    work = distributed.all_reduce(buffer, distributed.ReduceOp.AVG, group, async_op=True)
    return work.then(lambda done: done.value()[0])


def _compressed(group, bucket, dtype):
    """The sum of what every process sends, added up in float32 in the order of the ranks."""
    buffer = bucket.buffer()
    small = buffer.to(dtype)
    size = distributed.get_world_size(group)
    parts = small.new_empty((size, *small.shape))
    work = distributed.all_gather_into_tensor(parts, small, group, async_op=True)
    return work.then(lambda done: buffer.copy_(parts.to(buffer.dtype).mean(0)))
