"""What computes: whether it is there, and settings of it."""

from contextlib import nullcontext

from tallow.backends import cpu, cuda, cudnn, mkldnn, mps

vars()["__allow_nonbracketed_mutation"] = nullcontext  # settings may be assigned at any time
