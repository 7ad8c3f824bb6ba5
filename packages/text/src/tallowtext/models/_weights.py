"""Weights that came with the package, and what goes with them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import tallow
from tallow.errors import ArgumentError

FOLDER = Path(__file__).with_name("weights")


@dataclass(frozen=True, eq=False)
class Weights:
    """A file in FOLDER, what makes inputs for its model (`transforms()`), and facts (`meta`).

    `meta` has "task", "num_params", "metrics", "sha256" of the file, and "card", the path of a page
    about data and their terms, recipe and limits; and "categories" where there are classes.
    """

    file: str
    transforms: Callable[..., Any]
    meta: dict[str, Any]

    @property
    def path(self):
        return FOLDER / self.file


class WeightsEnum(Enum):
    """The weights that there are for one model; each value is a `Weights`. DEFAULT is the best."""

    @classmethod
    def verify(cls, obj):
        """The member that `obj` is, or is the name of; None for None."""
        if isinstance(obj, str) and obj in cls.__members__:
            return cls[obj]
        if obj is not None and not isinstance(obj, cls):
            names = ", ".join(cls.__members__)
            raise ArgumentError(f"weights: expected one of {cls.__name__}'s {names}, got {obj!r}")
        return obj

    def get_state_dict(self):
        """The weights, as float32."""
        state = tallow.load(self.value.path)
        return {name: tensor.float() for name, tensor in state.items()}

    def __repr__(self):
        return f"{type(self).__name__}.{self.name}"

    @property
    def path(self):
        return self.value.path

    @property
    def transforms(self):
        return self.value.transforms

    @property
    def meta(self):
        return self.value.meta
