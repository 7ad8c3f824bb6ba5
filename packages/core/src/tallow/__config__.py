"""How what runs was built, as text, under PyTorch's names."""

from tallow.backends import cpu
from tallow.settings import get_num_threads


def show():
    """What computes on the CPU, a setting in a line."""
    return "tallow built with:\n" + "".join(f"  - {k}: {v}\n" for k, v in cpu.info().items())


def parallel_info():
    """How many threads compute."""
    return f"get_num_threads() : {get_num_threads()}\n"
