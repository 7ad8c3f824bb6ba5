"""Checkpoints of a run: written whole or not at all, few of them kept, the newest one found."""

import json
import warnings
from contextlib import suppress
from pathlib import Path

from tallow.errors import ArgumentError, CheckpointError
from tallow.serialization import load, save
from tallow.serialization.atomic import replacing
from tallow.utils.download import digest_of

MANIFEST = "manifest.json"


class CheckpointManager:
    """The checkpoints in a directory: the last `keep`, and the best by a metric.

    `better` says whether a "higher" or a "lower" metric is better. A manifest holds the length and
    SHA-256 of each file. Whenever the process or the system ends, what was there before the call
    that it ended in is still there: a file appears once it is on disk, and is removed once the
    manifest no longer has it.

    >>> import tempfile
    >>> manager = CheckpointManager(tempfile.mkdtemp(), keep=2, better="lower")
    >>> for step, loss in enumerate([0.9, 0.4, 0.6, 0.5]):
    ...     _ = manager.save({"step": step}, step, metric=loss)
    >>> manager.steps()
    [1, 2, 3]
    >>> manager.load(), manager.load_best()
    ({'step': 3}, {'step': 1})
    """

    def __init__(self, directory, keep=3, better="higher"):
        if keep < 1 or better not in ("higher", "lower"):
            raise ArgumentError(
                "CheckpointManager: expected keep of 1 or more and better 'higher' or 'lower', got "
                f"{keep} and {better!r}"
            )
        self.directory = Path(directory)
        self.keep = keep
        self.better = better

    def save(self, state, step, metric=None):
        """Save a state, by `tallow.save`, as that of a step; returns the path of its file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"step-{step:010}.pt"
        save(state, path)
        entry = {
            "step": step, "metric": metric, "size": path.stat().st_size,
            "sha256": digest_of(path, "sha256"),
        }  # fmt: skip
        entries = [other for other in self._entries() if other["step"] != step] + [entry]
        entries.sort(key=lambda entry: entry["step"])
        kept = entries[-self.keep :]
        best = self._best(entries)
        if best is not None and best not in kept:
            kept.insert(0, best)
        with replacing(self.directory / MANIFEST) as temporary:
            Path(temporary).write_text(json.dumps({"checkpoints": kept}, indent=2) + "\n")
        self._remove_others(kept)
        return path

    def steps(self):
        """The steps of which there are checkpoints, in order."""
        return [entry["step"] for entry in self._entries()]

    def load(self, step=None, map_location=None):
        """The state of a step, or the newest whose file is whole; None if there is none at all."""
        entries = [entry for entry in self._entries() if step in (None, entry["step"])]
        if step is not None and not entries:
            raise CheckpointError(f"load: expected a checkpoint of step {step} in {self.directory}")
        return self._newest_whole(entries, map_location)

    def load_best(self, map_location=None):
        """The state with the best metric; None if none has one."""
        best = self._best(self._entries())
        return None if best is None else self._newest_whole([best], map_location)

    def _newest_whole(self, entries, map_location):
        for entry in reversed(entries):
            path = self._path(entry)
            if entry.get("sha256") in (None, digest_of(path, "sha256")):
                return load(path, map_location)
            warnings.warn(f"{path}: expected the file that was saved, got another", stacklevel=3)
        if entries:
            raise CheckpointError(
                f"load: expected a whole checkpoint in {self.directory}, got none"
            )
        return None

    def _entries(self):
        """What the manifest has, so far as files are there; without one, what the files' names say.

        A file that is newer than the manifest was written whole, but not yet entered.
        """
        names = {path.name for path in self.directory.glob("step-*.pt")}
        found = {int(name[5:-3]): {"step": int(name[5:-3]), "metric": None} for name in names}
        with suppress(OSError, ValueError, LookupError, TypeError):
            listed = json.loads((self.directory / MANIFEST).read_bytes())["checkpoints"]
            known = {entry["step"]: entry for entry in listed if entry["step"] in found}
            newest = max(known, default=-1)
            found = known | {step: e for step, e in found.items() if step > newest}
        return [found[step] for step in sorted(found)]

    def _best(self, entries):
        measured = [entry for entry in entries if entry.get("metric") is not None]
        choose = max if self.better == "higher" else min
        return choose(measured, key=lambda entry: entry["metric"], default=None)

    def _path(self, entry):
        return self.directory / f"step-{entry['step']:010}.pt"

    def _remove_others(self, kept):
        """Remove checkpoints that are no longer kept, and what writers left that were killed."""
        wanted = {self._path(entry) for entry in kept}
        for path in [*self.directory.glob("step-*.pt"), *self.directory.glob("*.tmp")]:
            if path not in wanted:
                path.unlink(missing_ok=True)
