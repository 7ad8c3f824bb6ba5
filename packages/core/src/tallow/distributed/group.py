"""Process groups: who takes part, over which transport, and what to say when one is missing."""

import os
import pickle
import sys
import time
import traceback
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from tallow import cuda
from tallow.distributed.constants import default_pg_timeout
from tallow.distributed.work import Background, Work
from tallow.errors import ArgumentError, DistributedError

BACKENDS = ("auto", "gloo", "mpi", "nccl", "ucc")
ASK, ANSWER = 1, 2  # tags of the messages "where are you?" and "there"


class Backend(str):
    """A backend's name in small letters: `Backend("NCCL") == Backend.NCCL == "nccl"`."""

    UNDEFINED, GLOO, MPI, NCCL, UCC = "undefined", "gloo", "mpi", "nccl", "ucc"

    def __new__(cls, name):
        return super().__new__(cls, name.lower())


class ProcessGroup:
    """Some or all of the processes. `rank()` is this one's place among `ranks`, -1 outside."""

    def __init__(self, ranks, own, comm, timeout, backend):
        self.ranks = ranks
        self.timeout = timeout
        self.backend = backend
        self.position = "nothing yet"
        self.count = 0
        self._rank = ranks.index(own) if own in ranks else -1
        self._comm = comm
        self._transports = {}
        if own in ranks:  # opened by all at once: MPI waits for every process here
            self._transports["cpu"] = self._open("cpu")

    def rank(self):
        """This process's place in the group."""
        return self._rank

    def size(self):
        """How many processes the group has."""
        return len(self.ranks)

    def place_of(self, rank, op):
        """The place in the group of a process by its rank in the world."""
        if rank not in self.ranks:
            raise ArgumentError(f"{op}: expected a rank of the group {self.ranks}, got {rank}")
        return self.ranks.index(rank)

    def transport(self, device):
        """What moves tensors of a device: MPI on the host, NCCL between GPUs."""
        kind = "cuda" if device.type == "cuda" else "cpu"
        if kind not in self._transports:
            self._transports[kind] = self._open(kind)
        return self._transports[kind]

    def _open(self, kind):
        if kind == "cpu":
            from tallow.distributed.mpi import Transport

            return Transport(self._comm)
        from tallow.distributed.nccl import Transport

        return Transport(self.size(), self._rank, partial(self._comm.bcast, root=0))

    def start(self, op, device, request, result, signature="", finish=None, async_op=False):
        """Begin a collective by `request(transport)`: its Work if asynchronous, else waits."""
        transport = self.transport(device)
        self.count += 1
        self.position = f"{op} {signature}, the {self.count}. call"
        if STATE.debug and signature and hasattr(transport, "all_signatures"):
            self._compare(transport, f"{op} {signature}")
        work = Work(
            request(transport), result, self.timeout, finish, partial(_late, self, self.position)
        )
        if async_op:
            STATE.background.add(work)
            return work
        work.wait()
        return None

    def _compare(self, transport, own):
        """Raise unless all processes are about to do the same."""
        request, everyone = transport.all_signatures(own)
        Work(request, None, self.timeout, None, partial(_late, self, self.position)).wait()
        texts = [bytes(row).decode().strip() for row in everyone]
        if len(set(texts)) > 1:
            said = "; ".join(f"rank {r}: {text}" for r, text in zip(self.ranks, texts, strict=True))
            raise DistributedError(f"expected the same call in all processes, got {said}")

    def close(self):
        for transport in self._transports.values():
            transport.close()


class GroupMember:
    """`WORLD`: the group of all processes, once there is one."""

    NON_GROUP_MEMBER = -100
    WORLD: ProcessGroup | None = None


group = GroupMember


class _State:
    """What `init_process_group` set up."""

    def __init__(self):
        self.background = None
        self.asking = None  # the communicator of "where are you?"
        self.debug = False
        self.hook = None
        self.groups = []


STATE = _State()


def world():
    """The group of all processes; DistributedError before `init_process_group`."""
    if GroupMember.WORLD is None:
        raise DistributedError(
            "distributed: expected a process group, got none; call init_process_group first"
        )
    return GroupMember.WORLD


def resolve(group):
    """The group that is meant, or None where this process is not in it."""
    chosen = world() if group is None else group
    if chosen == GroupMember.NON_GROUP_MEMBER or chosen.rank() < 0:
        return None
    return chosen


def is_available():
    """True: the names are here; `is_mpi_available` says whether MPI is."""
    return True


def is_mpi_available():
    """True if mpi4py is installed."""
    return find_spec("mpi4py") is not None


def is_nccl_available():
    """True if CuPy is installed and finds a GPU, and NVIDIA's NCCL."""
    return cuda.is_available() and import_module("cupy.cuda.nccl").available


def is_gloo_available():
    """True if MPI is, which does the work of PyTorch's gloo."""
    return is_mpi_available()


def is_torchelastic_launched():
    """False: there is no elastic launcher."""
    return False


def is_initialized():
    """True between `init_process_group` and `destroy_process_group`."""
    return GroupMember.WORLD is not None


def init_process_group(
    backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None,
    group_name="", pg_options=None, device_id=None,
):  # fmt: skip
    """Join the processes of this job, which an MPI launcher has started.

    `backend` is "mpi" or "nccl", whose tensors on the host go through MPI all the same; None,
    "auto" and PyTorch's "gloo" take what fits a tensor's device. `timeout` is a timedelta, 30
    minutes unless given, after which a stuck collective is an error that says where others are.
    MPI knows the processes and their ranks: `world_size` and `rank` are checked against it, and
    `init_method` and `store` have nothing to do. An exception in one process ends all of them.

    >>> from tallow import distributed
    >>> distributed.init_process_group("mpi")  # doctest: +SKIP
    """
    if is_initialized():
        raise DistributedError("init_process_group: expected to be called once, got a second call")
    chosen = (backend or "auto").lower()
    if any(part.split(":")[-1] not in BACKENDS for part in chosen.split(",")):
        raise ArgumentError(f"init_process_group: expected {', '.join(BACKENDS)}, got {backend!r}")
    if not is_mpi_available():
        raise DistributedError(
            "init_process_group: expected MPI, got no mpi4py; "
            "install it with pip install 'tallow[mpi]'"
        )
    from tallow.distributed import mpi

    comm = mpi.world()
    for name, given, is_so in (("world_size", world_size, comm.size), ("rank", rank, comm.rank)):
        if given not in (-1, is_so):
            raise ArgumentError(
                f"init_process_group: expected {name} {is_so}, got {given}; "
                "start the processes by python -m tallow.distributed.run -n N script.py"
            )
    seconds = default_pg_timeout if timeout is None else timeout
    seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    STATE.asking = comm.Dup()
    STATE.debug = bool(
        os.environ.get("TALLOW_DISTRIBUTED_DEBUG")
        or os.environ.get("TORCH_DISTRIBUTED_DEBUG") == "DETAIL"
    )
    GroupMember.WORLD = ProcessGroup(list(range(comm.size)), comm.rank, comm, seconds, chosen)
    STATE.groups = [GroupMember.WORLD]
    STATE.background = Background(_answer if comm.size > 1 else lambda: None)
    if comm.size > 1 and STATE.hook is None:
        STATE.hook = sys.excepthook
        sys.excepthook = _end_all


def destroy_process_group(group=None):
    """Leave all groups, or one of them."""
    everything = group is None or group is GroupMember.WORLD
    for one in STATE.groups[::-1] if everything else [group]:
        if one.rank() >= 0:
            if everything and one is GroupMember.WORLD:
                STATE.background.stop()
            one.close()
        STATE.groups.remove(one)
    if everything:
        STATE.asking.Free()
        if STATE.hook is not None:
            sys.excepthook, STATE.hook = STATE.hook, None
        GroupMember.WORLD = None


def new_group(
    ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False,
    group_desc=None, device_id=None,
):  # fmt: skip
    """A group of some processes, by their ranks. Every process of the world must call this."""
    everyone = world()
    chosen = everyone.ranks if ranks is None else sorted(ranks)
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(everyone.ranks):
        raise ArgumentError(f"new_group: expected different ranks of the world, got {ranks}")
    own = everyone.rank()
    comm = everyone._comm.Split(0 if own in chosen else 1, own)
    seconds = everyone.timeout if timeout is None else timeout.total_seconds()
    made = ProcessGroup(chosen, own, comm, seconds, backend or everyone.backend)
    STATE.groups.append(made)
    return made if made.rank() >= 0 else GroupMember.NON_GROUP_MEMBER


def get_rank(group=None):
    """This process's place in a group, by default in the world; -1 outside."""
    chosen = resolve(group)
    return -1 if chosen is None else chosen.rank()


def get_world_size(group=None):
    """How many processes a group has, by default the world; -1 outside."""
    chosen = resolve(group)
    return -1 if chosen is None else chosen.size()


def get_backend(group=None):
    """The name of the backend that the group was made with."""
    return world().backend if group is None else group.backend


def get_process_group_ranks(group):
    """The ranks in the world of a group's processes."""
    return list((world() if group is None else group).ranks)


def get_global_rank(group, group_rank):
    """The rank in the world of a group's process."""
    return get_process_group_ranks(group)[group_rank]


def get_group_rank(group, global_rank):
    """The place in a group of a process by its rank in the world."""
    return group.place_of(global_rank, "get_group_rank")


# What to do when something goes wrong


def _position():
    return "; ".join(one.position for one in STATE.groups if one.rank() >= 0)


def _answer():
    """Tell those who ask where this process is."""
    while STATE.asking.iprobe(tag=ASK):
        asker = STATE.asking.recv(tag=ASK)
        STATE.asking.Isend(pickle.dumps(_position()), asker, ANSWER)


def _late(group, position, seconds):
    """The error of a collective that has not ended: it says where every process is."""
    comm = STATE.asking
    others = [rank for rank in group.ranks if rank != comm.rank]
    for rank in others:
        comm.isend(comm.rank, rank, ASK)
    found, end = {comm.rank: position}, time.monotonic() + 2
    while len(found) <= len(others) and time.monotonic() < end:
        for rank in others:
            if rank not in found and comm.iprobe(rank, ANSWER):
                found[rank] = comm.recv(source=rank, tag=ANSWER)
        time.sleep(0.01)
    where = "\n".join(f"  rank {r}: {found.get(r, 'gives no answer')}" for r in group.ranks)
    return DistributedError(
        f"expected the end of a collective within {seconds:g} s, got none; last begun:\n{where}"
    )


def _end_all(kind, error, trace):
    """Print an uncaught exception with the rank that it was raised in, and end all processes."""
    text = "".join(traceback.format_exception(kind, error, trace))
    rank = STATE.asking.rank
    sys.stderr.write("".join(f"[rank {rank}] {line}\n" for line in text.splitlines()))
    sys.stderr.flush()
    from tallow.distributed import mpi

    mpi.abort()
