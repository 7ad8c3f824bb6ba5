"""PyTorch's compiled part, which programs look into: next to nothing of it is here."""

from tallow.left_out import missing


def _log_api_usage_once(event):
    """Nothing: nobody is told."""


def __getattr__(name):
    raise missing("tallow._C", name)
