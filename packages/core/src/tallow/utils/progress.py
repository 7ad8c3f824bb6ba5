"""A progress bar: tqdm's where it is installed, else a plain one; silent if not on a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["progress"]

PAUSE = 0.1  # seconds between two drawings


def progress(
    iterable: Iterable[Any] | None = None,
    desc: str = "",
    total: int | None = None,
    *,
    initial: int = 0,
    unit: str = "it",
) -> Any:
    """An iterable like the one given that shows on stderr how far it is.

    Without an iterable, `update(n)` counts up to `total`; "B" as `unit` shows kB, MB, ... It has
    tqdm's methods `set_postfix(**values)`, `set_description`, `update` and `close`, and is a
    context manager. Nothing is shown where stderr is not a terminal.

    >>> sum(progress(range(4), "adding"))
    6
    """
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)  # type: ignore[arg-type]
    if not sys.stderr.isatty() or find_spec("tqdm") is None:
        return _Plain(iterable, desc, total, initial, unit)
    tqdm = import_module("tqdm").tqdm
    return tqdm(iterable, desc, total, initial=initial, unit=unit, unit_scale=unit == "B")


class _Plain:
    """A line that is written anew: the description, how much is done, and the last values."""

    def __init__(self, iterable, desc, total, initial, unit):
        self.iterable = iterable
        self.desc = desc
        self.total = total
        self.n = initial
        self.unit = unit
        self.values = ""
        self.drawn = 0.0
        self.shown = sys.stderr.isatty()

    def __iter__(self) -> Iterator[Any]:
        with self:
            for item in self.iterable:
                yield item
                self.update(1)

    def __len__(self) -> int:
        return self.total

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        self.n += n
        if self.shown and time.monotonic() - self.drawn > PAUSE:
            self._draw()

    def set_description(self, desc: str) -> None:
        self.desc = desc

    def set_postfix(self, **values: Any) -> None:
        self.values = ", ".join(f"{name}={value}" for name, value in values.items())

    def close(self) -> None:
        if self.shown:
            self._draw("\n")
            self.shown = False

    def _draw(self, end=""):
        self.drawn = time.monotonic()
        scale, unit = (1e6, "MB") if self.unit == "B" else (1, self.unit)
        done = f"{self.n / scale:.0f}" + (f"/{self.total / scale:.0f}" if self.total else "")
        line = " ".join(part for part in (self.desc, done, unit, self.values) if part)
        print(f"\r{line}\x1b[K", end=end, file=sys.stderr, flush=True)
