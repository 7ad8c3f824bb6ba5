"""oneDNN, which tallow does not use: its kernels for the CPU are its own."""

enabled = False


def is_available():
    """False."""
    return False
