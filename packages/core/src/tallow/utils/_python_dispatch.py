"""Names of PyTorch's dispatcher of operators, for programs that ask: there is none here."""

from tallow.left_out import Never


class TorchDispatchMode(Never):
    """A context that each operator is handed to."""

    why = "operators are not dispatched here; overrides.TorchFunctionMode is handed functions"


def is_traceable_wrapper_subclass(t):
    """False: no tensor is made of others."""
    return False


def _get_current_dispatch_mode():
    """None: there is no such mode."""
