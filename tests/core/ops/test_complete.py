"""Every operation has a case, and its rules keep to operators and other operations."""

import importlib
import pkgutil
import runpy
from pathlib import Path

import tallow.ops
from tallow.autograd import builtin
from tallow.autograd.op import REGISTRY

MODULES = [builtin] + [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(tallow.ops.__path__, "tallow.ops.")
]
OPS = {
    made.op: f"{module.__name__}.{name}"
    for module in MODULES
    for name, made in vars(module).items()
    if hasattr(made, "op") and made.__module__ == module.__name__
}


def cases():
    """All cases in the files beside this one."""
    files = sorted(set(Path(__file__).parent.glob("test_*.py")) - {Path(__file__)})
    return [case for file in files for case in runpy.run_path(str(file)).get("CASES", ())]


def test_every_operation_has_a_case():
    covered = {case.op for case in cases()}
    assert not sorted(name for made, name in OPS.items() if made not in covered)


def test_names_are_unique():
    names = sorted(made.name for made in OPS)
    assert [a for a, b in zip(names, names[1:], strict=False) if a == b] == []
    assert all(REGISTRY[made.name] is made for made in OPS)
