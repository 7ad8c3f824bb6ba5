"""A table of a model: its layers, what they give, how much they hold and compute."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from math import prod
from typing import Any

from tallow.autograd.modes import no_grad
from tallow.autograd.tape import recorded
from tallow.creation import ones
from tallow.errors import ArgumentError
from tallow.nn.modules.module import (
    Module,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from tallow.tensor import Tensor

__all__ = ["ModelSummary", "summary"]

HEAD = ("Layer", "Output shape", "Parameters", "Multiply-adds")


@dataclass
class Layer:
    """A module of the model, with what its calls gave and computed, its children's included."""

    name: str
    kind: str
    depth: int
    parameters: int = 0
    output_shapes: list[tuple[int, ...]] = field(default_factory=list)
    output_bytes: int = 0
    mult_adds: int = 0
    calls_others: bool = False


@dataclass
class ModelSummary:
    """What `summary` found; its text is a table. Sizes are in bytes, for the input that was given.

    `output_bytes` is what the layers without children gave, about what training keeps.
    """

    layers: list[Layer]
    total_params: int
    trainable_params: int
    param_bytes: int
    input_bytes: int
    output_bytes: int
    total_mult_adds: int

    def __str__(self) -> str:
        rows = [HEAD, *map(_cells, self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}"
            for a, b, c, d in rows
        ]
        rule = "-" * len(lines[0])
        frozen = self.total_params - self.trainable_params
        sizes = (self.input_bytes, self.output_bytes, self.param_bytes)
        memory = [f"{size / 1e6:.2f} MB" for size in (*sizes, sum(sizes))]
        return "\n".join([
            lines[0], rule, *lines[1:], rule,
            f"parameters: {self.total_params:,}, of which {frozen:,} are frozen",
            f"multiply-adds: {self.total_mult_adds:,}",
            "memory: input {}, outputs {}, parameters {}, together {}".format(*memory),
        ])  # fmt: skip


def _cells(layer):
    name = layer.name.rpartition(".")[2]
    label = "  " * layer.depth + (f"{name}: {layer.kind}" if name else layer.kind)
    shapes = ", ".join(str(shape) for shape in layer.output_shapes)
    return label, shapes, f"{layer.parameters:,}", f"{layer.mult_adds:,}"


def summary(
    model: Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    dtype: Any = None,
    verbose: bool = True,
) -> ModelSummary:
    """Run a model once, in evaluation mode without gradients, and tell of its layers.

    `input_size` is the shape of the input, its batch included, or a list of several inputs' shapes;
    they are filled with ones of `dtype` (float32 by default) on the device of the model.
    `input_data`, a tensor or a tuple of arguments, is run in its place. The table is printed if
    `verbose`. Multiply-adds are those of products: linear, convolutional and recurrent layers, and
    attention. Raises ArgumentError without an input.

    >>> from tallow import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    >>> print(summary(model, (1, 1, 8, 8), verbose=False))
    Layer         Output shape  Parameters  Multiply-adds
    -----------------------------------------------------
    Sequential    (1, 10)            1,490          2,736
      0: Conv2d   (1, 4, 6, 6)          40          1,296
      1: ReLU     (1, 4, 6, 6)           0              0
      2: Flatten  (1, 144)               0              0
      3: Linear   (1, 10)            1,450          1,440
    -----------------------------------------------------
    parameters: 1,490, of which 0 are frozen
    multiply-adds: 2,736
    memory: input 0.00 MB, outputs 0.00 MB, parameters 0.01 MB, together 0.01 MB
    """
    args = _arguments(model, input_size, input_data, dtype)
    seen = _Observer(model)
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with ExitStack() as stack:
            stack.enter_context(no_grad())
            stack.enter_context(register_module_forward_pre_hook(seen.enter))
            stack.enter_context(register_module_forward_hook(seen.leave, always_call=True))
            stack.enter_context(recorded(seen.count))
            model(*args)
    finally:
        for module, mode in modes:
            module.training = mode
    found = _total(model, args, list(seen.layers.values()))
    if verbose:
        print(found)
    return found


def _arguments(model, size, data, dtype):
    if (size is None) == (data is None):
        raise ArgumentError("summary: expected input_size or input_data, got both or neither")
    if data is not None:
        return tuple(data) if isinstance(data, tuple | list) else (data,)
    sizes = [size] if all(isinstance(n, int) for n in size) else size
    parameter = next(model.parameters(), None)
    device = "cpu" if parameter is None else parameter.device
    return tuple(ones(shape, dtype=dtype, device=device) for shape in sizes)


def _total(model, args, layers):
    parameters = list(model.parameters())
    return ModelSummary(
        layers,
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(x.nbytes for x in (*parameters, *model.buffers())),
        sum(x.nbytes for x in _tensors(args)),
        sum(layer.output_bytes for layer in layers if not layer.calls_others),
        layers[0].mult_adds,
    )


class _Observer:
    """Follows the calls of a model's modules, and counts what runs within each."""

    def __init__(self, model):
        self.names = {id(module): name for name, module in model.named_modules()}
        self.layers = {}
        self.open = []

    def enter(self, module, args):
        if id(module) not in self.layers:
            name = self.names.get(id(module), "not registered")
            self.layers[id(module)] = Layer(name, type(module).__name__, len(self.open))
        if self.open:
            self.open[-1].calls_others = True
        self.open.append(self.layers[id(module)])

    def leave(self, module, args, output):
        layer = self.open.pop()
        tensors = _tensors(output)
        layer.parameters = sum(p.numel() for p in module.parameters())
        layer.output_shapes = [tuple(x.shape) for x in tensors]
        layer.output_bytes += sum(x.nbytes for x in tensors)

    def count(self, call):
        work = WORK.get(call.op and call.op.name)
        if work is not None:
            amount = work(call.out, *[getattr(x, "shape", None) for x in call.operands])
            for layer in {id(layer): layer for layer in self.open}.values():
                layer.mult_adds += amount


def _tensors(value):
    """The tensors in an argument or output, which may be a container."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [x for part in value for x in _tensors(part)]
    return [value] if isinstance(value, Tensor) else []


def _recurrent(out, x, *shapes):
    """Every row of x, a step of a sequence, times each of the weight matrices."""
    return x[0] * sum(prod(weight) for weight in shapes if weight and len(weight) == 2)


def _attention(out, keys, values):
    """Each query times all keys, and its weights times all values."""
    return prod(out[0].shape[:-1]) * keys[-2] * (keys[-1] + values[-1])


# Multiply-adds of an operation, from the tensors it gives and the shapes of its operands.
WORK = {
    "linear": lambda out, x, weight, bias: out[0].numel() * weight[-1],
    "matmul": lambda out, x, y: out[0].numel() * x[-1],
    "conv": lambda out, x, weight, bias: out[0].numel() * prod(weight[1:]),
    "conv_grad_input": lambda out, g, weight: prod(g) * prod(weight[1:]),
    "attend": lambda out, q, k, v, bias, keep: _attention(out, k, v),
    "attend_dropping": lambda out, q, k, v, bias, move: _attention(out, k, v),
    "attention": lambda out, q, k, v, bias, keep: _attention(out, k, v),
    "rnn": lambda out, x, h, *weights: _recurrent(out, x, *weights),
    "lstm": lambda out, x, h, c, *weights: _recurrent(out, x, *weights),
    "gru": lambda out, x, h, *weights: _recurrent(out, x, *weights),
}
