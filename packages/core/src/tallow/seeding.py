"""The state of the default generators: seeds, snapshots, and contexts that leave no trace.

All of it is in `tallow.random` too, as PyTorch has it.
"""

import contextlib

import numpy as np

from tallow import backend
from tallow import generator as streams
from tallow.errors import TypeMismatchError
from tallow.generator import Generator, default_generator
from tallow.tensor import Tensor, wrap


def manual_seed(seed):
    """Start the default generators of all devices anew from `seed`, an int of 64 bits.

    Returns that of the CPU.

    >>> _ = tallow.manual_seed(0)
    >>> tallow.rand(2)
    tensor([0.4963, 0.7682])
    """
    for generator in streams.device_generators.values():
        generator.manual_seed(int(seed))
    return default_generator.manual_seed(int(seed))


def seed():
    """Start the default generators from a seed that the operating system makes up; returns it."""
    manual_seed(made := default_generator.seed())
    return made


def initial_seed():
    """The seed that the default generator last started from."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default generator, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Set the default generator to a state that `get_rng_state` returned."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, device_type="cuda"):
    """A context after which the default generators go on as if nothing had been drawn in it.

    Those of all devices do, hence `devices` and `device_type` change nothing.

    >>> g = tallow.manual_seed(0)
    >>> with tallow.random.fork_rng():
    ...     noise = tallow.rand(5)
    >>> tallow.rand(1)
    tensor([0.4963])
    """
    if not enabled:
        yield
        return
    before = snapshot()
    try:
        yield
    finally:
        restore(before)


def snapshot():
    """The states of the default generators of all devices, bytes by generator, for `restore`."""
    generators = [default_generator, *streams.device_generators.values()]
    return {generator: generator.state_bytes().tobytes() for generator in generators}


def restore(states):
    """Have all default generators go on from a `snapshot`; those made since begin anew."""
    for generator in streams.device_generators.values():
        generator.offset = 0
    for generator, kept in states.items():
        generator.load_state_bytes(np.frombuffer(kept, np.uint8))


def _get_state(self):
    """The whole state as a uint8 tensor, which PyTorch's generators read as well."""
    return wrap(self.state_bytes())


def _set_state(self, new_state):
    """Go on from a state that `get_state` returned."""
    if not isinstance(new_state, Tensor):
        raise TypeMismatchError(
            f"set_state: expected a uint8 tensor, got {type(new_state).__name__}"
        )
    self.load_state_bytes(host_values(new_state))


# attached here, where there are tensors: the generator itself lies on a floor below them
Generator.get_state = _get_state
Generator.set_state = _set_state


def host_values(tensor):
    """The array of a tensor, on the host."""
    return backend.for_array(tensor.array).to_host(tensor.array)
