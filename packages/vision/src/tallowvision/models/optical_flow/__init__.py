"""Networks for optical flow: how far every pixel of an image has moved in the next one."""

from tallowvision.models._api import lazy

__getattr__, __all__ = lazy(__name__, {"raft": ("RAFT", "Raft_Large Raft_Small")})
