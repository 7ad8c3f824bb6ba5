"""The examples in every docstring run, and print what they say."""

import doctest
import pkgutil
from importlib import import_module
from importlib.util import find_spec

import pytest

NEEDS = {"tallow.kernels.cuda": "cupy"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules():
    """The names of all modules of core and of the domain packages that are installed."""
    for package in ("tallow", "tallowvision", "tallowtext", "tallowaudio"):
        if find_spec(package):
            path = import_module(package).__path__
            yield package
            yield from (found.name for found in pkgutil.walk_packages(path, f"{package}."))


@pytest.mark.parametrize("module", sorted(modules()))
def test_examples_run(module, tmp_path, monkeypatch):
    for name, needed in NEEDS.items():
        if module.startswith(name):
            pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(import_module(module), optionflags=OPTIONS)
    assert not failed


def test_examples_are_found():
    finder = doctest.DocTestFinder()
    found = [
        t
        for name in ("tallow.creation", "tallow.nn.module")
        for t in finder.find(import_module(name))
    ]
    assert sum(len(test.examples) for test in found) > 5
