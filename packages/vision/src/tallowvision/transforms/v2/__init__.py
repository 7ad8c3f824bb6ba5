"""The transforms under torchvision's newer name: those of `tallowvision.transforms`."""

from tallowvision.transforms import *  # noqa: F403
from tallowvision.transforms import __all__ as _names
from tallowvision.transforms.v2 import functional  # type: ignore[no-redef]

__all__ = list(_names)
