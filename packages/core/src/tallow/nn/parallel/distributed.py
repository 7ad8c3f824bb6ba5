"""`DistributedDataParallel`: one model in many processes, each with its share of every batch.

Li et al., PyTorch Distributed: Experiences on Accelerating Data Parallel Training, VLDB 13 (2020).
Gradients are gathered into buckets in the order in which backward is expected to make them; a
bucket that is full is summed over the processes while backward goes on. Buckets are always sent in
the same order, so that every run adds up the same numbers in the same order.
"""

from contextlib import contextmanager

from tallow import distributed as dist
from tallow.autograd.modes import no_grad, state
from tallow.creation import zeros
from tallow.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from tallow.dtypes import uint8
from tallow.errors import ArgumentError, DistributedError
from tallow.joining import cat
from tallow.nn.module import Module
from tallow.tensor import Tensor

__all__ = ["DistributedDataParallel"]

FIRST_BUCKET = 1 << 20  # bytes: a small one, so that the first sum starts early


class GradBucket:
    """Some parameters and room for their gradients, one after the other, in `buffer()`."""

    def __init__(self, index, parameters):
        self._index = index
        self._parameters = parameters
        first = parameters[0]
        self._buffer = zeros(
            sum(p.numel() for p in parameters), dtype=first.dtype, device=first.device
        )
        self._parts = _split(self._buffer, parameters)
        self.is_final = False
        self.missing = len(parameters)
        self.pending = None

    def index(self):
        """The bucket's place in the order of sending."""
        return self._index

    def buffer(self):
        """The gradients, flat, `(N,)`."""
        return self._buffer

    def parameters(self):
        """The parameters whose gradients these are."""
        return self._parameters

    def gradients(self):
        """The gradients in the parameters' shapes: views of the buffer."""
        return self._parts

    def is_last(self):
        """True for the bucket that is sent last."""
        return self.is_final


def _split(flat, tensors):
    """Views of a flat tensor in the shapes of `tensors`."""
    parts = flat.split([x.numel() for x in tensors])
    return [part.view(x.shape) for part, x in zip(parts, tensors, strict=True)]


def _buckets(parameters, limit):
    """Buckets of up to `limit` bytes, last parameters first, each of one dtype and device."""
    groups, sizes = [], {}
    for p in reversed(parameters):
        kind = (p.dtype, p.device)
        size = p.numel() * p.element_size()
        place, used = sizes.get(kind, (None, 0))
        if place is None or used + size > (min(FIRST_BUCKET, limit) if place == 0 else limit):
            groups.append([])
            place, used = len(groups) - 1, 0
        groups[place].append(p)
        sizes[kind] = place, used + size
    made = [GradBucket(i, group) for i, group in enumerate(groups)]
    made[-1].is_final = True
    return made


def _tensors(result):
    """The tensors in nested lists, tuples, dicts and objects' attributes."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, dict):
        for value in result.values():
            yield from _tensors(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from _tensors(value)
    elif hasattr(result, "__dict__"):
        yield from _tensors(vars(result))


def _leaves(tensors):
    """The ids of the leaves from which tensors were computed."""
    stack = [x.node or x for x in tensors if x.requires_grad]
    seen = set(stack)
    while stack:
        edge = stack.pop()
        for further in () if isinstance(edge, Tensor) else edge.edges:
            if further not in seen:
                seen.add(further)
                stack.append(further)
    return {id(edge) for edge in seen if isinstance(edge, Tensor)}


class DistributedDataParallel(Module):
    """`module` in every process of a group: parameters start equal and gradients are averaged.

    Parameters and buffers are those of the group's first process at the start; with
    `broadcast_buffers` its buffers are taken before every forward in training. A parameter that a
    forward does not use is an error at the next one, unless `find_unused_parameters`. Buckets take
    `bucket_cap_mb` MiB. Parameters that all processes leave unused keep their `grad` as it was.

    >>> from tallow import nn
    >>> model = nn.parallel.DistributedDataParallel(nn.Linear(3, 2))  # doctest: +SKIP
    """

    def __init__(
        self, module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True,
        init_sync=True, process_group=None, bucket_cap_mb=25, find_unused_parameters=False,
        check_reduction=False, gradient_as_bucket_view=False, static_graph=False,
    ):  # fmt: skip
        super().__init__()
        parameters = [p for p in module.parameters() if p.requires_grad]
        if not parameters:
            raise ArgumentError(
                "DistributedDataParallel: expected parameters that require gradients, got none"
            )
        self.module = module
        self.process_group = process_group
        self.broadcast_buffers = broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.require_backward_grad_sync = True
        self._hook = (process_group, allreduce_hook)
        self._check_alike()
        if init_sync:
            self._broadcast([*module.parameters(), *module.buffers()])
        self._grad_buckets = _buckets(parameters, bucket_cap_mb * (1 << 20))
        self._place = {
            id(p): (bucket, i)
            for bucket in self._grad_buckets
            for i, p in enumerate(bucket.parameters())
        }
        self._names = {id(p): name for name, p in module.named_parameters()}
        self._used = set()
        self._next = None  # the bucket to send next, None while nothing is awaited
        self._begun = False  # has a backward pass sent gradients that others are missing?
        for p in parameters:
            p.register_post_accumulate_grad_hook(self._ready)

    def forward(self, *inputs, **kwargs):
        syncing = state.enabled and self.require_backward_grad_sync
        if syncing and self._next is not None and self._begun:
            self._complain()
        if self.broadcast_buffers and syncing and self.training:
            self._broadcast(list(self.module.buffers()))
        result = self.module(*inputs, **kwargs)
        if syncing:
            self._expect(result)
        return result

    @contextmanager
    def no_sync(self):
        """A context whose backward passes only add to this process's own gradients."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def register_comm_hook(self, state, hook):
        """Average gradients by `hook(state, bucket)`, whose result has `wait()` (default_hooks)."""
        self._hook = state, hook

    def _check_alike(self):
        """Raise unless the module has the same parameters in all processes."""
        own = [(name, tuple(p.shape), str(p.dtype)) for name, p in self.module.named_parameters()]
        everyone = [None] * dist.get_world_size(self.process_group)
        dist.all_gather_object(everyone, own, self.process_group)
        for rank, other in enumerate(everyone):
            if other != own:
                pairs = zip([*own, None], [*other, None], strict=False)
                here, there = next((a, b) for a, b in pairs if a != b)
                raise DistributedError(
                    "DistributedDataParallel: expected the same parameters in all processes, got "
                    f"{here} in rank {dist.get_rank(self.process_group)} and {there} in {rank}"
                )

    @no_grad()
    def _broadcast(self, tensors):
        """Give all processes the first one's tensors, those of a dtype in one message."""
        group = self.process_group
        first = dist.get_process_group_ranks(group)[0]
        kinds = {}
        for x in tensors:
            kinds.setdefault((x.dtype, x.device), []).append(x)
        for alike in kinds.values():
            flat = cat([x.detach().reshape(-1) for x in alike])
            dist.broadcast(flat, first, group)
            if dist.get_rank(group) != 0:
                for x, part in zip(alike, _split(flat, alike), strict=True):
                    x.copy_(part)

    def _expect(self, result):
        """Wait for the gradients of what a forward used from now on."""
        used = _leaves(_tensors(result)) if self.find_unused_parameters else self._place.keys()
        self._used = {key for key in self._place if key in used}
        for bucket in self._grad_buckets:
            bucket.missing = sum(id(p) in self._used for p in bucket.parameters())
            bucket.pending = None
        self._next = 0
        self._begun = False

    @no_grad()
    def _ready(self, parameter):
        """Take a parameter's gradient, which backward has just finished, into its bucket."""
        if self._next is None or not self.require_backward_grad_sync:
            return
        bucket, i = self._place[id(parameter)]
        if id(parameter) not in self._used or bucket.missing == 0:
            raise DistributedError(
                f"DistributedDataParallel: expected one gradient of '{self._names[id(parameter)]}' "
                "in a backward pass, got another; call forward once before each backward"
            )
        self._begun = True
        bucket.gradients()[i].copy_(parameter.grad)
        bucket.missing -= 1
        while self._next < len(self._grad_buckets):
            bucket = self._grad_buckets[self._next]
            if bucket.missing:
                return
            self._send(bucket)
        self._collect()

    def _send(self, bucket):
        for p, part in zip(bucket.parameters(), bucket.gradients(), strict=True):
            if id(p) not in self._used:
                part.zero_()
        state, hook = self._hook
        bucket.pending = hook(state, bucket)
        self._next += 1

    def _collect(self):
        """Wait for all buckets, and give the parameters their gradients."""
        self._next = None
        anyone = self._used_by_anyone()
        for bucket in self._grad_buckets:
            mean = bucket.pending.wait()
            for p, part in zip(bucket.parameters(), _split(mean, bucket.parameters()), strict=True):
                if id(p) in anyone:
                    p.grad = part.clone() if p.grad is None else p.grad.copy_(part)
            bucket.pending = None

    def _used_by_anyone(self):
        if not self.find_unused_parameters:
            return self._used
        keys = list(self._place)
        flags = zeros(len(keys), dtype=uint8)
        for i, key in enumerate(keys):
            flags[i] = key in self._used
        dist.all_reduce(flags, dist.ReduceOp.MAX, self.process_group)
        return {key for key, flag in zip(keys, flags.tolist(), strict=True) if flag}

    def _complain(self):
        late = [self._names[id(p)] for b in self._grad_buckets for p in b.parameters() if b.missing]
        raise DistributedError(
            "DistributedDataParallel: expected the gradients of the last forward before another, "
            f"got none of some of {', '.join(late[:5])}; pass find_unused_parameters=True if the "
            "output does not depend on them, or call backward"
        )
