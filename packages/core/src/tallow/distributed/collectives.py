"""Collectives on tensors. Each is called by all processes of a group, with tensors that fit.

Ranks are those of the world, also within a group. With `async_op=True` a `Work` comes back at once;
its `wait()` says that the result is there. A process outside the group does nothing.
"""

import numpy as np

from tallow import backend
from tallow.autograd.inplace import bump
from tallow.distributed.group import resolve
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError
from tallow.tensor import Tensor


class ReduceOp:
    """How values of several processes become one. AVG is the sum over the group's size."""

    SUM, AVG, PRODUCT, MIN, MAX = "sum", "avg", "product", "min", "max"
    BAND, BOR, BXOR = "band", "bor", "bxor"
    RedOpType = str  # of each of them


class Buffer:
    """A tensor's memory as a contiguous array, `array`; where that is a copy, `end` writes it back.

    For reductions numbers that the transport does not know are float32 in it.
    """

    def __init__(self, tensor, op, group, reduced=False):
        if not isinstance(tensor, Tensor):
            raise TypeMismatchError(f"{op}: expected a tensor, got {type(tensor).__name__}")
        self.tensor = tensor
        x = tensor.array
        narrow = reduced and x.dtype.name in group.transport(tensor.device).narrow
        xp = backend.for_array(x).xp
        self.array = xp.ascontiguousarray(x, dtype=np.float32 if narrow else None)

    def end(self, divisor=None):
        x = self.tensor.array
        if divisor is not None:
            kind = self.array.dtype.kind
            self.array[...] = self.array // divisor if kind in "iu" else self.array / divisor
        if self.array is not x:
            x[...] = self.array.reshape(x.shape)
        bump(self.tensor)


def _described(tensors, extra=""):
    kinds = " ".join(f"{x.dtype.name} {tuple(x.shape)}" for x in tensors)
    return f"{kinds} {extra}".strip()


def _divisor(op, group):
    return group.size() if op == ReduceOp.AVG else None


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Replace `tensor` by the sum (or other reduction) of those of all processes."""
    group = resolve(group)
    if group is None:
        return None
    buffer = Buffer(tensor, "all_reduce", group, reduced=True)
    return group.start(
        "all_reduce", tensor.device, lambda t: t.all_reduce(buffer.array, op), [tensor],
        _described([tensor], op), lambda: buffer.end(_divisor(op, group)), async_op,
    )  # fmt: skip


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """Replace `tensor` in the process `dst` by the reduction of those of all processes."""
    group = resolve(group)
    if group is None:
        return None
    root = place_in(group, dst, group_dst, "reduce")
    buffer = Buffer(tensor, "reduce", group, reduced=True)
    here = root == group.rank()
    return group.start(
        "reduce", tensor.device, lambda t: t.reduce(buffer.array, op, root), [tensor],
        _described([tensor], f"{op} to {root}"),
        (lambda: buffer.end(_divisor(op, group))) if here else None, async_op,
    )  # fmt: skip


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Replace `tensor` by that of the process `src`."""
    group = resolve(group)
    if group is None:
        return None
    root = place_in(group, src, group_src, "broadcast")
    buffer = Buffer(tensor, "broadcast", group)
    return group.start(
        "broadcast", tensor.device, lambda t: t.broadcast(buffer.array, root), [tensor],
        _described([tensor], f"from {root}"), buffer.end, async_op,
    )  # fmt: skip


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Fill `tensor_list`, one tensor a process, by the `tensor` of each. Shapes may differ."""
    group = resolve(group)
    if group is None:
        return None
    out = _pieces(tensor_list, "all_gather", group)
    own = Buffer(tensor, "all_gather", group)
    return group.start(
        "all_gather", tensor.device, lambda t: t.all_gather([b.array for b in out], own.array),
        tensor_list, _described(tensor_list), lambda: [b.end() for b in out], async_op,
    )  # fmt: skip


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Fill `output_tensor` `(P * N, ...)` by the `input_tensor` `(N, ...)` of every process."""
    group = resolve(group)
    if group is None:
        return None
    _check_whole("all_gather_into_tensor", output_tensor, input_tensor, group)
    out = Buffer(output_tensor, "all_gather_into_tensor", group)
    own = Buffer(input_tensor, "all_gather_into_tensor", group)
    return group.start(
        "all_gather_into_tensor", input_tensor.device,
        lambda t: t.all_gather_whole(out.array, own.array), [output_tensor],
        _described([input_tensor]), out.end, async_op,
    )  # fmt: skip


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """Fill `gather_list` in the process `dst` by the `tensor` of every process."""
    group = resolve(group)
    if group is None:
        return None
    root = place_in(group, dst, group_dst, "gather")
    here = root == group.rank()
    out = _pieces(_list_at_root("gather", gather_list, here), "gather", group, here)
    own = Buffer(tensor, "gather", group)
    return group.start(
        "gather", tensor.device, lambda t: t.gather([b.array for b in out], own.array, root),
        gather_list, _described([tensor], f"to {root}"), lambda: [b.end() for b in out], async_op,
    )  # fmt: skip


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Replace `tensor` by this process's tensor in the `scatter_list` of the process `src`."""
    group = resolve(group)
    if group is None:
        return None
    root = place_in(group, src, group_src, "scatter")
    here = root == group.rank()
    pieces = _pieces(_list_at_root("scatter", scatter_list, here), "scatter", group, here)
    own = Buffer(tensor, "scatter", group)
    return group.start(
        "scatter", tensor.device, lambda t: t.scatter(own.array, [b.array for b in pieces], root),
        [tensor], _described([tensor], f"from {root}"), own.end, async_op,
    )  # fmt: skip


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """Fill `output` `(N, ...)` by this process's part of the sum of all `input` `(P * N, ...)`."""
    group = resolve(group)
    if group is None:
        return None
    _check_whole("reduce_scatter_tensor", input, output, group)
    whole = Buffer(input, "reduce_scatter_tensor", group, reduced=True)
    out = Buffer(output, "reduce_scatter_tensor", group, reduced=True)
    return group.start(
        "reduce_scatter_tensor", output.device,
        lambda t: t.reduce_scatter(out.array, whole.array, op), [output],
        _described([input], op), lambda: out.end(_divisor(op, group)), async_op,
    )  # fmt: skip


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Fill `output` by the sum of this process's tensor in the `input_list` of every process."""
    from tallow.joining import stack

    group = resolve(group)
    if group is None:
        return None
    _pieces(input_list, "reduce_scatter", group)
    return reduce_scatter_tensor(
        output, stack([x.detach() for x in input_list]).flatten(), op, group, async_op
    )


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Send `input_tensor_list[i]` to process i, and fill `output_tensor_list` by what comes."""
    group = resolve(group)
    if group is None:
        return None
    out = _pieces(output_tensor_list, "all_to_all", group)
    pieces = _pieces(input_tensor_list, "all_to_all", group)
    return group.start(
        "all_to_all", input_tensor_list[0].device,
        lambda t: t.all_to_all([b.array for b in out], [b.array for b in pieces]),
        output_tensor_list, "", lambda: [b.end() for b in out], async_op,
    )  # fmt: skip


def all_to_all_single(
    output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False
):
    """Cut `input` along dim 0, one part a process, and fill `output` by the parts that come."""
    chosen = resolve(group)
    if chosen is None:
        return None

    def parts(x, sizes, name):
        sizes = [len(x) // chosen.size()] * chosen.size() if sizes is None else list(sizes)
        if len(sizes) != chosen.size() or sum(sizes) != len(x):
            raise ShapeError(
                f"all_to_all_single: expected {chosen.size()} parts of {name} with {len(x)} rows "
                f"in all, got {sizes}"
            )
        return list(x.detach().split(sizes))

    out = parts(output, output_split_sizes, "output")
    return all_to_all(out, parts(input, input_split_sizes, "input"), chosen, async_op)


def isend(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Begin to send `tensor` to the process `dst`; returns the `Work`."""
    return _point_to_point("send", tensor, dst, group, tag, group_dst, True)


def irecv(tensor, src=None, group=None, tag=0, group_src=None):
    """Begin to fill `tensor` by what the process `src` sends, None: any; returns the `Work`."""
    return _point_to_point("recv", tensor, src, group, tag, group_src, True)


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send `tensor` to the process `dst`."""
    _point_to_point("send", tensor, dst, group, tag, group_dst, False)


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Fill `tensor` by what the process `src` sends, None: any; returns who sent it."""
    if src is None and group_src is None:
        raise ArgumentError("recv: expected the rank of a sender, got None; use irecv for any")
    _point_to_point("recv", tensor, src, group, tag, group_src, False)
    return src


def _point_to_point(op, tensor, peer, group, tag, place, async_op):
    group = resolve(group)
    if group is None:
        return None
    anyone = op == "recv" and peer is None and place is None
    other = None if anyone else place_in(group, peer, place, op)
    if other == group.rank():
        raise ArgumentError(f"{op}: expected another process, got this one, {peer}")
    buffer = Buffer(tensor, op, group)
    return group.start(
        op, tensor.device, lambda t: getattr(t, op)(buffer.array, other, tag), [tensor], "",
        buffer.end if op == "recv" else None, async_op,
    )  # fmt: skip


def barrier(group=None, async_op=False, device_ids=None):
    """Wait until all processes of the group have come here."""
    from tallow.device import CPU

    group = resolve(group)
    if group is None:
        return None
    return group.start(
        "barrier", CPU, lambda t: t.barrier(), None, "of the group", async_op=async_op
    )


def place_in(group, rank, place, op):
    """The place in a group that is meant by a rank of the world, or by a place; else the first."""
    if (rank is None) == (place is None):
        if rank is not None:
            raise ArgumentError(f"{op}: expected a rank or a group's rank, got {rank} and {place}")
        rank = group.ranks[0]
    return place if rank is None else group.place_of(rank, op)


def _list_at_root(op, tensors, here):
    if here and tensors is None:
        raise ArgumentError(f"{op}: expected a list of tensors in this process, got None")
    if not here and tensors:
        raise ArgumentError(f"{op}: expected no list of tensors in this process, got one")
    return tensors or []


def _pieces(tensors, op, group, whole=True):
    if whole and len(tensors) != group.size():
        raise ArgumentError(
            f"{op}: expected {group.size()} tensors, one for each process, got {len(tensors)}"
        )
    return [Buffer(x, op, group) for x in tensors]


def _check_whole(op, whole, part, group):
    if whole.numel() != part.numel() * group.size() or whole.dtype != part.dtype:
        raise ShapeError(
            f"{op}: expected {part.numel()} times {group.size()} elements of {part.dtype} in the "
            f"larger tensor, got {whole.numel()} of {whole.dtype}"
        )
