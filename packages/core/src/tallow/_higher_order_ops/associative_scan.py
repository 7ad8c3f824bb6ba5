"""The name of a scan by any function, which programs ask for and call in compiled parts only."""

from tallow.left_out import never

__all__ = ["associative_scan"]

associative_scan = never(
    "_higher_order_ops.associative_scan",
    "write a loop, or cumsum, cumprod or logcumsumexp: docs/compatibility.md has them",
)
