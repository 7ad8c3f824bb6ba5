"""Serving `import torch` and its kin by tallow's packages, for programs written for PyTorch."""

import multiprocessing.spawn
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

from tallow import names

PACKAGES = {
    "torch": "tallow",
    "torchaudio": "tallowaudio",
    "torchtext": "tallowtext",
    "torchvision": "tallowvision",
}
VERSIONS = {
    "tallow": "2.13.0",
    "tallowaudio": "2.11.0",
    "tallowtext": "0.18.0",
    "tallowvision": "0.28.0",
}  # whose names they have: programs ask for the version
PATHS = {
    "tallow._tensor": "tallow.tensor",
    "tallow.amp.autocast_mode": "tallow.amp",
    "tallow.autograd.grad_mode": "tallow.autograd",
    "tallow.cuda.amp.autocast_mode": "tallow.cuda.amp",
    "tallow.cuda.amp.grad_scaler": "tallow.cuda.amp",
    "tallow.cuda.random": "tallow.cuda",
    "tallow.functional": "tallow",
    "tallow.nn.modules.channelshuffle": "tallow.nn",
    "tallow.nn.parallel.scatter_gather": "tallow.nn.parallel",
    "tallow.utils.data._utils": "tallow.utils.data",
    "tallow.utils.data._utils.collate": "tallow.utils.data",
    "tallow.utils.tensorboard.writer": "tallow.utils.tensorboard",
    "tallowvision.transforms.transforms": "tallowvision.transforms",
}  # where PyTorch has modules of its own, that some programs import names from
PAGE = "docs/compatibility.md"  # what of PyTorch there is


def as_torch():
    """From now on in this process, `import torch` (torchvision, ...) imports tallow's packages.

    RuntimeError if PyTorch itself has been imported before. A module that tallow lacks is an
    ImportError that names it. `__version__` says which version of PyTorch's the names are of, and
    that they are tallow's: "2.13.0+tallow.0.1.0"; dtypes and sizes print as torch's. Call it
    first in a program, as `python -m tallow run` does:

        import tallow

        tallow.as_torch()
        import torch  # is tallow
    """
    for name, ours in PACKAGES.items():
        if name in sys.modules and sys.modules[name].__name__ != ours:
            raise RuntimeError(f"as_torch: expected to be called before {name} is imported")
    names.package = "torch"
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        multiprocessing.spawn.get_preparation_data = _prepared


class _AsTorch:
    """What calls `as_torch` where it is unpickled."""

    def __reduce__(self):
        return as_torch, ()


_own_preparation = multiprocessing.spawn.get_preparation_data


def _prepared(name):
    """What a process that is started anew gets first, before it imports the program."""
    return _own_preparation(name) | {"tallow": _AsTorch()}


class _Finder(MetaPathFinder):
    """Finds what is called torch.* under tallow's name for it."""

    def find_spec(self, fullname, path=None, target=None):
        package, dot, rest = fullname.partition(".")
        if package not in PACKAGES:
            return None
        ours = PACKAGES[package] + dot + rest
        ours = PATHS.get(ours, ours)
        if _exists(ours):
            return ModuleSpec(fullname, _Loader(ours))
        hint = f"install {PACKAGES[package]}" if not rest else f"{PAGE} says what it has"
        raise ModuleNotFoundError(f"{fullname}: tallow has no module {ours}; {hint}", name=fullname)


def _exists(name):
    try:
        return name in sys.modules or find_spec(name) is not None
    except ModuleNotFoundError:  # a package that it would be in
        return False


class _Loader(Loader):
    """Gives the module of ours itself: it is the same one under both names."""

    def __init__(self, ours):
        self.ours = ours

    def create_module(self, spec):
        module = import_module(self.ours)
        self.spec = module.__spec__
        if self.ours in VERSIONS and "+" not in module.__version__:
            module.__version__ = f"{VERSIONS[self.ours]}+tallow.{module.__version__}"
        for name in getattr(module, "__all__", ()):  # programs look into models.__dict__
            setattr(module, name, getattr(module, name))
        return module

    def exec_module(self, module):
        if not hasattr(module, "__path__"):
            module.__path__ = []  # so that what is imported from within it comes to the finder
        module.__spec__ = self.spec  # the import system has put that of the other name there
