"""Blocks that networks for images are made of."""

import tallow
from tallow import nn
from tallow.errors import TypeMismatchError


class FrozenBatchNorm2d(nn.Module):
    """Batch norm of (N, C, H, W) with statistics and weights that stay as they are loaded."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", tallow.ones(num_features))
        self.register_buffer("bias", tallow.zeros(num_features))
        self.register_buffer("running_mean", tallow.zeros(num_features))
        self.register_buffer("running_var", tallow.ones(num_features))

    def _load_from_state_dict(self, state_dict, prefix, *args):
        state_dict.pop(prefix + "num_batches_tracked", None)  # of a batch norm that still learned
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x):
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def extra_repr(self):
        return f"{len(self.weight)}, eps={self.eps}"


class ConvNormActivation(nn.Sequential):
    """A convolution, then a norm, then an activation; either of these may be None.

    By default the padding keeps the size (at stride 1), and there is a bias if there is no norm.
    """

    def __init__(
        self, in_channels, out_channels, kernel_size=3, stride=1, padding=None, groups=1,
        norm_layer=nn.BatchNorm2d, activation_layer=nn.ReLU, dilation=1, inplace=True, bias=None,
        conv_layer=nn.Conv2d,
    ):  # fmt: skip
        if padding is None:
            padding = _same_padding(kernel_size, dilation)
        if bias is None:
            bias = norm_layer is None
        layers = [
            conv_layer(
                in_channels, out_channels, kernel_size, stride, padding, dilation=dilation,
                groups=groups, bias=bias,
            )
        ]  # fmt: skip
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_in_place(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels


def _same_padding(kernel_size, dilation):
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    count = len(dilation if isinstance(kernel_size, int) else kernel_size)
    sizes, steps = ([x] * count if isinstance(x, int) else x for x in (kernel_size, dilation))
    return tuple((size - 1) // 2 * step for size, step in zip(sizes, steps, strict=True))


def _in_place(inplace):
    """The argument for an activation; None: for one that does not take it."""
    return {} if inplace is None else {"inplace": inplace}


class Conv2dNormActivation(ConvNormActivation):
    """`ConvNormActivation` of images."""

    def __init__(
        self, in_channels, out_channels, kernel_size=3, stride=1, padding=None, groups=1,
        norm_layer=nn.BatchNorm2d, activation_layer=nn.ReLU, dilation=1, inplace=True, bias=None,
    ):  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer,
            activation_layer, dilation, inplace, bias, nn.Conv2d,
        )  # fmt: skip


class Conv3dNormActivation(ConvNormActivation):
    """`ConvNormActivation` of videos."""

    def __init__(
        self, in_channels, out_channels, kernel_size=3, stride=1, padding=None, groups=1,
        norm_layer=nn.BatchNorm3d, activation_layer=nn.ReLU, dilation=1, inplace=True, bias=None,
    ):  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer,
            activation_layer, dilation, inplace, bias, nn.Conv3d,
        )  # fmt: skip


class SqueezeExcitation(nn.Module):
    """Channels of (N, C, H, W) weighted by what their means say (Hu et al., 2018)."""

    def __init__(
        self, input_channels, squeeze_channels, activation=nn.ReLU, scale_activation=nn.Sigmoid
    ):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input):
        scale = self.fc2(self.activation(self.fc1(self.avgpool(input))))
        return self.scale_activation(scale) * input


class MLP(nn.Sequential):
    """Linear layers of `hidden_channels`, with norms, activations and dropout between them."""

    def __init__(
        self, in_channels, hidden_channels, norm_layer=None, activation_layer=nn.ReLU,
        inplace=None, bias=True, dropout=0.0,
    ):  # fmt: skip
        options = _in_place(inplace)
        layers = []
        for channels in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, channels, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(channels))
            layers += [activation_layer(**options), nn.Dropout(dropout, **options)]
            in_channels = channels
        layers += [
            nn.Linear(in_channels, hidden_channels[-1], bias=bias),
            nn.Dropout(dropout, **options),
        ]
        super().__init__(*layers)


class Permute(nn.Module):
    """The dims of a tensor in another order."""

    def __init__(self, dims):
        super().__init__()
        if not isinstance(dims, list | tuple):
            raise TypeMismatchError(f"Permute: expected a list of dims, got {dims!r}")
        self.dims = dims

    def forward(self, x):
        return x.permute(self.dims)
