"""tallowvision: images for tallow, with torchvision's names."""

from tallowvision import datasets, transforms, tv_tensors

__version__ = "0.1.0"
__all__ = ["datasets", "transforms", "tv_tensors"]
