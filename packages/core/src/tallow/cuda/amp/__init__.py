"""Mixed precision on CUDA, under the names that programs had for it before `tallow.amp`."""

from functools import partial

from tallow import amp
from tallow.amp import custom_bwd, custom_fwd
from tallow.dtypes import float16

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]

custom_fwd, custom_bwd = (partial(f, device_type="cuda") for f in (custom_fwd, custom_bwd))


class autocast(amp.autocast):
    """`tallow.autocast("cuda")`."""

    def __init__(self, enabled=True, dtype=float16, cache_enabled=True):
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`tallow.amp.GradScaler("cuda")`."""

    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
        enabled=True,
    ):  # fmt: skip
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )
