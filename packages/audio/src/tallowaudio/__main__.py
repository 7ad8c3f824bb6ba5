"""`python -m tallowaudio COMMAND ...`: sound files looked at and changed from a terminal."""

import sys
from functools import partial

from tallow.utils import commands

COMMANDS = {  # modules of tallowaudio.commands
    "info": "what sound files hold: rate, channels, duration, encoding",
    "spectrogram": "a picture of a sound file: time to the right, frequency upward",
    "convert": "a sound file in another format, at another rate, as a part, in mono",
    "transcribe": "what is said in sound files: digits, or what a saved recogniser knows",
}
main = partial(commands.run, "tallowaudio", __doc__, COMMANDS)

if __name__ == "__main__":
    sys.exit(main())
