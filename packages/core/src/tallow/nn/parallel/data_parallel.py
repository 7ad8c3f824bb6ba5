"""`DataParallel`, which PyTorch programs wrap around a model: here it runs on one device."""

from tallow.errors import NotSupportedError
from tallow.func.tree import leaves, rebuild
from tallow.joining import cat
from tallow.nn.module import Module
from tallow.tensor import Tensor

__all__ = ["DataParallel", "data_parallel", "gather", "scatter"]


class DataParallel(Module):
    """Calls `module`, whose parameters keep the prefix "module." in the `state_dict`.

    PyTorch's splits the batch over several GPUs; more than one in `device_ids` is an error.

    >>> model = tallow.nn.DataParallel(tallow.nn.Linear(3, 2))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        _one("DataParallel", device_ids)
        self.module = module
        self.device_ids = [] if device_ids is None else list(device_ids)
        self.output_device = output_device
        self.dim = dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """`module(*inputs)`, or of the only input; more than one device is an error."""
    _one("data_parallel", device_ids)
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*inputs, **(module_kwargs or {}))


def scatter(inputs, target_gpus, dim=0):
    """Tensors, in any tuples, lists and dicts, cut along `dim`: a part for each device.

    >>> tallow.nn.parallel.scatter(tallow.arange(4), ["cpu", "cpu"])
    [tensor([0, 1]), tensor([2, 3])]
    """
    count = len(target_gpus)
    columns = [
        x.chunk(count, dim) if isinstance(x, Tensor) else [x] * count for x in leaves(inputs)
    ]
    return [
        rebuild(inputs, (x.to(place) if isinstance(x, Tensor) else x for x in row))
        for place, row in zip(target_gpus, zip(*columns, strict=False), strict=False)
    ]


def gather(outputs, target_device, dim=0):
    """What `scatter` has cut, joined again on one device."""
    rows = zip(*map(leaves, outputs), strict=True)
    return rebuild(outputs[0], (cat([x.to(target_device) for x in row], dim) for row in rows))


def _one(name, device_ids):
    if device_ids is not None and len(device_ids) > 1:
        raise NotSupportedError(
            f"{name}: expected at most one device, got {device_ids}; pass one, or none"
        )
