"""Names of PyTorch's compiler, for programs that ask it: here nothing is ever being compiled."""


def is_compiling():
    """False: operations run as they are called."""
    return False


def is_exporting():
    """False: operations run as they are called."""
    return False


def is_dynamo_compiling():
    """False: operations run as they are called."""
    return False


def cudagraph_mark_step_begin():
    """Nothing: CUDA graphs are made by `tallow.cuda.graph` alone."""


def reset():
    """Nothing: no compiled program is kept."""


def set_stance(stance="default", **options):
    """Nothing: functions run as they are called, whatever is wished."""


def allow_in_graph(fn):
    """The function itself."""
    return fn


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, which is not compiled anyway."""
    return (lambda function: function) if fn is None else fn
