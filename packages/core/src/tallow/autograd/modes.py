"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

The mode belongs to the thread, as in PyTorch.
"""

import functools
import inspect
import threading


class _State(threading.local):
    enabled = True
    inference = False
    walk = None  # the backward pass that is running
    batch = ()  # pairs (level, size) of the calls of `vmap` that are running, the innermost last
    packing = ()  # pairs (pack, unpack) of hooks on saved tensors, the innermost last
    hooks_refused = ""  # what to say to those who would add to them


state = _State()


class _Asking(threading.local):
    """Of a thread: are classes asked what functions do, and which modes are, the last first."""

    def __init__(self):
        self.asks = True
        self.modes = []


asking = _Asking()  # of `overrides`


class anomaly:
    """Whether backward passes of all threads look for anomalies, and for NaN among them."""

    enabled = False
    check_nan = True


def is_grad_enabled():
    """True where operations on tensors that require gradients are recorded."""
    return state.enabled


def is_inference_mode_enabled():
    """True inside `inference_mode()`."""
    return state.inference


class _Mode:
    """A context manager that also decorates functions and generator functions."""

    enabled = True

    def __enter__(self):
        self._stack.append(state.enabled)
        state.enabled = self.enabled
        return self

    def __exit__(self, *exception):
        state.enabled = self._stack.pop()

    def __init__(self):
        self._stack = []

    def clone(self):
        return type(self)()

    def __call__(self, function):
        if inspect.isclass(function):
            raise TypeError(
                f"{type(self).__name__}: expected a function, got a class; decorate its methods"
            )
        if inspect.isgeneratorfunction(function):
            return self._decorate_generator(function)

        @functools.wraps(function)
        def decorated(*args, **kwargs):
            with self.clone():
                return function(*args, **kwargs)

        return decorated

    def _decorate_generator(self, function):
        """The mode holds while the generator runs and not while its consumer does."""

        @functools.wraps(function)
        def decorated(*args, **kwargs):
            generator = function(*args, **kwargs)
            try:
                with self.clone():
                    item = next(generator)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            item = generator.throw(error)
                    else:
                        with self.clone():
                            item = generator.send(sent)
            except StopIteration as stop:
                return stop.value

        return decorated


class no_grad(_Mode):
    """Operations inside are not recorded. A context manager and a decorator.

    >>> import tallow
    >>> x = tallow.ones(2, requires_grad=True)
    >>> with tallow.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False

    def __new__(cls, function=None):
        mode = super().__new__(cls)
        if function is None:
            return mode
        mode.__init__()
        return mode(function)  # used as `@no_grad` without parentheses


class enable_grad(no_grad):
    """Operations inside are recorded, even within `no_grad`. A context manager and a decorator."""

    enabled = True


class set_grad_enabled(_Mode):
    """Turn recording on or off at once, and back on leaving where used with `with`."""

    def __init__(self, mode):
        super().__init__()
        self._before = state.enabled
        self.enabled = state.enabled = bool(mode)

    def __enter__(self):
        self._stack.append(self._before)
        state.enabled = self.enabled
        return self

    def __call__(self, function):
        state.enabled = self._before  # as a decorator it acts only while the function runs
        return super().__call__(function)

    def clone(self):
        return type(self)(self.enabled)


class inference_mode(_Mode):
    """Like `no_grad`, for code that will never ask for gradients of what it computes."""

    def __init__(self, mode=True):
        super().__init__()
        self.mode = mode
        self.enabled = not mode and state.enabled

    def __new__(cls, mode=True):
        instance = super().__new__(cls)
        if not callable(mode):
            return instance
        instance.__init__()
        return instance(mode)

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        self._stack.append((state.enabled, state.inference))
        state.enabled, state.inference = self.enabled, self.mode
        return self

    def __exit__(self, *exception):
        state.enabled, state.inference = self._stack.pop()
