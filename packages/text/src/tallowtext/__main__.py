"""`python -m tallowtext COMMAND ...`: texts taken apart, judged and written, from a terminal."""

import sys
from functools import partial

from tallow.utils import commands

COMMANDS = {  # modules of tallowtext.commands
    "tokenize": "the tokens of texts, those of one on a line",
    "neighbours": "the words whose vectors are nearest to a word's, with the cosines",
    "sentiment": "whether texts are positive or negative, and which words say so",
    "news": "what news are about: world, sports, business, or science and technology",
    "generate": "a text that a small GPT, trained on Shakespeare's plays, writes on from a prompt",
}
main = partial(commands.run, "tallowtext", __doc__, COMMANDS)

if __name__ == "__main__":
    sys.exit(main())
