"""`ZeroRedundancyOptimizer`: every process keeps the state of its share of the parameters.

Rajbhandari et al., ZeRO: Memory Optimizations Toward Training Trillion Parameter Models, SC 2020;
this is their first stage.
"""

from tallow import distributed as dist
from tallow.autograd.modes import enable_grad, no_grad
from tallow.errors import DistributedError
from tallow.joining import cat
from tallow.optim.optimizer import Optimizer


class ZeroRedundancyOptimizer(Optimizer):
    """An optimizer of class `optimizer_class` whose state is spread over the processes of a group.

    Each parameter belongs to the process that has the fewest elements so far, the largest ones
    being given out first. After a step every process sends its parameters to the others. The state
    of all is in one `state_dict` after `consolidate_state_dict(to)`, in that process.

    >>> from tallow.optim import Adam
    >>> make = lambda model: ZeroRedundancyOptimizer(model.parameters(), Adam, lr=1e-3)
    """

    def __init__(
        self, params, optimizer_class, process_group=None, parameters_as_bucket_view=False,
        overlap_with_ddp=False, **defaults,
    ):  # fmt: skip
        self.process_group = process_group
        self._class = optimizer_class
        self._own = None
        self._whole = None
        super().__init__(params, defaults)
        self._share_out()

    def add_param_group(self, param_group):
        """Add parameters with settings of their own; the shares are made anew for them alone."""
        super().add_param_group(param_group)
        if self._own is not None:
            self._give_out(self.param_groups[-1])

    def _share_out(self):
        self._sizes = [0] * dist.get_world_size(self.process_group)
        self._owner = {}
        for group in self.param_groups:
            self._give_out(group)

    def _give_out(self, group):
        """Find owners for a group's parameters, and have the own optimizer take its share."""
        for p in sorted(group["params"], key=lambda p: -p.numel()):
            owner = self._sizes.index(min(self._sizes))
            self._sizes[owner] += p.numel()
            self._owner[p] = owner
        settings = {key: value for key, value in group.items() if key != "params"}
        rank = dist.get_rank(self.process_group)
        share = {"params": [p for p in group["params"] if self._owner[p] == rank], **settings}
        if self._own is None:
            self._own = self._class([share], **self.defaults)
        else:
            self._own.add_param_group(share)

    @no_grad()
    def step(self, closure=None):
        """Change the own share of the parameters, and take the others' from their owners."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for whole, share in zip(self.param_groups, self._own.param_groups, strict=True):
            share.update({key: value for key, value in whole.items() if key != "params"})
        self._own.step()
        for sender in range(len(self._sizes)):
            kinds = {}
            for p, owner in self._owner.items():
                if owner == sender:
                    kinds.setdefault((p.dtype, p.device), []).append(p)
            for alike in kinds.values():
                self._send(sender, alike)
        return loss

    def _send(self, sender, parameters):
        flat = cat([p.reshape(-1) for p in parameters])
        dist.broadcast(flat, group=self.process_group, group_src=sender)
        if dist.get_rank(self.process_group) != sender:
            parts = flat.split([p.numel() for p in parameters])
            for p, part in zip(parameters, parts, strict=True):
                p.copy_(part.view(p.shape))

    def consolidate_state_dict(self, to=0):
        """Gather the state of all shares in the process `to`, for `state_dict`."""
        own = self._own.state_dict()["state"]
        mine = iter(p for g in self._own.param_groups for p in g["params"])
        places = {p: i for i, p in enumerate(p for g in self.param_groups for p in g["params"])}
        moved = {places[p]: own[i] for i, p in enumerate(mine) if i in own}
        everyone = [None] * len(self._sizes)
        dist.gather_object(moved, everyone, to, self.process_group)
        if dist.get_rank(self.process_group) == to:
            self._whole = {key: value for part in everyone for key, value in sorted(part.items())}

    def state_dict(self):
        """The state of all shares, in the process that they were gathered in."""
        if self._whole is None:
            raise DistributedError(
                "ZeroRedundancyOptimizer.state_dict: expected the state of all processes here, "
                "got this one's; call consolidate_state_dict(to=this rank) in all of them first"
            )
        return {**super().state_dict(), "state": dict(sorted(self._whole.items()))}

    def load_state_dict(self, state_dict):
        """Take over a whole state in every process, which keeps its share of it."""
        super().load_state_dict({**state_dict, "state": {}})
        every = [p for g in self.param_groups for p in g["params"]]
        mine = [p for g in self._own.param_groups for p in g["params"]]
        places = {p: i for i, p in enumerate(every)}
        found = {
            i: state_dict["state"][places[p]]
            for i, p in enumerate(mine)
            if places[p] in state_dict["state"]
        }
        self._own.load_state_dict({**self._own.state_dict(), "state": found})
