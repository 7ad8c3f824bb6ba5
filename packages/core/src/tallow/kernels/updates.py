"""Kernels that change a whole parameter group in one call: an optimizer's step.

A kernel takes lists of arrays, the parameters, their gradients and the state that the algorithm
keeps for each, and the algorithm's settings by name, as the body of the `Update` does
(`tallow.optim.update`). It works in place and returns None; or NotImplemented, before it has
changed anything, for arrays or settings that it does not do.

"elementwise" is the kernel of all algorithms without one of their own whose bodies are chains.
Besides there may be "advance", which counts a step in each of a list of arrays, and "unscale",
which divides gradients by a scale and notes in a number whether all are finite.
"""

from contextlib import contextmanager
from importlib import import_module

from tallow.kernels.chain import Chain, known, specialised

found = None  # a number on a device, float32: unless it is 0, steps change nothing

TABLE: dict[tuple[str, str], object] = {}


def updates(algorithm, backend_name):
    """Decorator: the kernel of `algorithm` ("sgd", "adam", ...) for a backend ("cpu", "cuda")."""

    def register(kernel):
        TABLE[algorithm, backend_name] = kernel
        return kernel

    return register


def kernel_of(algorithm, where):
    """The kernel of `algorithm` for a backend, or None."""
    if where.kernels:
        import_module(where.kernels)  # they may not have been entered yet
    return TABLE.get((algorithm, where.name))


@contextmanager
def unless(number):
    """A context whose steps change nothing if a number on a device, not known here, is not 0."""
    global found
    before, found = found, number
    try:
        yield
    finally:
        found = before


_chains: dict[tuple, Chain] = {}


def chain_of(update, kinds, settings):
    """The chain of an `Update`: `kinds` says what each column holds, ARRAY, Number or None."""
    key = update, kinds, *map(known, settings.values())
    if key not in _chains:
        _chains[key] = specialised(update.body, update.operands, kinds, settings)
    return _chains[key]
