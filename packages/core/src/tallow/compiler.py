"""Names of PyTorch's compiler, for programs that ask it: here nothing is ever being compiled."""

from tallow.overrides import handle_torch_function, has_torch_function


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


def assume_constant_result(fn):
    """The function itself: it is called every time."""
    return fn


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, which is not compiled anyway."""
    return (lambda function: function) if fn is None else fn


def _check_with(error_type, cond, message=None):
    """Raise an error with the text that `message()` gives unless `cond`."""
    if not cond:
        raise error_type("expected a condition to hold" if message is None else str(message()))


def _check(cond, message=None):
    """Raise a RuntimeError with the text that `message()` gives unless `cond`."""
    _check_with(RuntimeError, cond, message)


def _assert_async(condition, message="expected a condition to hold"):
    """Raise a RuntimeError with the text unless the tensor of one element holds."""
    if not condition:
        raise RuntimeError(message)


def _assert(condition, message):
    """Raise an AssertionError with the text unless the condition holds."""
    if has_torch_function((condition,)):  # while it is traced, a step
        return handle_torch_function(_assert, (condition,), condition, message)
    if not condition:
        raise AssertionError(message)
    return None


def _check_tensor_all_with(error_type, cond, message=None):
    """Raise an error unless all elements are True."""
    _check_with(error_type, cond.all(), message)


def _check_tensor_all(cond, message=None):
    """Raise a RuntimeError unless all elements are True."""
    _check_with(RuntimeError, cond.all(), message)
