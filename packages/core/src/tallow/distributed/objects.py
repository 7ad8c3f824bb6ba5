"""Collectives on Python objects, which travel pickled: among processes of one's own program."""

import pickle

import numpy as np

from tallow.creation import empty, from_numpy, tensor
from tallow.distributed.collectives import (
    all_gather,
    all_gather_into_tensor,
    broadcast,
    place_in,
    scatter,
)
from tallow.distributed.group import resolve
from tallow.dtypes import int64, uint8
from tallow.errors import ArgumentError


def _pack(value):
    return from_numpy(np.frombuffer(pickle.dumps(value), np.uint8).copy())


def _unpack(data):
    return pickle.loads(data.numpy().tobytes())


def all_gather_object(object_list, obj, group=None):
    """Fill `object_list` by the `obj` of every process."""
    group = resolve(group)
    if group is None:
        return
    if len(object_list) != group.size():
        raise ArgumentError(
            f"all_gather_object: expected a list of {group.size()}, got one of {len(object_list)}"
        )
    own = _pack(obj)
    sizes = empty(group.size(), dtype=int64)
    all_gather_into_tensor(sizes, tensor([len(own)]), group)
    packed = [empty(size, dtype=uint8) for size in sizes.tolist()]
    all_gather(packed, own, group)
    object_list[:] = map(_unpack, packed)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """Fill `object_gather_list` in the process `dst` by the `obj` of every process."""
    group = resolve(group)
    if group is None:
        return
    root = place_in(group, dst, group_dst, "gather_object")
    everyone = [None] * group.size()
    all_gather_object(everyone, obj, group)
    if group.rank() == root:
        if object_gather_list is None:
            raise ArgumentError("gather_object: expected a list in this process, got None")
        object_gather_list[:] = everyone


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """Replace the objects of a list by those of the process `src`."""
    group = resolve(group)
    if group is None:
        return
    root = place_in(group, src, group_src, "broadcast_object_list")
    here = group.rank() == root
    packed = _pack(list(object_list)) if here else None
    size = tensor([len(packed) if here else 0])
    broadcast(size, group=group, group_src=root)
    if not here:
        packed = empty(size.item(), dtype=uint8)
    broadcast(packed, group=group, group_src=root)
    object_list[:] = _unpack(packed)


def scatter_object_list(
    scatter_object_output_list, scatter_object_input_list=None, src=None, group=None,
    group_src=None,
):  # fmt: skip
    """Put this process's object of the list in the process `src` first in the output list."""
    group = resolve(group)
    if group is None:
        return
    root = place_in(group, src, group_src, "scatter_object_list")
    here = group.rank() == root
    if here and len(scatter_object_input_list or ()) != group.size():
        raise ArgumentError(
            f"scatter_object_list: expected {group.size()} objects, got {scatter_object_input_list}"
        )
    packed = [_pack(value) for value in scatter_object_input_list] if here else None
    size = tensor([0])
    sizes = [tensor([len(x)]) for x in packed] if here else None
    scatter(size, sizes, group=group, group_src=root)
    own = empty(size.item(), dtype=uint8)
    scatter(own, packed, group=group, group_src=root)
    scatter_object_output_list[0] = _unpack(own)
