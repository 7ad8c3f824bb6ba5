"""Mixed precision on the CPU, torch.compile, hooks, EMA, checkpointing, a plateau scheduler."""

import argparse
import copy
import logging
import sys

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler, random_split

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:  # the package tensorboard is not there
    SummaryWriter = None

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger(__name__)


def set_seed(seed: int) -> None:
    np.random.seed(seed)
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + checkpoint(self.net, x, use_reentrant=False)


@torch.compile(disable=True)
def smooth(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.1 * x)


class Model(nn.Module):
    def __init__(self, width: int = 16):
        super().__init__()
        self.inputs = nn.Linear(6, width)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(2))
        self.head = nn.Linear(width, 1)
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        x = smooth(self.inputs(x))
        for block in self.blocks:
            x = block(x)
        return self.head(x).squeeze(-1)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    errors = [(model(x) - y).abs() for x, y in loader]
    model.train()
    return torch.cat(errors).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out")
    args = parser.parse_args()
    set_seed(3)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(96, 6)).astype(np.float32))
    y = x[:, 0] * x[:, 1] - x[:, 2].relu()
    data = TensorDataset(x, y)
    train, valid = random_split(data, [64, 32], generator=torch.Generator().manual_seed(42))
    sampler = WeightedRandomSampler(torch.ones(64), 64)
    loader = DataLoader(train, batch_size=16, sampler=sampler, drop_last=True)
    model = Model()
    average = AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    norms = []
    handle = model.head.register_forward_hook(lambda module, inputs, out: norms.append(out.norm()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-2, foreach=False)
    scheduler = ReduceLROnPlateau(optimizer, "min", factor=0.5, patience=0)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    best, best_state = float("inf"), None
    for epoch in range(4):
        for inputs, target in loader:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=epoch == 3):
                out = model(inputs)
                loss = nn.functional.smooth_l1_loss(out.float(), target)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_value_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            average.update_parameters(model)
        error = evaluate(model, DataLoader(valid, batch_size=32))
        scheduler.step(error)
        if error < best:
            best, best_state = error, copy.deepcopy(model.state_dict())
        digits = 3 if epoch < 3 else 1  # bfloat16 rounds the last one's
        log.info(f"epoch {epoch}: error {error:.{digits}f} lr {optimizer.param_groups[0]['lr']:.4f}")
    if SummaryWriter is not None:
        with SummaryWriter(args.out + ".runs") as writer:
            writer.add_scalar("error", best, 3)
    handle.remove()
    log.info("%d %d %s", len(norms), model.seen, average.n_averaged.item())
    torch.save({"model": best_state, "scaler": scaler.state_dict(), "rng": torch.get_rng_state()}, args.out)
    state = torch.load(args.out, map_location=torch.device("cpu"), weights_only=True)
    log.info("%s", model.load_state_dict(state["model"], strict=True))
    log.info("%s", sorted(state["scaler"]))


if __name__ == "__main__":
    main()
