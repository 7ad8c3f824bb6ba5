"""Names for the annotations of programs that were written for TorchScript."""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035 (their names)

__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "List",
    "Optional", "Tuple", "Union",
]  # fmt: skip

# One element, or a list of so many of them.
BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = list
