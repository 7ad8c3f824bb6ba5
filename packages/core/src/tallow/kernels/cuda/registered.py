"""All kernels for CUDA: importing this module registers them."""

from tallow.kernels.cuda import rows
