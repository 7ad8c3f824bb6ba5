"""What several families use."""

from collections import OrderedDict

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError


class IntermediateLayerGetter(nn.ModuleDict):
    """The outputs of some children of a model, {new name: output}.

    `return_layers` is {child: new name}. The children of the model are called one after another, in
    the order in which they are registered, up to the last that is wanted.

    >>> import tallow
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    >>> features = IntermediateLayerGetter(model, {"1": "hidden"})
    >>> {name: out.shape for name, out in features(tallow.ones(5, 2)).items()}
    {'hidden': tallow.Size([5, 3])}
    """

    def __init__(self, model, return_layers):
        children = dict(model.named_children())
        missing = [name for name in return_layers if name not in children]
        if missing:
            raise ArgumentError(
                f"return_layers: expected some of {', '.join(children)}, got {missing[0]!r}"
            )
        last = max(list(children).index(name) for name in return_layers)
        super().__init__(dict(list(children.items())[: last + 1]))
        self.return_layers = return_layers

    def forward(self, x):
        found = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found


def _make_divisible(value, divisor, min_value=None):
    """The multiple of `divisor` next to `value`, at least 0.9 times it and `min_value`."""
    rounded = max(min_value or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def require_size(name, x, *least):
    """ShapeError unless the last dims of `x` are at least so large; while traced, none is known."""
    if not isinstance(x, tallow.Tensor):
        return
    sizes = tuple(x.shape[-len(least) :])
    if any(size < low for size, low in zip(sizes, least, strict=True)):
        expected = " x ".join(str(low) for low in least)
        got = " x ".join(str(size) for size in sizes)
        raise ShapeError(f"{name}: expected images of at least {expected}, got {got}")


def initialize_convolutions(model, biases=True):
    """Weights of convolutions as He et al. (2015) draw them, by fan-out; norms that change nothing.

    Biases of convolutions become 0, if told; linear layers stay as they are.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if biases and module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def initialize_linear(model, std=0.01):
    """Weights of linear layers of the deviation `std`, and no biases."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, std)
            nn.init.zeros_(module.bias)
