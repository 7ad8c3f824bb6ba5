"""What the programs of packages share: commands by name, files by name, an exit status.

A command is a module `PACKAGE.commands.NAME` with `arguments(parser)` and `run(options)`, which
returns the exit status: 0, or 1 if something failed. Only the one that is called is imported.
"""

import argparse
import glob
import os
import sys
from importlib import import_module

from tallow.errors import ArgumentError, TallowError
from tallow.utils.progress import progress

__all__ = ["each", "find", "run"]


def run(package, description, commands, arguments=None):
    """Run the command that the arguments, or the program's, name; returns its exit status.

    `commands` are names with a line about each. An error is printed in a line, and its status is 1;
    wrong usage exits with 2.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    listing = "; ".join(f"{name}: {text}" for name, text in commands.items())
    parser = argparse.ArgumentParser(f"python -m {package}", description=description)
    parser.add_argument("command", choices=commands, help=listing, metavar="COMMAND")
    name = parser.parse_args(arguments[:1]).command
    command = import_module(f"{package}.commands.{name}")
    parser = argparse.ArgumentParser(f"python -m {package} {name}", description=commands[name])
    command.arguments(parser)
    options = parser.parse_args(arguments[1:])
    try:
        return command.run(options)
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (TallowError, OSError) as error:
        _tell(f"{package} {name}", error)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells have it


def find(names, endings, kind):
    """The paths that names stand for: files, those in folders, and what fits patterns, in order.

    Of a folder the files count whose names have one of the `endings`, a tuple. ArgumentError if
    there are none; `kind`, such as "pictures", is what it then says.
    """
    return [path for name in names for path in _found(name, endings, kind)]


def _found(name, endings, kind):
    name = os.fspath(name)
    if os.path.isdir(name):
        below = sorted(os.path.join(at, file) for at, _, files in os.walk(name) for file in files)
        found, where = [path for path in below if path.lower().endswith(endings)], "in the folder"
    elif glob.has_magic(name) and not os.path.exists(name):
        found, where = sorted(glob.glob(name, recursive=True)), "that fit the pattern"
    else:
        return [name]
    if not found:
        raise ArgumentError(f"{name}: expected {kind} {where}, got none")
    return found


def each(items, answer, program, unit="file", total=None):
    """Print `answer(item)` for each item; returns the exit status.

    An error of one is told, and the next one's turn comes. Progress is shown on a terminal, unless
    the answers themselves are; `total` is how many items there are, where they have no length.
    """
    status = 0
    for item in items if sys.stdout.isatty() else progress(items, program, total, unit=unit):
        try:
            line = answer(item)
        except (TallowError, OSError) as error:
            _tell(program, error)
            status = 1
        else:
            print(line, flush=True)
    return status


def _tell(program, error):
    print(f"{program}: {error}", file=sys.stderr)
