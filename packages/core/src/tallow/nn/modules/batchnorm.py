"""Batch normalization."""

from tallow.creation import ones, tensor, zeros
from tallow.dtypes import int64
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.functional.normalization import count_batch
from tallow.nn.functional.synchronized import processes, synchronized_batch_norm
from tallow.nn.members import MODULE
from tallow.nn.modules.normalization import _Norm

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]


class _NormBase(_Norm):
    """A normalization of each channel that may keep running averages of its statistics.

    `running = (1 - momentum) * running + momentum * batch`; `momentum=None`: the mean over all
    batches.
    """

    _version = 2
    input_shapes: dict[int, str]
    may_lack_batch = False

    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True,
        device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._register_affine(num_features, affine, affine and bias, device, dtype)
        mean = variance = batches = None
        if track_running_stats:
            mean = zeros(num_features, device=device, dtype=dtype)
            variance = ones(num_features, device=device, dtype=dtype)
            batches = tensor(0, dtype=int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", batches)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget the running averages."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Set the weight to ones and the bias to zeros, and forget the running averages."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_dimensions(self, input):
        """Raise unless the input has one of the layer's shapes."""
        if input.ndim not in self.input_shapes:
            expected = " or ".join(self.input_shapes.values())
            hint = ""
            if input.ndim + 1 in self.input_shapes:
                hint = "; add the batch dim with .unsqueeze(0)"
            raise ArgumentError(
                f"{type(self).__name__}: expected {expected}, got {tuple(input.shape)}{hint}"
            )

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        # Checkpoints of before PyTorch 0.4.1 do not count the batches; a plain dict may be one.
        key = prefix + "num_batches_tracked"
        old = local_metadata.get("version", 1) < 2
        if old and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Normalization of each channel over the batch and all positions.

    In training, by the batch's mean and biased variance, of which running averages are kept. In
    evaluation, by the running averages.
    """

    def forward(self, input):
        return self._by(self._normalized, input)

    def _by(self, normalized, input):
        """What a function makes of the input, the statistics and the parameters."""
        self._check_dimensions(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            count_batch(self.num_batches_tracked)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        tracked = not self.training or self.track_running_stats
        return normalized(
            input, self.running_mean if tracked else None, self.running_var if tracked else None,
            self.weight, self.bias, self.training or self.running_mean is None, momentum, self.eps,
        )  # fmt: skip

    def _normalized(self, input, *statistics):
        return F.batch_norm(input, *statistics)


class BatchNorm1d(_BatchNorm, input_shapes={2: "(N, C)", 3: "(N, C, L)"}):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C)` or `(N, C, L)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> layer = tallow.nn.BatchNorm1d(4)
    >>> y = layer(tallow.randn(20, 4))
    >>> bool(tallow.allclose(y.mean(0), tallow.zeros(4), atol=1e-5))
    True
    """


class BatchNorm2d(_BatchNorm, input_shapes={4: "(N, C, H, W)"}):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C, H, W)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> layer = tallow.nn.BatchNorm2d(3)
    >>> tuple(layer(tallow.randn(2, 3, 8, 8)).shape)
    (2, 3, 8, 8)
    >>> layer.num_batches_tracked.item()
    1
    """


class BatchNorm3d(_BatchNorm, input_shapes={5: "(N, C, D, H, W)"}):
    """Batch normalization (Ioffe and Szegedy, 2015) of `(N, C, D, H, W)`, channel by channel.

    In training it uses the statistics of the batch and keeps running ones, which it uses in
    evaluation.

    >>> layer = tallow.nn.BatchNorm3d(3)
    >>> tuple(layer(tallow.randn(2, 3, 4, 8, 8)).shape)
    (2, 3, 4, 8, 8)
    """


class SyncBatchNorm(_BatchNorm):
    """Batch normalization whose statistics in training are those of all processes of a group.

    Without `distributed.init_process_group` they are the process's own. `convert_sync_batchnorm`
    replaces the batch normalizations in a module by it.

    >>> from tallow import nn
    >>> net = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3)))
    >>> type(net[0]).__name__
    'SyncBatchNorm'
    """

    input_shapes = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)", 5: "(N, C, D, H, W)"}

    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True,
        process_group=None, device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _normalized(self, input, *statistics):
        if self.training and processes(self.process_group) > 1:
            return synchronized_batch_norm(input, *statistics, self.process_group)
        return super()._normalized(input, *statistics)

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with SyncBatchNorm in place of every BatchNorm, its state shared with it."""
        if isinstance(module, _BatchNorm):
            made = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group,
            )  # fmt: skip
            made.training = module.training
            for name, kind in module._members.items():
                if kind != MODULE:
                    setattr(made, name, getattr(module, name))
            return made
        for name, child in module.named_children():
            setattr(module, name, cls.convert_sync_batchnorm(child, process_group))
        return module
