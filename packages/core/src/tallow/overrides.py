"""A name of PyTorch's interception of operations, for programs that ask: here nobody intercepts."""

from tallow.left_out import LEFT_OUT, Never

__all__ = ["TorchFunctionMode"]


class TorchFunctionMode(Never):
    """A context that operations are handed to instead of running."""

    why = LEFT_OUT["torch.Tensor.__torch_function__"]
