"""Kernels that change a whole parameter group in one call: an optimizer's step.

A kernel takes lists of arrays, the parameters, their gradients and the state that the algorithm
keeps for each, and the algorithm's settings by name, as the body of the `Update` does
(`tallow.optim.update`). It works in place and returns None; or NotImplemented, before it has
changed anything, for arrays or settings that it does not do.
"""

TABLE: dict[tuple[str, str], object] = {}


def updates(algorithm, backend_name):
    """Decorator: the kernel of `algorithm` ("sgd", "adam", ...) for a backend ("cpu", "cuda")."""

    def register(kernel):
        TABLE[algorithm, backend_name] = kernel
        return kernel

    return register
