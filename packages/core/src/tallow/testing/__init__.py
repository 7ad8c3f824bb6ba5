"""What tests need: `assert_close`, `make_tensor`, and cases of operations (`Case`, `checks`)."""

from tallow.testing.cases import Case, at_kink, bools, draw, given, ints
from tallow.testing.checks import checks
from tallow.testing.comparison import assert_close
from tallow.testing.making import make_tensor

__all__ = [
    "Case", "assert_close", "at_kink", "bools", "checks", "draw", "given", "ints", "make_tensor",
]  # fmt: skip
