"""tallowvision: images for tallow, with torchvision's names."""

from tallowvision import datasets, evaluation, io, models, ops, transforms, tv_tensors, utils

__version__ = "0.1.0"
__all__ = ["datasets", "evaluation", "io", "models", "ops", "transforms", "tv_tensors", "utils"]
