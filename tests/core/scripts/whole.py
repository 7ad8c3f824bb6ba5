"""Whole modules, arguments and states of generators, saved and loaded as programs do."""

import argparse
import collections
import dataclasses
import enum
import os
import random

import numpy as np
import torch
from torch import nn


class Stage(enum.Enum):
    TRAIN = "train"
    TEST = "test"


@dataclasses.dataclass
class Config:
    width: int = 8
    stage: Stage = Stage.TRAIN
    betas: tuple = (0.9, 0.99)


Batch = collections.namedtuple("Batch", "inputs targets")


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.body = nn.Sequential(nn.Linear(4, config.width), nn.GELU(), nn.Dropout(0.1))
        self.rnn = nn.GRU(config.width, config.width, batch_first=True)
        self.head = nn.Linear(config.width, 1)
        self.activation = nn.functional.softplus
        self.steps = 0

    def forward(self, x):
        self.steps += 1
        return self.activation(self.head(self.rnn(self.body(x))[0][:, -1]))


parser = argparse.ArgumentParser()
parser.add_argument("--out", default="model.pt")
parser.add_argument("--lr", type=float, default=0.01)
args = parser.parse_args()

torch.manual_seed(1)
random.seed(1)
np.random.seed(1)
model = Model(Config())
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)


def train(model, optimizer, steps):
    for _ in range(steps):
        batch = Batch(torch.randn(5, 3, 4), torch.rand(5, 1))
        loss = nn.functional.mse_loss(model(batch.inputs), batch.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f} {random.random():.4f} {np.random.rand():.4f}")


train(model, optimizer, 3)
torch.save(
    {
        "model": model, "optimizer": optimizer, "args": args, "schedule": schedule.state_dict(),
        "rng": {
            "python": random.getstate(), "numpy": np.random.get_state(),
            "torch": torch.get_rng_state(),
        },
        "batch": Batch(torch.ones(2), None),
    },
    args.out,
)  # fmt: skip
train(model, optimizer, 2)

saved = torch.load(args.out, weights_only=False)
random.setstate(saved["rng"]["python"])
np.random.set_state(saved["rng"]["numpy"])
torch.set_rng_state(saved["rng"]["torch"])
print("again", saved["args"].lr, saved["model"].steps, saved["model"].config, saved["batch"])
train(saved["model"], saved["optimizer"], 2)
torch.save(model, args.out)
loaded = torch.load(args.out, weights_only=False).eval()
print(torch.equal(loaded(torch.ones(1, 2, 4)), model.eval()(torch.ones(1, 2, 4))))
os.remove(args.out)
