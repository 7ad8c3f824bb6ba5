"""`python -m tallowvision COMMAND ...`: pictures seen by networks, from a terminal."""

import argparse
import sys
from importlib import import_module

from tallow.errors import TallowError

# A command is a module tallowvision.commands.NAME with `arguments(parser)` and `run(options)`; this
# returns the exit status. Only the one that is called is imported.
COMMANDS = {
    "classify": "what is in pictures: the likeliest classes of each",
    "detect": "where things are in pictures: their classes and boxes",
    "segment": "what each pixel of pictures shows",
}


def main(arguments=None):
    """Run a command; returns its exit status: 0, 1 for a file that failed, 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser("python -m tallowvision", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help=_listing(), metavar="COMMAND")
    name = parser.parse_args(arguments[:1]).command
    command = import_module(f"tallowvision.commands.{name}")
    parser = argparse.ArgumentParser(f"python -m tallowvision {name}", description=COMMANDS[name])
    command.arguments(parser)
    options = parser.parse_args(arguments[1:])
    try:
        return command.run(options)
    except (TallowError, OSError) as error:
        print(f"tallowvision {name}: {error}", file=sys.stderr)
        return 1


def _listing():
    return "; ".join(f"{name}: {text}" for name, text in COMMANDS.items())


if __name__ == "__main__":
    sys.exit(main())
