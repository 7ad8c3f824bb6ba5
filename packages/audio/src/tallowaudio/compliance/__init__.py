"""Features as other programs compute them."""

from tallowaudio.compliance import kaldi

__all__ = ["kaldi"]
