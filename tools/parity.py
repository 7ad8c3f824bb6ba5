"""Print how near tallowvision comes to torchvision: a table of all transforms, functionals and ops.

    python tools/parity.py

Each is called as the cases of tests/vision say, many of them with gradients, and compared with
torchvision where that is installed, else with what it gave (tests/vision/golden). The differences
are the largest: of integers (levels, of 255), and of floating-point numbers, relative to the
largest of their array.
"""

import argparse
import importlib.util
import inspect
import re
from pathlib import Path

import numpy as np

import tallow
from tallowvision import io, ops, transforms, tv_tensors, utils
from tallowvision.transforms import v2

TESTS = Path(__file__).parents[1] / "tests" / "vision"
FAMILIES = {"transforms": (tallow, v2, tv_tensors, utils, io), "ops": (tallow, ops)}
PREFIXES = {"T": v2, "F": v2.functional, "ops": ops}
NOT_COMPARED = {
    "T.Transform": "the base of the others", "T.Lambda": "calls a function of the user's",
    "T.functional": "a module", "F.register_kernel": "registers", "F.get_kernel": "looks up",
}  # fmt: skip


def cases_of(family):
    """The module with the cases of a family."""
    path = TESTS / family / "parity_cases.py"
    spec = importlib.util.spec_from_file_location(f"{family}_cases", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names_in(text):
    """The names that a case calls, as "T.Pad", "F.pad" and "ops.nms"."""
    found = {f"{kind}.{name}" for kind, name in re.findall(r"\b(T|F|ops)\.(\w+)", text)}
    if "pyramid." in text:
        found |= {f"ops.{name}" for name in re.findall(r"pyramid\.(\w+)", text)}
    return found


def public_names():
    """All of them that there are."""
    found = []
    for prefix, module in PREFIXES.items():
        for name in sorted(module.__all__):
            value = getattr(module, name)
            if callable(value) and not (inspect.isclass(value) and issubclass(value, ENUMS)):
                found.append(f"{prefix}.{name}")
    return found


ENUMS = (transforms.InterpolationMode, transforms.AutoAugmentPolicy)


def reference(family):
    """A function of (group, number, case): the arrays that torchvision gives, or gave."""
    if importlib.util.find_spec("torchvision"):
        import torch
        import torchvision
        from torchvision.transforms import v2 as theirs

        own = {
            "transforms": (
                torch, theirs, torchvision.tv_tensors, torchvision.utils, torchvision.io
            ),
            "ops": (torch, torchvision.ops),
        }  # fmt: skip
        cases = cases_of(family)
        return lambda group, number, case: cases.evaluate(group, case, *own[family])

    def recorded(group, number, case):
        golden = np.load(TESTS / "golden" / f"{family}_{group}.npz")
        keys = [key for key in golden.files if re.fullmatch(rf"{number}\.\d+", key)]
        return [golden[key] for key in sorted(keys, key=lambda key: int(key.partition(".")[2]))]

    return recorded


def difference(found, expected):
    """The largest differences of integers and of floats in lists of arrays."""
    levels, share = 0, 0.0
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        if ours.shape != theirs.shape:
            return np.inf, np.inf
        if not theirs.size:
            continue
        apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        apart = np.nan_to_num(apart[~(ours == theirs)], nan=np.inf)
        most = apart.max(initial=0)
        if theirs.dtype.kind == "f":
            share = max(share, most / max(np.abs(np.nan_to_num(theirs, posinf=0)).max(), 1e-30))
        else:
            levels = max(levels, int(most))
    return levels, share


def table(wanted):
    """Rows (name, number of cases, largest difference of integers, of floats)."""
    rows = {name: [0, 0, 0.0] for name in public_names() if wanted in name}
    for family, modules in FAMILIES.items():
        cases, expected = cases_of(family), reference(family)
        for group, texts in cases.GROUPS.items():
            for number, case in enumerate(texts):
                names = names_in(case) & rows.keys()
                if not names:
                    continue
                found = cases.evaluate(group, case, *modules)
                levels, share = difference(found, expected(group, number, case))
                for name in names:
                    count, most, largest = rows[name]
                    rows[name] = [count + 1, max(most, levels), max(largest, share)]
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", default="", help="a part of names: these only")
    print("| name | cases | integers | floats |\n|---|---:|---:|---:|")
    for name, (count, levels, share) in table(parser.parse_args().name).items():
        told = NOT_COMPARED.get(name, "not compared") if count == 0 else count
        print(f"| {name} | {told} | {levels} | {share:.1e} |")


if __name__ == "__main__":
    main()
