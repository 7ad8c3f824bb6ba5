"""What this is a version of, under the names that programs ask for."""

import tallow

cuda = hip = xpu = None  # nothing is built against them: CUDA's is found when it is first used
debug = False
git_version = "unknown"


def __getattr__(name):
    """`__version__`: that of the package, which `as_torch` changes."""
    if name == "__version__":
        return tallow.__version__
    raise AttributeError(f"module 'tallow.version' has no attribute {name!r}")
