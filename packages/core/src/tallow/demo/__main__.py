"""`python -m tallow.demo`: the page, on this machine alone unless told otherwise."""

import argparse
import sys

from tallow import demo


def main(arguments=None):
    """Serve the page until interrupted; returns the exit status."""
    parser = argparse.ArgumentParser("python -m tallow.demo", description=demo.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, help="a free one from 7860, if not told")
    parser.add_argument("--open", action="store_true", help="open a browser")
    options = parser.parse_args(arguments)
    shown = demo.tabs()
    try:
        if not shown:
            raise ImportError(
                "tallow.demo: expected a package that has something to show, got none; install "
                "tallowvision, tallowtext or tallowaudio"
            )
        demo.serve(shown, options.host, options.port, options.open)
    except (ImportError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
