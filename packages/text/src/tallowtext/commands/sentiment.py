"""`python -m tallowtext sentiment TEXT ...`."""

from functools import partial

from tallowtext.commands._classify import arguments, classify

__all__ = ["arguments", "run"]

run = partial(classify, "sentiment")
