"""Write docs/compatibility.md: which of PyTorch's public names tallow has, and why others are not.

    python tools/compatibility.py INVENTORY

INVENTORY is a JSON file that maps each of PyTorch's namespaces ("torch.nn", "torchvision.io", ...)
to a list of {"name", "tier", "status"}: tier 1 holds the names that programs use most, and names
that PyTorch has removed or deprecates are not counted. A name counts as there if it resolves, under
tallow's name for the package, to something that can be used.
"""

import json
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

PACKAGES = {
    "torch": "tallow",
    "torchvision": "tallowvision",
    "torchaudio": "tallowaudio",
    "torchtext": "tallowtext",
}
PAGE = Path(__file__).parent.parent / "docs" / "compatibility.md"
HEAD = """\
# Compatibility

Which public names of PyTorch 2.13, TorchVision 0.28, TorchAudio 2.11 and TorchText 0.18 are here.
Tier 1 holds the names that programs use most, tier 2 those that they use at times, tier 3 the rest.
This page is made by `tools/compatibility.py`.

## In figures
"""


def resolves(namespace, name):
    """True if tallow has the name where PyTorch has it."""
    package, _, rest = namespace.partition(" ")[0].partition(".")
    path = ".".join(filter(None, (PACKAGES[package], rest, name)))
    try:
        _resolve(path)
    except (ImportError, AttributeError, NotImplementedError):
        return False
    return True


def _resolve(path):
    """The module, or the class within one, at a dotted path."""
    try:
        return import_module(path)
    except ImportError:
        parent, _, name = path.rpartition(".")
        if not parent:
            raise
        return getattr(_resolve(parent), name)


def main(inventory):
    left_out = import_module("tallow.left_out").LEFT_OUT
    missing, counts = {}, defaultdict(lambda: [0, 0])
    for namespace, entries in inventory.items():
        for entry in entries:
            if not entry["status"].startswith(("current", "retired")) or "legacy" in namespace:
                continue
            count = counts[namespace.partition(".")[0].partition(" ")[0], entry["tier"]]
            count[1] += 1
            if resolves(namespace, entry["name"]):
                count[0] += 1
            else:
                missing.setdefault(namespace, []).append(entry)
    lines = [HEAD, "| package | tier 1 | tier 2 | tier 3 |", "|---|---:|---:|---:|"]
    for package, ours in PACKAGES.items():
        cells = [f"{counts[package, tier][0]} of {counts[package, tier][1]}" for tier in (1, 2, 3)]
        lines.append(f"| `{ours}` | {' | '.join(cells)} |")
    lines += ["", "## Left out on purpose", "", "| name | why |", "|---|---|"]
    lines += [f"| `{name}` | {reason} |" for name, reason in sorted(left_out.items())]
    lines += ["", "## Not here yet", ""]
    for namespace, entries in missing.items():
        absent = [e for e in entries if f"{namespace}.{e['name']}" not in left_out]
        for tier in (1, 2, 3):
            names = [f"`{entry['name']}`" for entry in absent if entry["tier"] == tier]
            if names:
                lines.append(f"- {namespace}, tier {tier}: {', '.join(names)}")
    PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
