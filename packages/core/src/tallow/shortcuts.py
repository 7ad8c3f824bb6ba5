"""Public functions that the compiled kernels do in one call where their arguments are plain.

Each of these decorators gives back the function itself where there are no kernels. Else it gives
one that looks like it, and calls it for whatever is out of the ordinary, errors among that.
"""

from types import FunctionType

from tallow.kernels.loading import compiled

FUNCTIONS = (FunctionType,) if compiled is None else (FunctionType, compiled.function)


def _way(name, *given):
    """A decorator that gives a function the compiled way of that name."""
    if compiled is None:
        return lambda function: function
    return lambda function: getattr(compiled, name)(function, *given)


def direct(call, numbers=False):
    """Decorator: real floating tensors of one dtype go straight to an operation.

    So do Python's floats and ints beside them, if `numbers`.
    """
    return _way("direct", call, numbers)


def joined(call):
    """Decorator: tensors of one dtype, in a list or tuple, go straight to an operation."""
    return _way("joined", call)


def indexed(call):
    """Decorator: a key of ints, slices without steps and None goes straight to an operation."""
    return _way("indexed", call)


def reshaped(call, copies):
    """Decorator: sizes go straight to an operation; unless it `copies`, for arrays in rows."""
    return _way("reshaped", call, copies)


def unless(state, name, plain):
    """Decorator: positional arguments go to `plain` while the attribute of `state` is None."""
    return _way("unless", state, name, plain)


def written(function):
    """The function in Python, to which all calls of a public one go from now on."""
    if isinstance(function, FunctionType):
        return function
    compiled.leave_way(function)
    return function.__func__
