"""Train a classifier of handwritten digits in several processes, with the losses of one.

    python -m tallow.distributed.run -n 2 examples/distributed/train.py
    python -m tallow.distributed.run -n 1 examples/distributed/train.py      the same losses

Every process takes its share of each batch of --batch-size pictures; gradients are averaged while
they are computed. The accuracy on the held-out fifth is exact: its shares may differ in length.
Written to --out after each epoch, by the first process: a checkpoint, from which --resume goes on,
also with another number of processes; at the end curves.png.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

import tallow
from tallow import distributed, nn, optim
from tallow.nn.parallel import DistributedDataParallel
from tallow.utils.checkpointing import CheckpointManager
from tallow.utils.data import DataLoader, DistributedSampler, Subset, TensorDataset, random_split


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=48, help="of all processes together")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--out", type=Path, default=Path("runs/distributed"))
    return parser.parse_args()


def digits():
    """1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, 1998), a fifth held out."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = tallow.from_numpy(pixels).float().reshape(-1, 1, 8, 8) / 16 - 0.5
    return random_split(TensorDataset(images, tallow.from_numpy(labels)), [0.8, 0.2])


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
        nn.Linear(512, 10),
    )  # fmt: skip


def mean_over_processes(value):
    mean = tallow.tensor(value)
    distributed.all_reduce(mean, distributed.ReduceOp.AVG)
    return mean.item()


@tallow.no_grad()
def accuracy(model, dataset):
    """The accuracy of all processes' shares together, every picture counted once."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    images, labels = next(iter(DataLoader(Subset(dataset, range(rank, len(dataset), size)), 10000)))
    counts = tallow.tensor([(model(images).argmax(1) == labels).sum().item(), len(labels)])
    distributed.all_reduce(counts)
    return (counts[0] / counts[1]).item()


def train_epoch(model, loader, optimizer):
    """One pass over this process's share; returns the mean loss of all processes."""
    model.train()
    losses = []
    for images, labels in loader:
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return mean_over_processes(sum(losses) / len(losses))


def draw(losses, path):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 3.5), layout="constrained")
    axis.plot(range(1, len(losses) + 1), losses)
    axis.set(xlabel="epoch", ylabel="loss", title=f"{distributed.get_world_size()} processes")
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    distributed.init_process_group()
    rank, size = distributed.get_rank(), distributed.get_world_size()
    if options.batch_size % size:
        raise SystemExit(f"--batch-size {options.batch_size} is not a multiple of {size} processes")
    tallow.manual_seed(options.seed)
    train, test = digits()
    sampler = DistributedSampler(train, seed=options.seed, drop_last=True)
    loader = DataLoader(train, options.batch_size // size, sampler=sampler, drop_last=True)
    model = DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(network()))
    optimizer = optim.Adam(model.parameters(), lr=options.lr)

    checkpoints = CheckpointManager(options.out / "checkpoints")
    losses = []
    if options.resume and (latest := checkpoints.load()) is not None:
        model.load_state_dict(latest["model"])
        optimizer.load_state_dict(latest["optimizer"])
        losses = latest["losses"]

    progress = tqdm(range(len(losses), options.epochs), "training", unit="epoch", disable=rank > 0)
    for epoch in progress:
        sampler.set_epoch(epoch)
        losses.append(train_epoch(model, loader, optimizer))
        progress.set_postfix(loss=f"{losses[-1]:.4f}")
        if rank == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoints.save({**state, "losses": losses}, epoch)

    model.eval()
    share = accuracy(model, test)
    if rank == 0:
        draw(losses, options.out / "curves.png")
        print("losses " + " ".join(f"{loss:.5f}" for loss in losses))
        print(f"accuracy {share:.2%} on {len(test)} held-out pictures, {size} processes")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
