"""Collectives through which gradients flow."""

from tallow.distributed.nn import functional
from tallow.distributed.nn.functional import all_gather, all_reduce
