"""Collectives on CuPy arrays by NCCL, each enqueued on the current stream.

All arrays are contiguous. Requests are events of the stream: NCCL's order is that of the stream.
"""

import cupy
from cupy.cuda import nccl

from tallow.errors import DistributedError

if not nccl.available:
    raise DistributedError(
        "distributed: expected NVIDIA's NCCL for collectives of CUDA tensors, got none; pip "
        "install nvidia-nccl-cu13 (nvidia-nccl-cu12 for CUDA 12), or move the tensors to the CPU"
    )

OPERATIONS = {
    "sum": nccl.NCCL_SUM, "avg": nccl.NCCL_SUM, "product": nccl.NCCL_PROD,
    "min": nccl.NCCL_MIN, "max": nccl.NCCL_MAX,
}  # fmt: skip
TYPES = {
    "int8": nccl.NCCL_INT8, "uint8": nccl.NCCL_UINT8, "bool": nccl.NCCL_UINT8,
    "int32": nccl.NCCL_INT32, "uint32": nccl.NCCL_UINT32, "int64": nccl.NCCL_INT64,
    "uint64": nccl.NCCL_UINT64, "float16": nccl.NCCL_FLOAT16, "float32": nccl.NCCL_FLOAT32,
    "float64": nccl.NCCL_FLOAT64, "bfloat16": nccl.NCCL_BFLOAT16,
}  # fmt: skip


class Request:
    """Done as soon as it is enqueued: what uses the result comes later on the same stream."""

    def __init__(self, *kept):
        self.kept = kept

    def Test(self):
        return True


def _stream():
    return cupy.cuda.get_current_stream().ptr


def _reduction(x, op):
    return TYPES[x.dtype.name], OPERATIONS[op]


class Transport:
    """The collectives of one NCCL communicator.

    `exchange(value)` gives every process the value of the first: how NCCL's address spreads.
    """

    narrow = frozenset({"float8_e4m3fn", "float8_e5m2"})  # reduced in float32

    def __init__(self, size, rank, exchange):
        self.size, self.rank = size, rank
        address = exchange(nccl.get_unique_id() if rank == 0 else None)
        self.comm = nccl.NcclCommunicator(size, address, rank)

    def close(self):
        self.comm.destroy()

    def all_reduce(self, x, op):
        kind, op = _reduction(x, op)
        self.comm.allReduce(x.data.ptr, x.data.ptr, x.size, kind, op, _stream())
        return Request(x)

    def reduce(self, x, op, root):
        kind, op = _reduction(x, op)
        self.comm.reduce(x.data.ptr, x.data.ptr, x.size, kind, op, root, _stream())
        return Request(x)

    def broadcast(self, x, root):
        self.comm.bcast(x.data.ptr, x.nbytes, nccl.NCCL_UINT8, root, _stream())
        return Request(x)

    def all_gather(self, pieces, x):
        return self._exchange(dict.fromkeys(range(self.size), x), dict(enumerate(pieces)))

    def all_gather_whole(self, out, x):
        self.comm.allGather(x.data.ptr, out.data.ptr, x.nbytes, nccl.NCCL_UINT8, _stream())
        return Request(out, x)

    def gather(self, pieces, x, root):
        return self._exchange({root: x}, dict(enumerate(pieces or ())))

    def scatter(self, x, pieces, root):
        return self._exchange(dict(enumerate(pieces or ())), {root: x})

    def reduce_scatter(self, out, x, op):
        kind, op = _reduction(x, op)
        self.comm.reduceScatter(x.data.ptr, out.data.ptr, out.size, kind, op, _stream())
        return Request(out, x)

    def all_to_all(self, out, pieces):
        return self._exchange(dict(enumerate(pieces)), dict(enumerate(out)))

    def send(self, x, peer, tag):
        return self._exchange({peer: x}, {})

    def recv(self, x, peer, tag):
        return self._exchange({}, {peer: x})

    def barrier(self):
        return self.all_reduce(cupy.zeros(1, "f4"), "sum")

    def _exchange(self, sent, received):
        """Send and receive arrays, each to or from the process that is its key, all at once."""
        stream = _stream()
        nccl.groupStart()
        for peer, x in sent.items():
            self.comm.send(x.data.ptr, x.nbytes, nccl.NCCL_UINT8, peer, stream)
        for peer, x in received.items():
            self.comm.recv(x.data.ptr, x.nbytes, nccl.NCCL_UINT8, peer, stream)
        nccl.groupEnd()
        return Request(sent, received)
