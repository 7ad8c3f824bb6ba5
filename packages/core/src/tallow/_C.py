"""PyTorch's compiled part, which programs look into: nothing of it is here."""

from tallow.left_out import missing


def __getattr__(name):
    raise missing("tallow._C", name)
