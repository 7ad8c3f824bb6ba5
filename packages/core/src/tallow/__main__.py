"""`python -m tallow run script.py [arguments]`: a script written for PyTorch, run on tallow."""

import os
import runpy
import sys

from tallow.imitation import PAGE, as_torch

USAGE = "usage: python -m tallow run script.py [arguments]"


def main(arguments):
    """Run a script as Python would, with tallow's packages in place of PyTorch's."""
    if len(arguments) < 2 or arguments[0] != "run":
        sys.exit(USAGE)
    script = arguments[1]
    if not os.path.exists(script):
        sys.exit(f"tallow: expected a script, got {script}, which does not exist")
    as_torch()
    sys.argv = arguments[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except (AttributeError, ImportError, NotImplementedError) as error:
        error.add_note(f"tallow: {PAGE} says which of PyTorch's names there are")
        raise


if __name__ == "__main__":
    main(sys.argv[1:])
