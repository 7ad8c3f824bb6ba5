"""Special functions: `tallow.special`, and those that the main namespace has as well."""

import tallow.ops.special as ops
from tallow.dtypes import FLOATING
from tallow.elementwise import unary

__all__ = ["erf"]

erf = unary(
    "erf", ops.erf, "2/sqrt(pi) times the integral of exp(-t*t) from 0 to input.", high=FLOATING
)
