"""The functionals under torchvision's newer name: those of `tallowvision.transforms.functional`."""

from tallowvision.transforms.functional import *  # noqa: F403
from tallowvision.transforms.functional import __all__ as _names

__all__ = list(_names)
