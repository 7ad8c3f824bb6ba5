"""All kernels for CUDA: importing this module registers them."""

from importlib import import_module

for name in (
    "rows", "reduce", "norm", "windows", "chains", "index", "recurrent", "optimizers", "products",
    "convolution", "attention", "random",
):  # fmt: skip
    import_module(f"tallow.kernels.cuda.{name}")
