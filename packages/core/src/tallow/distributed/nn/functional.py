"""Collectives through which gradients flow: each sends back what the others' results give."""

from tallow import distributed
from tallow.autograd.function import Function
from tallow.distributed.collectives import ReduceOp
from tallow.joining import stack


class _AllReduce(Function):
    @staticmethod
    def forward(ctx, tensor, op, group):
        ctx.op, ctx.group = op, group
        total = tensor.clone()
        distributed.all_reduce(total, op, group)
        return total

    @staticmethod
    def backward(ctx, g):
        return _AllReduce.apply(g, ctx.op, ctx.group), None, None


class _AllGather(Function):
    @staticmethod
    def forward(ctx, tensor, group):
        ctx.group = group
        parts = [tensor.new_empty(tensor.shape) for _ in range(distributed.get_world_size(group))]
        distributed.all_gather(parts, tensor, group)
        return tuple(parts)

    @staticmethod
    def backward(ctx, *gradients):
        total = _AllReduce.apply(stack(gradients), ReduceOp.SUM, ctx.group)
        return total[distributed.get_rank(ctx.group)], None


def all_reduce(tensor, op=ReduceOp.SUM, group=None):
    """The sum, or with AVG the mean, of the tensors of all processes; differentiable."""
    return _AllReduce.apply(tensor, op, group)


def all_gather(tensor, group=None):
    """The tensors of all processes, of one shape, as a tuple; differentiable."""
    return _AllGather.apply(tensor, group)
