"""Schedules along a half wave of the cosine (Loshchilov & Hutter, "SGDR", 2017)."""

import math

from tallow.errors import ArgumentError
from tallow.optim.lr_scheduler.scheduler import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to `eta_min` in `T_max` epochs along a cosine, and back up in as many.

    It is computed from the rate before, so that changes made between steps last:
    `lr = eta_min + (lr - eta_min) * (1 + cos(pi t / T_max)) / (1 + cos(pi (t - 1) / T_max))`.

    >>> import tallow
    >>> optimizer = tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))], lr=1.0)
    >>> scheduler = tallow.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step(); scheduler.step(); [round(lr, 6) for lr in scheduler.get_last_lr()]
    [0.5]
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        t, low = self.last_epoch, self.eta_min
        if self._is_initial:
            return lr
        if self._step_count == 1 and t > 0:
            return low + (base_lr - low) * (1 + math.cos(t * math.pi / self.T_max)) / 2
        if (t - 1 - self.T_max) % (
            2 * self.T_max
        ) == 0:  # after the lowest point, where the ratio is 0 / 0
            return lr + (base_lr - low) * (1 - math.cos(math.pi / self.T_max)) / 2
        ratio = (1 + math.cos(math.pi * t / self.T_max)) / (
            1 + math.cos(math.pi * (t - 1) / self.T_max)
        )
        return ratio * (lr - low) + low

    def _closed_form(self, base_lr):
        low = self.eta_min
        return low + (base_lr - low) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """From the initial rate to `eta_min` along a cosine in `T_0` epochs, again and again.

    Each period is `T_mult` times as long as the one before. `step(epoch)` takes fractions of
    epochs.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: expected a positive int T_0, got {T_0!r}"
            )
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: expected an int T_mult from 1 up, got {T_mult!r}"
            )
        if not isinstance(eta_min, int | float):
            raise ArgumentError(
                "CosineAnnealingWarmRestarts: expected a number eta_min, "
                f"got {type(eta_min).__name__}"
            )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch)

    def _next_lr(self, lr, base_lr):
        wave = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return self.eta_min + (base_lr - self.eta_min) * 2 * wave / 2

    def step(self, epoch=None):
        """Set the learning rates of the next epoch, or of `epoch`, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts.step: expected an epoch from 0 up, got {epoch}"
            )
        else:
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._set_lrs(self.get_lr)

    def _jump(self, epoch):
        """Find the period that an epoch is in, and how far in."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
