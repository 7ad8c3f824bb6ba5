"""Filters with feedback, as the compiled kernels do them."""

from tallow.kernels.cpu import compiled
from tallow.ops import recursion

if hasattr(compiled, "recursive_filter"):  # tallow-kernels built before has none
    recursion.recursive_filter.on("cpu")(compiled.recursive_filter)
