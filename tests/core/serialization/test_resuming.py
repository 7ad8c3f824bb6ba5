"""A training run that is killed at any step and resumed ends with the same bits."""

import hashlib

import pytest

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallow.optim import lr_scheduler
from tallow.utils import data


class Digits(data.Dataset):
    """Pictures with an augmentation that is random."""

    def __init__(self):
        generator = tallow.Generator().manual_seed(0)
        self.images = tallow.randn(48, 1, 8, 8, generator=generator)
        self.labels = tallow.randint(3, (48,), generator=generator)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        if tallow.rand(1).item() < 0.5:
            image = image.flip(-1)
        return image + 0.1 * tallow.randn(image.shape), self.labels[index]


def perceptron():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)
    )


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(),
        nn.Linear(144, 3),
    )  # fmt: skip


OPTIMIZERS = {
    "sgd": lambda p: tallow.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: tallow.optim.AdamW(p, lr=0.01),
}


class Run:
    """A training run whose whole state can be saved after any step."""

    def __init__(self, model, optimizer, workers, path):
        tallow.manual_seed(3)
        self.path = path
        self.model = model()
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.scheduler = lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=10)
        self.scaler = tallow.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
        self.loader = data.DataLoader(Digits(), batch_size=8, shuffle=True, num_workers=workers)
        self.step = 0

    def parts(self):
        return dict(
            model=self.model, optimizer=self.optimizer, scheduler=self.scheduler,
            scaler=self.scaler, loader=self.loader,
        )  # fmt: skip

    def save(self):
        state = {name: part.state_dict() for name, part in self.parts().items()}
        tallow.save(state | {"step": self.step, "rng": tallow.get_rng_state()}, self.path)

    def resume(self):
        state = tallow.load(self.path)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.step = state["step"]
        tallow.set_rng_state(state["rng"])

    def train(self, until):
        """Train to a step; each epoch has six."""
        while self.step < until:
            for images, labels in self.loader:
                self.optimizer.zero_grad()
                loss = F.cross_entropy(self.model(images), labels)
                self.scaler.scale(loss).backward()
                self.scaler.step(self.optimizer)
                self.scaler.update()
                self.scheduler.step()
                self.step += 1
                if self.step == until:
                    break
        return self

    def digest(self):
        result = hashlib.sha256()
        for tensor in self.model.state_dict().values():
            result.update(tensor.array.tobytes())
        return result.hexdigest()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", [perceptron, convolutional])
def test_the_same_weights(model, optimizer, workers, tmp_path):
    expected = Run(model, optimizer, workers, None).train(15).digest()
    for stop in (1, 5, 6, 7, 14) if workers else range(1, 15):
        first = Run(model, optimizer, workers, tmp_path / "run.pt").train(stop)
        first.save()
        del first
        tallow.manual_seed(1234)
        second = Run(model, optimizer, workers, tmp_path / "run.pt")
        tallow.manual_seed(99)
        second.resume()
        assert second.train(15).digest() == expected, f"stopped after {stop} steps"
