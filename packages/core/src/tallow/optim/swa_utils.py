"""Averages of a model's weights over the training."""

import math
from copy import deepcopy

from tallow.autograd.modes import no_grad
from tallow.creation import tensor
from tallow.dtypes import int64
from tallow.errors import ArgumentError
from tallow.nn.module import Module
from tallow.nn.modules import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tallow.optim.lr_scheduler.scheduler import LRScheduler, per_group

BATCH_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d)


def get_swa_avg_fn():
    """The function `(average, value, count)` of the mean of all values."""

    def average(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return no_grad()(average)


def get_ema_avg_fn(decay=0.999):
    """The function `(average, value, count)` of an average that keeps `decay` of itself."""
    _check_decay("get_ema_avg_fn", decay)

    def average(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return no_grad()(average)


def get_swa_multi_avg_fn():
    """`get_swa_avg_fn` for lists of tensors, in place."""
    return _for_lists(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay=0.999):
    """`get_ema_avg_fn` for lists of tensors, in place."""
    _check_decay("get_ema_multi_avg_fn", decay)
    return _for_lists(get_ema_avg_fn(decay))


def _check_decay(name, decay):
    if not 0.0 <= decay <= 1.0:
        raise ArgumentError(f"{name}: expected a decay from 0 to 1, got {decay}")


def _for_lists(average):
    @no_grad()
    def average_lists(averages, values, num_averaged):
        for averaged, value in zip(averages, values, strict=True):
            averaged.copy_(average(averaged, value, num_averaged))

    return average_lists


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are averages of the model's.

    `avg_fn(average, value, count)` gives the new average of a tensor; `multi_avg_fn(averages,
    values, count)` averages lists in place. Without either it is the mean of all values: stochastic
    weight averaging (Izmailov et al., 2018). With `use_buffers` buffers are averaged too, otherwise
    they are those of the model at the last update.

    >>> import tallow
    >>> from tallow.optim.swa_utils import AveragedModel
    >>> model = tallow.nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = tallow.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: expected avg_fn or multi_avg_fn, got both")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model):
        """Take the parameters that a model has now into the average."""
        averages, values = list(self.module.parameters()), list(model.parameters())
        buffers = list(self.module.buffers()), list(model.buffers())
        if self.use_buffers:
            averages, values = averages + buffers[0], values + buffers[1]
        averages = [average.detach() for average in averages]
        values = [v.detach().to(a.device) for a, v in zip(averages, values, strict=True)]
        if self.n_averaged == 0:
            for average, value in zip(averages, values, strict=True):
                average.copy_(value)
        else:
            self._average(averages, values)
        if not self.use_buffers:
            for average, value in zip(*buffers, strict=True):
                average.copy_(value.to(average.device))
        self.n_averaged += 1

    def _average(self, averages, values):
        if self.multi_avg_fn is None:
            average_lists = _for_lists(self.avg_fn or get_swa_avg_fn())
        else:
            average_lists = self.multi_avg_fn
        groups = {}  # lists of one device and dtype
        for average, value in zip(averages, values, strict=True):
            pair = groups.setdefault((average.device, average.dtype), ([], []))
            pair[0].append(average)
            pair[1].append(value)
        for (device, _), pair in groups.items():
            average_lists(*pair, self.n_averaged.to(device))


@no_grad()
def update_bn(loader, model, device=None):
    """Set the running statistics of a model's batch normalizations to those of a loader's batches.

    A batch that is a list or a tuple begins with the input; it is moved to `device` if given.
    """
    layers = [module for module in model.modules() if isinstance(module, BATCH_NORMS)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    for batch in loader:
        batch = batch[0] if isinstance(batch, list | tuple) else batch
        model(batch if device is None else batch.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rate at the start to `swa_lr` in `anneal_epochs`, by a "cos" or "linear" curve."""

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        lrs = per_group(self, optimizer, "swa_lr", swa_lr)
        for lr, group in zip(lrs, optimizer.param_groups, strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                f"SWALR: expected anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgumentError(
                f"SWALR: expected an int anneal_epochs from 0 up, got {anneal_epochs!r}"
            )
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _way(self, step):
        """How much of the way to `swa_lr` is done after a number of steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def _next_lrs(self):
        step = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, now = self._way(step - 1), self._way(step)
        lrs = []
        for group in self.optimizer.param_groups:
            goal = group["swa_lr"]
            start = goal if before == 1 else (group["lr"] - before * goal) / (1 - before)
            lrs.append(goal * now + start * (1 - now))
        return lrs
