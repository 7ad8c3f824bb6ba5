"""tallowvision: images for tallow, with torchvision's names. Its parts are imported when used."""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["datasets", "evaluation", "io", "models", "ops", "transforms", "tv_tensors", "utils"]


def get_image_backend():
    """What reads image files: "PIL"."""
    return "PIL"


def set_image_backend(backend):
    """Nothing for "PIL"; an error for others, which are not there."""
    if backend != "PIL":
        raise ValueError(f"set_image_backend: expected 'PIL', got {backend!r}")


def __getattr__(name):
    if name in __all__:
        return import_module(f"tallowvision.{name}")
    raise AttributeError(f"module 'tallowvision' has no attribute {name!r}")
