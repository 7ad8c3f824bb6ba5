"""What the processes of the distributed tests run: `programs.py NAME [ARGUMENT]`."""

import hashlib
import json
import os
import signal
import sys
import time
from datetime import timedelta

import numpy as np

import tallow
from tallow import distributed as dist
from tallow import nn, optim
from tallow.distributed.algorithms.ddp_comm_hooks import default_hooks
from tallow.distributed.nn import functional as through
from tallow.distributed.optim import ZeroRedundancyOptimizer
from tallow.nn.parallel import DistributedDataParallel

LENGTH = 12  # samples of a global batch: 1, 2 and 3 processes share it evenly


def equal(got, expected):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-6)


def collectives():
    rank, size = dist.get_rank(), dist.get_world_size()
    total = sum(range(size))

    for dtype in (tallow.float32, tallow.float64, tallow.int64, tallow.bfloat16, tallow.float16):
        x = tallow.full((3,), rank, dtype=dtype)
        dist.all_reduce(x)
        assert x.dtype is dtype
        equal(x.float(), [total] * 3)
    x = tallow.tensor([rank == 0, True, False])
    dist.all_reduce(x, dist.ReduceOp.BAND)
    assert x.tolist() == [size == 1, True, False]
    x = tallow.zeros(4, 6)
    x[:, 1::2] = rank + 1
    version = x._version
    dist.all_reduce(x[:, 1::2], dist.ReduceOp.MAX)  # a view that is not contiguous
    equal(x[0], [0, size] * 3)
    assert x._version > version
    work = dist.all_reduce(y := tallow.ones(5), dist.ReduceOp.AVG, async_op=True)
    assert work.wait() and work.is_completed()
    equal(y, np.ones(5))

    x = tallow.full((2,), float(rank + 1))
    dist.reduce(x, size - 1, dist.ReduceOp.PRODUCT)
    equal(x, [float(np.prod(np.arange(1, size + 1))) if rank == size - 1 else rank + 1] * 2)
    x = tallow.full((2, 2), float(rank), dtype=tallow.bfloat16)
    dist.broadcast(x, size - 1)
    equal(x.float(), np.full((2, 2), size - 1))

    parts = [tallow.zeros(i + 1) for i in range(size)]  # one length a process
    dist.all_gather(parts, tallow.full((rank + 1,), float(rank)))
    for i, part in enumerate(parts):
        equal(part, [i] * (i + 1))
    whole = tallow.zeros(2 * size)
    dist.all_gather_into_tensor(whole, tallow.full((2,), float(rank)))
    equal(whole, np.repeat(np.arange(size), 2))
    parts = [tallow.zeros(1) for _ in range(size)] if rank == 0 else None
    dist.gather(tallow.tensor([10.0 + rank]), parts, 0)
    if rank == 0:
        equal(tallow.cat(parts), 10 + np.arange(size))
    got = tallow.zeros(2, dtype=tallow.int16)
    rows = [tallow.full((2,), 5 * i, dtype=tallow.int16) for i in range(size)]
    dist.scatter(got, rows if rank == size - 1 else None, size - 1)
    equal(got, [5 * rank] * 2)
    got = tallow.zeros(2)
    dist.reduce_scatter(got, [tallow.full((2,), float(i)) for i in range(size)])
    equal(got, [rank * size] * 2)
    got = tallow.zeros(size)
    dist.all_to_all_single(got, tallow.arange(float(size)) + 10 * rank)
    equal(got, 10 * np.arange(size) + rank)
    got = [tallow.zeros(rank + 1) for _ in range(size)]
    dist.all_to_all(got, [tallow.full((i + 1,), float(rank)) for i in range(size)])
    for i, part in enumerate(got):
        equal(part, [i] * (rank + 1))

    works = []
    if size > 1:
        got = tallow.zeros(1)
        works.append(dist.irecv(got, (rank - 1) % size, tag=3))
        works.append(dist.isend(tallow.tensor([float(rank)]), (rank + 1) % size, tag=3))
        for work in works:
            work.wait()
        equal(got, [(rank - 1) % size])

    everyone = [None] * size
    dist.all_gather_object(everyone, {"rank": rank, "long": "x" * 100 * rank})
    assert [e["rank"] for e in everyone] == list(range(size))
    values = [rank, "text"]
    dist.broadcast_object_list(values, size - 1)
    assert values == [size - 1, "text"]
    own = [None]
    dist.scatter_object_list(own, [("for", i) for i in range(size)] if rank == 0 else None)
    assert own == [("for", rank)]

    if size > 2:  # a group whose places are not its ranks
        pair = dist.new_group([1, 2])
        values = [rank]
        dist.broadcast_object_list(values, group=pair, group_src=1)
        assert values == [rank if rank == 0 else 2]
        found = [None, None]
        dist.gather_object(rank, found if rank == 1 else None, group=pair)
        assert found == ([1, 2] if rank == 1 else [None, None])

    few = dist.new_group([size - 1])
    assert (few is dist.GroupMember.NON_GROUP_MEMBER) == (rank != size - 1)
    x = tallow.ones(1)
    dist.all_reduce(x, group=few)
    equal(x, [1])
    assert dist.get_rank(few) == (0 if rank == size - 1 else -1)
    dist.barrier()

    x = tallow.tensor([rank + 1.0], requires_grad=True)
    (through.all_reduce(x) * (rank + 2)).sum().backward()
    equal(x.grad, [sum(range(2, size + 2))])
    x.grad = None
    sum(part * (i + 1) for i, part in enumerate(through.all_gather(x))).sum().backward()
    equal(x.grad, [size * (rank + 1)])
    mistakes()


def mistakes():
    rank, size = dist.get_rank(), dist.get_world_size()
    x = tallow.zeros(2)
    for call, part in (
        (lambda: dist.all_reduce([1.0]), "expected a tensor"),
        (lambda: dist.all_gather([x] * (size + 1), x), "one for each process"),
        (lambda: dist.broadcast(x, size), "expected a rank of the group"),
        (lambda: dist.all_gather_into_tensor(x, tallow.zeros(3)), "expected 3 times"),
        (lambda: dist.send(x, rank), "expected another process"),
        (lambda: dist.new_group([0, 0]), "expected different ranks"),
        (lambda: dist.init_process_group(), "expected to be called once"),
        (lambda: DistributedDataParallel(nn.ReLU()), "expected parameters"),
    ):
        try:
            call()
        except (RuntimeError, ValueError, TypeError) as error:
            assert part in str(error), error
        else:
            raise AssertionError(part)


def network():
    tallow.manual_seed(dist.get_rank())  # only the first process's weights count
    return nn.SyncBatchNorm.convert_sync_batchnorm(
        nn.Sequential(
            nn.Conv2d(2, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(128, 3),
        )
    )


def training(kind):
    """Three steps; prints the weights' sum and digest in the first process."""
    rank, size = dist.get_rank(), dist.get_world_size()
    model = DistributedDataParallel(network(), bucket_cap_mb=0.001)
    assert len(model._grad_buckets) > 1 or kind == "plain"
    if kind == "bf16" and size > 1:
        model.register_comm_hook(None, default_hooks.bf16_compress_hook)
    if kind == "zero":
        optimizer = ZeroRedundancyOptimizer(model.parameters(), optim.Adam, lr=0.01)
    elif kind == "bf16":
        optimizer = optim.SGD(model.parameters(), lr=0.01)  # Adam makes much of small differences
    else:
        optimizer = optim.Adam(model.parameters(), lr=0.01)
    tallow.manual_seed(0)
    images, labels = tallow.randn(3, LENGTH, 2, 6, 6), tallow.randint(3, (3, LENGTH))
    for batch, targets in zip(images, labels, strict=True):
        loss = nn.functional.cross_entropy(model(batch[rank::size]), targets[rank::size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if kind == "zero":
        optimizer.consolidate_state_dict()
        if rank == 0:
            state = optimizer.state_dict()
            again = optim.Adam(model.parameters(), lr=0.5)
            again.load_state_dict(state)
            assert again.param_groups[0]["lr"] == 0.01
            assert len(again.state) == len(list(model.parameters()))
        dist.barrier()
    weights = np.concatenate([p.detach().numpy().ravel() for p in model.state_dict().values()])
    if rank == 0:
        digest = hashlib.sha256(weights.tobytes()).hexdigest()
        print(json.dumps({"weights": weights.tolist(), "sha256": digest}))


class TwoPaths(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.never = nn.Linear(2, 1), nn.Linear(2, 1), nn.Linear(2, 1)

    def forward(self, x, left):
        return {"out": [self.left(x) if left else self.right(x)]}


def unused():
    rank, size = dist.get_rank(), dist.get_world_size()
    model = DistributedDataParallel(TwoPaths(), find_unused_parameters=True)
    x = tallow.ones(1, 2) * (rank + 1)
    for _ in range(2):
        model.zero_grad()
        model(x, rank == 0)["out"][0].sum().backward()
        assert model.module.never.weight.grad is None
        equal(model.module.left.weight.grad, [[1 / size] * 2])
        if size > 1:
            equal(model.module.right.bias.grad, [(size - 1) / size])

    model.zero_grad()
    with model.no_sync():
        model(x, True)["out"][0].sum().backward()
    equal(model.module.left.weight.grad, [[rank + 1] * 2])
    model(x, True)["out"][0].sum().backward()
    equal(model.module.left.weight.grad, [[size + 1] * 2])  # both passes, the mean over processes

    model.eval()  # dropout and norms differ then, not who shares gradients
    model(x, True)  # nobody asked for its gradients
    model.zero_grad()
    model(x, True)["out"][0].sum().backward()
    equal(model.module.left.weight.grad, [[(size + 1) / 2] * 2])

    strict = DistributedDataParallel(TwoPaths())
    strict(x, True)["out"][0].sum().backward()
    try:
        strict(x, True)
    except RuntimeError as error:
        assert "find_unused_parameters=True" in str(error) and "never.weight" in str(error)
    else:
        raise AssertionError("expected an error")

    uneven = nn.Linear(2, 1 + (rank == 0)) if size > 1 else nn.Linear(2, 1)
    try:
        DistributedDataParallel(uneven)
    except RuntimeError as error:
        assert "expected the same parameters" in str(error)
    else:
        assert size == 1


def fails():
    if dist.get_rank() == 1:
        raise ValueError("the second process is unhappy")
    dist.barrier()


def killed():
    if dist.get_rank() == 1:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    dist.barrier()


def exits():
    if dist.get_rank() == 1:
        os._exit(3)
    dist.barrier()


def machines():
    x = tallow.full((1_000_000,), dist.get_rank() + 1.0)
    dist.all_reduce(x)
    here = f"{os.environ['LOCAL_RANK']}/{os.environ['LOCAL_WORLD_SIZE']}"
    print(f"{dist.get_rank()}:{here}:{x.mean().item()}\n", end="", flush=True)


def differs():
    dist.all_reduce(tallow.zeros(2 + dist.get_rank()))


def stuck():
    if dist.get_rank() == 1:
        time.sleep(60)
    dist.all_reduce(tallow.zeros(2))


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    patience = timedelta(seconds=1 if name == "stuck" else 60)
    dist.init_process_group("mpi", timeout=patience)
    globals()[name](*arguments)
    dist.destroy_process_group()
    assert not dist.is_initialized()
