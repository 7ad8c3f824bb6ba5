"""tallowvision: images for tallow, with torchvision's names."""

from tallowvision import datasets, io, models, ops, transforms, tv_tensors, utils

__version__ = "0.1.0"
__all__ = ["datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"]
