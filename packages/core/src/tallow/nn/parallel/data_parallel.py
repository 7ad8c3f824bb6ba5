"""`DataParallel`, which PyTorch programs wrap around a model: here it runs on one device."""

from tallow.errors import NotSupportedError
from tallow.nn.module import Module

__all__ = ["DataParallel", "data_parallel"]


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


def _one(name, device_ids):
    if device_ids is not None and len(device_ids) > 1:
        raise NotSupportedError(
            f"{name}: expected at most one device, got {device_ids}; pass one, or none"
        )
