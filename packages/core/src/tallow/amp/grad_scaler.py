"""`GradScaler`: losses scaled up, so that the gradients of short floats do not vanish."""

import warnings
from enum import Enum
from itertools import chain

from tallow import cuda
from tallow.autograd.modes import no_grad
from tallow.creation import full, zeros
from tallow.dtypes import float16, float32, int32
from tallow.errors import ArgumentError
from tallow.kernels import updates
from tallow.math import where
from tallow.optim.optimizer import Optimizer
from tallow.tensor import Tensor


class Stage(Enum):
    """What was done with an optimizer's gradients since the last `update`."""

    READY = "its gradients are scaled"
    UNSCALED = "unscale_() was called"
    STEPPED = "step() was called"


OptState = Stage  # PyTorch's name


class GradScaler:
    """Scales losses up and gradients back, by a factor that follows what the gradients bear.

    A step whose gradients have an infinity or a NaN is left out, and `update` then multiplies the
    scale by `backoff_factor`; after `growth_interval` steps without, by `growth_factor`
    (Micikevicius et al., "Mixed Precision Training", 2018).

    >>> weight = tallow.nn.Parameter(tallow.ones(1))
    >>> optimizer = tallow.optim.SGD([weight], lr=0.25)
    >>> scaler = tallow.amp.GradScaler("cpu", init_scale=1024.0)
    >>> scaler.scale(weight.sum()).backward()
    >>> weight.grad.item()
    1024.0
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> weight.item()
    0.75
    """

    def __init__(
        self, device="cuda", init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5,
        growth_interval=2000, enabled=True,
    ):  # fmt: skip
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not cuda.is_available():
            warnings.warn("GradScaler: CUDA is not available; it is disabled", stacklevel=2)
            self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError(
                    f"GradScaler: expected a growth_factor above 1, got {growth_factor}"
                )
            if backoff_factor >= 1.0:
                raise AssertionError(
                    f"GradScaler: expected a backoff_factor below 1, got {backoff_factor}"
                )
        self._init_scale = init_scale
        self._init_growth_tracker = 0
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._scale = None  # tensors on the device of the first loss
        self._growth_tracker = None
        self._stages = {}
        self._found_infs = {}

    def scale(self, outputs):
        """A loss, or a list or iterable of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._begin(outputs.device)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, list | tuple):
            return type(outputs)(map(self.scale, outputs))
        if not hasattr(outputs, "__iter__"):
            raise ArgumentError(
                f"scale: expected a tensor or several, got {type(outputs).__name__}"
            )
        return map(self.scale, outputs)

    def _begin(self, device):
        self._scale = full((), self._init_scale, dtype=float32, device=device)
        self._growth_tracker = full((), self._init_growth_tracker, dtype=int32, device=device)

    def _check_begun(self, name):
        if self._scale is None:
            raise AssertionError(
                f"{name}: expected scale() to be called before, but it was not; "
                "call backward() on scaler.scale(loss)"
            )

    @no_grad()
    def unscale_(self, optimizer):
        """Divide the gradients of an optimizer's parameters by the scale, once a step.

        `step` does it where it was not done; to do it before allows to clip the gradients.
        """
        if not self._enabled:
            return
        self._check_begun("unscale_")
        stage = self._stages.get(id(optimizer), Stage.READY)
        if stage is not Stage.READY:
            raise RuntimeError(
                f"unscale_: expected one call before step() and after update(), but {stage.value}"
            )
        params = chain.from_iterable(group["params"] for group in optimizer.param_groups)
        grads = [p.grad for p in params if p.grad is not None]
        grads = [getattr(grad, "held", grad) for grad in grads]  # of sparse ones the values
        if any(grad.dtype is float16 for grad in grads):
            raise ArgumentError(
                "unscale_: expected gradients of float32, got float16; keep the parameters in "
                "float32 and run the model under autocast"
            )
        self._found_infs[id(optimizer)] = self._unscale(grads)
        self._stages[id(optimizer)] = Stage.UNSCALED

    def _unscale(self, grads):
        """Divide by the scale. Is one not finite? A number on the device of the scale, or a bool.

        The device's own kernel does not wait to know.
        """
        kernel = updates.TABLE.get(("unscale", self._scale.device.type))
        if kernel is not None and all(grad.device == self._scale.device for grad in grads):
            found = zeros((), dtype=float32, device=self._scale.device)
            arrays = [grad.array for grad in grads]
            if not grads or kernel(arrays, self._scale.array, found.array) is None:
                return found
        inverse, found = 1.0 / self._scale.item(), False
        for grad in grads:
            grad.mul_(inverse)
            found = found or not bool(grad.isfinite().all())
        return found

    def step(self, optimizer, *args, **kwargs):
        """`optimizer.step(...)` on gradients divided by the scale, if all are finite.

        On CUDA it does not wait to know, if the optimizer counts no steps on the host: SGD counts
        none, Adam and AdamW count them on the device with `fused=True` or `capturable=True`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("step: expected no closure with an enabled GradScaler, got one")
        self._check_begun("step")
        if self._stages.get(id(optimizer)) is Stage.STEPPED:
            raise RuntimeError(
                "step: expected update() after the last step(), but it was not called"
            )
        if id(optimizer) not in self._stages:
            self.unscale_(optimizer)
        self._stages[id(optimizer)] = Stage.STEPPED
        found = self._found_infs[id(optimizer)]
        if isinstance(found, Tensor) and isinstance(optimizer, Optimizer) and optimizer._skips():
            with updates.unless(found.array):
                return optimizer.step(*args, **kwargs)
        return None if found else optimizer.step(*args, **kwargs)

    @no_grad()
    def update(self, new_scale=None):
        """Adapt the scale to what the steps since the last call met; or set it."""
        if not self._enabled:
            return
        self._check_begun("update")
        if new_scale is not None:
            self._scale.fill_(new_scale)
        elif not self._found_infs:
            raise AssertionError("update: expected a step() or an unscale_() before, got none")
        elif all(isinstance(found, Tensor) for found in self._found_infs.values()):
            self._follow(sum(self._found_infs.values()) > 0)
        elif any(self._found_infs.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker.fill_(0)
        elif self._growth_tracker.item() + 1 < self._growth_interval:
            self._growth_tracker += 1
        else:
            grown = self._scale * self._growth_factor
            if bool(grown.isfinite()):
                self._scale.copy_(grown)
            self._growth_tracker.fill_(0)
        self._stages, self._found_infs = {}, {}

    def _follow(self, found):
        """`update` for what was found on the device, which the host does not learn."""
        count = where(found, 0, self._growth_tracker + 1)
        grows = count >= self._growth_interval
        grown = self._scale * self._growth_factor
        kept = where(grows & grown.isfinite(), grown, self._scale)
        self._scale.copy_(where(found, self._scale * self._backoff_factor, kept))
        self._growth_tracker.copy_(where(grows, 0, count))

    # State

    def get_scale(self):
        """The scale as a number; 1 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._scale is None else self._growth_tracker.item()

    def is_enabled(self):
        """True if it scales."""
        return self._enabled

    def get_growth_factor(self):
        """What the scale is multiplied by after `growth_interval` finite steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        """Set the growth factor."""
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        """What the scale is multiplied by after a step with an infinity or a NaN."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        """Set the backoff factor."""
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        """How many finite steps it takes for the scale to grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        """Set the growth interval."""
        self._growth_interval = new_interval

    def state_dict(self):
        """The scale, the factors and how many finite steps were made; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict):
        """Take what `state_dict` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "load_state_dict: expected the state of an enabled GradScaler, got an empty one"
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._begin(self._scale.device)

    def __getstate__(self):
        if self._found_infs:
            raise AssertionError(
                "pickling a GradScaler: expected update() before, but steps are open"
            )
        return self.__dict__ | {
            "_init_scale": self.get_scale(),
            "_init_growth_tracker": self._get_growth_tracker(),
            "_scale": None,
            "_growth_tracker": None,
        }
