"""`python -m tallowvision COMMAND ...`: pictures seen by networks, from a terminal."""

import sys
from functools import partial

from tallow.utils import commands

COMMANDS = {  # modules of tallowvision.commands
    "augment": "what random transforms make of pictures: a sheet of examples",
    "classify": "what is in pictures: the likeliest classes of each",
    "detect": "where things are in pictures: their classes and boxes",
    "segment": "what each pixel of pictures shows",
}
main = partial(commands.run, "tallowvision", __doc__, COMMANDS)

if __name__ == "__main__":
    sys.exit(main())
