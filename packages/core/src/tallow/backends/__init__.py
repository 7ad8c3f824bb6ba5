"""What computes: whether it is there, and settings of it."""

from tallow.backends import cpu, cuda, cudnn, mkldnn, mps
