"""Collectives on NumPy arrays by MPI, without copies. Each starts one and returns its request.

All arrays are contiguous. What only moves is moved as bytes, so that every dtype may.
"""

import numpy as np
from mpi4py import MPI

OPERATIONS = {
    "sum": MPI.SUM, "avg": MPI.SUM, "product": MPI.PROD, "min": MPI.MIN, "max": MPI.MAX,
    "band": MPI.BAND, "bor": MPI.BOR, "bxor": MPI.BXOR,
}  # fmt: skip
LOGICAL = {
    "sum": MPI.LOR, "product": MPI.LAND, "min": MPI.LAND, "max": MPI.LOR,
    "band": MPI.LAND, "bor": MPI.LOR, "bxor": MPI.LXOR,
}  # fmt: skip


def world():
    """A communicator of our own over all processes, apart from what the program does with MPI."""
    return MPI.COMM_WORLD.Dup()


def abort():
    """End all processes of the job at once."""
    MPI.COMM_WORLD.Abort(1)


def _operation(x, op):
    return (LOGICAL if x.dtype == np.bool_ else OPERATIONS)[op]


def _bytes(x):
    return x.reshape(-1).view(np.uint8)


def _slices(pieces):
    """Room for pieces of any lengths, one after the other: MPI's (buffer, lengths, starts)."""
    lengths = [x.nbytes for x in pieces]
    starts = np.cumsum([0, *lengths])
    return [np.empty(starts[-1], np.uint8), (lengths, starts[:-1].tolist())]


class Packed:
    """A request that has one buffer in place of a list of arrays, spread over them at its end."""

    def __init__(self, request, spec, pieces):
        self.request, self.spec, self.pieces = request, spec, pieces

    def Test(self):
        if not self.request.Test():
            return False
        buffer, (lengths, starts) = self.spec
        for x, start, length in zip(self.pieces, starts, lengths, strict=True):
            _bytes(x)[...] = buffer[start : start + length]
        return True


def _fill(pieces):
    spec = _slices(pieces)
    np.concatenate([_bytes(x) for x in pieces] or [spec[0]], out=spec[0])
    return spec


class Transport:
    """The collectives of one communicator."""

    narrow = {"float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"}  # reduced in float32

    def __init__(self, comm):
        self.comm = comm
        self.signatures = comm.Dup()

    def close(self):
        self.signatures.Free()
        self.comm.Free()

    def all_reduce(self, x, op):
        return self.comm.Iallreduce(MPI.IN_PLACE, x, _operation(x, op))

    def reduce(self, x, op, root):
        if self.comm.rank == root:
            return self.comm.Ireduce(MPI.IN_PLACE, x, _operation(x, op), root)
        return self.comm.Ireduce(x, None, _operation(x, op), root)

    def broadcast(self, x, root):
        return self.comm.Ibcast(_bytes(x), root)

    def all_gather(self, pieces, x):
        spec = _slices(pieces)
        return Packed(self.comm.Iallgatherv(_bytes(x), spec), spec, pieces)

    def all_gather_whole(self, out, x):
        return self.comm.Iallgather(_bytes(x), _bytes(out))

    def gather(self, pieces, x, root):
        if self.comm.rank != root:
            return self.comm.Igatherv(_bytes(x), None, root)
        spec = _slices(pieces)
        return Packed(self.comm.Igatherv(_bytes(x), spec, root), spec, pieces)

    def scatter(self, x, pieces, root):
        spec = _fill(pieces) if self.comm.rank == root else None
        return self.comm.Iscatterv(spec, _bytes(x), root)

    def reduce_scatter(self, out, x, op):
        return self.comm.Ireduce_scatter_block(x, out, _operation(x, op))

    def all_to_all(self, out, pieces):
        spec = _slices(out)
        return Packed(self.comm.Ialltoallv(_fill(pieces), spec), spec, out)

    def send(self, x, peer, tag):
        return self.comm.Isend(_bytes(x), peer, tag)

    def recv(self, x, peer, tag):
        return self.comm.Irecv(_bytes(x), MPI.ANY_SOURCE if peer is None else peer, tag)

    def barrier(self):
        return self.comm.Ibarrier()

    def all_signatures(self, signature):
        """The request that gathers everyone's text, and the array (processes, 256) it fills."""
        own = np.frombuffer(signature.encode()[:256].ljust(256), np.uint8).copy()
        everyone = np.empty((self.comm.size, 256), np.uint8)
        return self.signatures.Iallgather(own, everyone), everyone
