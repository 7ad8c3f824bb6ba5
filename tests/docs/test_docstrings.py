"""The examples in every docstring run, and print what they say."""

import doctest
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDS = {
    "tallow.kernels.cuda.opening": "cupy", "tallow.kernels.cuda.memory": "cupy",
    "tallow.distributed.nccl": "cupy", "tallow.distributed.mpi": "mpi4py",
}  # fmt: skip
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules():
    """The names of all modules of core and of the domain packages that are installed."""
    for package in ("tallow", "tallowvision", "tallowtext", "tallowaudio"):
        spec = find_spec(package)
        for folder in spec.submodule_search_locations if spec else ():
            for path in Path(folder).rglob("*.py"):
                parts = path.relative_to(Path(folder).parent).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("module", sorted(modules()))
def test_examples_run(module, tmp_path, monkeypatch):
    for name, needed in NEEDS.items():
        if module.startswith(name):
            pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    names = {"tallow": import_module("tallow")}  # what an example need not import
    failed, _ = doctest.testmod(import_module(module), extraglobs=names, optionflags=OPTIONS)
    assert not failed


def test_examples_are_found():
    finder = doctest.DocTestFinder()
    found = [
        t
        for name in ("tallow.creation", "tallow.nn.module")
        for t in finder.find(import_module(name))
    ]
    assert sum(len(test.examples) for test in found) > 5
