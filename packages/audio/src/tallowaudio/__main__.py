"""`python -m tallowaudio COMMAND ...`: sound files looked at and changed from a terminal."""

import argparse
import sys
from importlib import import_module

from tallow.errors import TallowError

# A command is a module tallowaudio.commands.NAME with `arguments(parser)` and `run(options)`, which
# returns the exit status. Only the one that is called is imported.
COMMANDS = {
    "info": "what sound files hold: rate, channels, duration, encoding",
    "spectrogram": "a picture of a sound file: time to the right, frequency upward",
    "convert": "a sound file in another format, at another rate, as a part, in mono",
    "transcribe": "what is said in sound files: digits, or what a saved recogniser knows",
}


def main(arguments=None):
    """Run a command; returns its exit status: 0, 1 for a file that failed, 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser("python -m tallowaudio", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help=_listing(), metavar="COMMAND")
    name = parser.parse_args(arguments[:1]).command
    command = import_module(f"tallowaudio.commands.{name}")
    parser = argparse.ArgumentParser(f"python -m tallowaudio {name}", description=COMMANDS[name])
    command.arguments(parser)
    options = parser.parse_args(arguments[1:])
    try:
        return command.run(options)
    except (TallowError, OSError) as error:
        print(f"tallowaudio {name}: {error}", file=sys.stderr)
        return 1


def _listing():
    return "; ".join(f"{name}: {text}" for name, text in COMMANDS.items())


if __name__ == "__main__":
    sys.exit(main())
