"""Layers that find the size of their input at the first forward, and then are ordinary ones."""

from tallow.creation import tensor
from tallow.dtypes import int64
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn.members import BUFFER, PARAMETER
from tallow.nn.modules import batchnorm, conv, instancenorm, linear
from tallow.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin:
    """Beside a Module as base: parameters may be uninitialized until the first forward.

    A subclass defines `initialize_parameters(*args, **kwargs)`, which gets the arguments of the
    first forward and materializes them; the module then becomes a `cls_to_become`.
    """

    cls_to_become: type | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(_initialize, with_kwargs=True)
        self._load_hook = self.register_load_state_dict_pre_hook(_materialize_for)

    def initialize_parameters(self, *args, **kwargs):
        """Materialize the parameters for the arguments of the first forward."""
        raise NotImplementedError(
            f"{type(self).__name__}: expected initialize_parameters() to be defined, got none"
        )

    def has_uninitialized_params(self):
        """True if a parameter or buffer has no shape yet."""
        return any(is_lazy(x) for kind in (PARAMETER, BUFFER) for _, x in self._own(kind))

    def _materialize(self, shapes):
        """Give the named parameters and buffers, where they are uninitialized, these shapes."""
        for name, shape in shapes.items():
            member = getattr(self, name)
            if is_lazy(member):
                member.materialize(shape)


def _initialize(module, args, kwargs):
    """Before the first forward: find the shapes, and become an ordinary module."""
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise ShapeError(
            f"{type(module).__name__}: expected initialize_parameters() to give every parameter a "
            "shape, but one has none yet"
        )
    for name in ("_initialize_hook", "_load_hook"):
        getattr(module, name).remove()
        delattr(module, name)
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become


def _materialize_for(module, state_dict, prefix, *_):
    """Before loading: give uninitialized parameters the shapes of what is loaded."""
    for kind in (PARAMETER, BUFFER):
        for name, member in module._own(kind):
            given = state_dict.get(prefix + name)
            if is_lazy(member) and given is not None and not is_lazy(given):
                member.materialize(given.shape)


class LazyLinear(LazyModuleMixin, linear.Linear):
    """`Linear` that takes `in_features` from its first input.

    >>> layer = tallow.nn.LazyLinear(2)
    >>> y = layer(tallow.ones(1, 5))
    >>> layer
    Linear(in_features=5, out_features=2, bias=True)
    """

    cls_to_become = linear.Linear

    def __init__(self, out_features, bias=True, device=None, dtype=None):
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Draw the weight and the bias anew, once they have a shape."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Take `in_features` from an input, and draw the weight and the bias."""
        self.in_features = input.shape[-1]
        if self.has_uninitialized_params():
            shape = (self.out_features, self.in_features)
            self._materialize({"weight": shape, "bias": shape[:1]})
            self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    def _make_lazy(self, out_channels, bias, device, dtype):
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
        padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._make_lazy(out_channels, bias, device, dtype)

    def reset_parameters(self):
        """Draw the weight and the bias anew, once they have a shape."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        """Take `in_channels` from an input, and draw the weight and the bias."""
        n = self.dimensions
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(
                f"{type(self).__name__}: expected input with {n + 1} or {n + 2} dimensions, got "
                f"{describe(input)}"
            )
        self.in_channels = input.shape[-n - 1]
        if self.has_uninitialized_params():
            if self.in_channels % self.groups:
                raise ArgumentError(
                    f"{type(self).__name__}: expected channels divisible by groups={self.groups}, "
                    f"got {self.in_channels}"
                )
            self._materialize({"weight": self._weight_shape(), "bias": (self.out_channels,)})
            self.reset_parameters()


class _LazyConvTranspose(_LazyConv):
    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
        dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        LazyModuleMixin.__init__(
            self, 0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation,
            padding_mode,
        )  # fmt: skip
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, conv.Conv1d, cls_to_become=conv.Conv1d):
    """`Conv1d` that takes `in_channels` from its first input."""


class LazyConv2d(_LazyConv, conv.Conv2d, cls_to_become=conv.Conv2d):
    """`Conv2d` that takes `in_channels` from its first input.

    >>> layer = tallow.nn.LazyConv2d(8, kernel_size=3)
    >>> tuple(layer(tallow.ones(1, 3, 5, 5)).shape), layer.in_channels
    ((1, 8, 3, 3), 3)
    """


class LazyConv3d(_LazyConv, conv.Conv3d, cls_to_become=conv.Conv3d):
    """`Conv3d` that takes `in_channels` from its first input."""


class LazyConvTranspose1d(
    _LazyConvTranspose, conv.ConvTranspose1d, cls_to_become=conv.ConvTranspose1d
):
    """`ConvTranspose1d` that takes `in_channels` from its first input."""


class LazyConvTranspose2d(
    _LazyConvTranspose, conv.ConvTranspose2d, cls_to_become=conv.ConvTranspose2d
):
    """`ConvTranspose2d` that takes `in_channels` from its first input."""


class LazyConvTranspose3d(
    _LazyConvTranspose, conv.ConvTranspose3d, cls_to_become=conv.ConvTranspose3d
):
    """`ConvTranspose3d` that takes `in_channels` from its first input."""


class _LazyNorm(LazyModuleMixin):
    def __init__(
        self, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None,
        dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        where = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**where)
            if bias:
                self.bias = UninitializedParameter(**where)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**where)
            self.running_var = UninitializedBuffer(**where)
            self.num_batches_tracked = tensor(0, dtype=int64, device=device)

    def reset_parameters(self):
        """Set what there is to its first values, once it has a shape."""
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Take `num_features` from an input, and set everything to its first values."""
        self._check_dimensions(input)
        unbatched = self.may_lack_batch and input.ndim == min(self.input_shapes)
        self.num_features = input.shape[0 if unbatched else 1]
        if self.has_uninitialized_params():
            names = "weight", "bias", "running_mean", "running_var"
            self._materialize(dict.fromkeys(names, (self.num_features,)))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, batchnorm.BatchNorm1d, cls_to_become=batchnorm.BatchNorm1d):
    """`BatchNorm1d` that takes `num_features` from its first input."""


class LazyBatchNorm2d(_LazyNorm, batchnorm.BatchNorm2d, cls_to_become=batchnorm.BatchNorm2d):
    """`BatchNorm2d` that takes `num_features` from its first input.

    >>> layer = tallow.nn.LazyBatchNorm2d()
    >>> y = layer(tallow.ones(2, 3, 5, 5))
    >>> layer.num_features
    3
    """


class LazyBatchNorm3d(_LazyNorm, batchnorm.BatchNorm3d, cls_to_become=batchnorm.BatchNorm3d):
    """`BatchNorm3d` that takes `num_features` from its first input."""


class LazyInstanceNorm1d(
    _LazyNorm, instancenorm.InstanceNorm1d, cls_to_become=instancenorm.InstanceNorm1d
):
    """`InstanceNorm1d` that takes `num_features` from its first input."""


class LazyInstanceNorm2d(
    _LazyNorm, instancenorm.InstanceNorm2d, cls_to_become=instancenorm.InstanceNorm2d
):
    """`InstanceNorm2d` that takes `num_features` from its first input."""


class LazyInstanceNorm3d(
    _LazyNorm, instancenorm.InstanceNorm3d, cls_to_become=instancenorm.InstanceNorm3d
):
    """`InstanceNorm3d` that takes `num_features` from its first input."""
