"""cuDNN, which tallow does not use. What programs set for PyTorch may be set; nothing changes."""

enabled = False
benchmark = False
deterministic = True
allow_tf32 = False


def is_available():
    """False."""
    return False


def version():
    """None."""
    return None
