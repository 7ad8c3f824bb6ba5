"""All kernels for CUDA: importing this module registers them."""

from importlib import import_module

for name in ("rows", "norm", "windows"):
    import_module(f"tallow.kernels.cuda.{name}")
