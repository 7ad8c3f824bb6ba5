"""Apple's GPUs, which tallow does not use."""


def is_available():
    """False."""
    return False


def is_built():
    """False."""
    return False
