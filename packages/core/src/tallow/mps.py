"""Apple's GPUs, which tallow does not use."""


def is_available():
    """False."""
    return False


def device_count():
    """0."""
    return 0
