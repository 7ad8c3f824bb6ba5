"""Names of PyTorch's compiler, for programs that ask it: here nothing is ever being compiled."""


def is_compiling():
    """False: operations run as they are called."""
    return False


def is_exporting():
    """False: operations run as they are called."""
    return False


def cudagraph_mark_step_begin():
    """Nothing: CUDA graphs are made by `tallow.cuda.graph` alone."""


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, which is not compiled anyway."""
    return (lambda function: function) if fn is None else fn
