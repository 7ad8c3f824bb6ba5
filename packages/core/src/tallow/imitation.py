"""Serving `import torch` and its kin by tallow's packages, for programs written for PyTorch."""

import builtins
import multiprocessing.spawn
import sys
from email.message import Message
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
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
    "tallow._dynamo._trace_wrapped_higher_order_op": "tallow._dynamo",
    "tallow._subclasses": "tallow.fx.experimental.proxy_tensor",
    "tallow._subclasses.fake_tensor": "tallow.fx.experimental.proxy_tensor",
    "tallow._C._functorch": "tallow._functorch",
    "tallow._functorch.vmap": "tallow._functorch",
    "tallow._tensor": "tallow.tensor",
    "tallow._tensor_str": "tallow.formatting",
    "tallow.amp.autocast_mode": "tallow.amp",
    "tallow.autograd.grad_mode": "tallow.autograd",
    "tallow.cuda.amp.autocast_mode": "tallow.cuda.amp",
    "tallow.cuda.amp.grad_scaler": "tallow.cuda.amp",
    "tallow.cuda.random": "tallow.cuda",
    "tallow.distributed._composable": "tallow.distributed",
    "tallow.distributed._composable.fsdp": "tallow.distributed.fsdp",
    "tallow.distributed._tensor": "tallow.distributed.tensor",
    "tallow.distributed.checkpoint.hf_storage": "tallow.distributed.checkpoint",
    "tallow.distributed.fsdp.fully_sharded_data_parallel": "tallow.distributed.fsdp",
    "tallow.distributed.fsdp.wrap": "tallow.distributed.fsdp",
    "tallow.distributed.tensor._utils": "tallow.distributed.tensor",
    "tallow.distributed.tensor.placement_types": "tallow.distributed.tensor",
    "tallow.functional": "tallow",
    "tallow.nn.modules.channelshuffle": "tallow.nn",
    "tallow.nn.parallel.scatter_gather": "tallow.nn.parallel",
    "tallow.utils.data._utils": "tallow.utils.data",
    "tallow.utils.data._utils.pin_memory": "tallow.utils.data.inner",
    "tallow.utils.data._utils.worker": "tallow.utils.data.inner",
    "tallow.utils.data._utils.collate": "tallow.utils.data.collate",
    "tallow.utils.tensorboard.writer": "tallow.utils.tensorboard",
    "tallowvision.transforms.transforms": "tallowvision.transforms",
}  # where PyTorch has modules of its own, that some programs import names from
PATHS |= {f"tallow.distributions.{name}": "tallow.distributions" for name in """
    binomial cauchy chi2 continuous_bernoulli dirichlet exp_family exponential fishersnedecor
    geometric gumbel half_cauchy half_normal inverse_gamma kumaraswamy laplace lkj_cholesky
    log_normal logistic_normal lowrank_multivariate_normal multinomial negative_binomial
    one_hot_categorical pareto poisson relaxed_bernoulli relaxed_categorical studentT weibull
""".split()}  # fmt: skip
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
        if name in sys.modules and sys.modules[name] is not sys.modules.get(ours):
            raise RuntimeError(f"as_torch: expected to be called before {name} is imported")
    names.package = "torch"
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        multiprocessing.spawn.get_preparation_data = _prepared
        builtins.__build_class__ = _build_class


class _AsTorch:
    """What calls `as_torch` where it is unpickled."""

    def __reduce__(self):
        return as_torch, ()


_own_build_class = builtins.__build_class__


def _build_class(*args, **options):
    """Every class statement: one with a `__torch_function__` has functions ask it from then on."""
    cls = _own_build_class(*args, **options)
    if isinstance(getattr(cls, "__dict__", {}).get("__torch_function__"), classmethod):
        import_module("tallow.overrides").ask_arguments()
    return cls


_own_preparation = multiprocessing.spawn.get_preparation_data


def _prepared(name):
    """What a process that is started anew gets first, before it imports the program."""
    return _own_preparation(name) | {"tallow": _AsTorch()}


class _Installed(Distribution):
    """PyTorch's package as one that is installed: its name, its version, and no files."""

    def __init__(self, name, ours):
        self.names = {"Name": name, "Version": f"{VERSIONS[ours]}+tallow"}

    @property
    def metadata(self):
        message = Message()
        for key, value in self.names.items():
            message[key] = value
        return message

    def read_text(self, filename):
        return None

    def locate_file(self, path):
        raise FileNotFoundError(f"{path}: {self.names['Name']} is served by tallow")


_EVERY = DistributionFinder.Context()


class _Finder(MetaPathFinder):
    """Finds what is called torch.* under tallow's name for it, and which version it is."""

    def find_distributions(self, context=_EVERY):
        """What is installed, for programs that ask so for PyTorch's version."""
        for name, ours in PACKAGES.items():
            if context.name in (None, name) and _exists(ours):
                yield _Installed(name, ours)

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
            module.__name__ = spec.name  # programs compare it
            setattr(module, spec.name, module)  # torch.torch is torch
        for name in getattr(module, "__all__", ()):  # programs look into models.__dict__
            setattr(module, name, getattr(module, name))
        return module

    def exec_module(self, module):
        theirs = module.__spec__.name
        module.__spec__ = self.spec  # the import system has put that of the other name there
        if not hasattr(module, "__path__"):
            module.__path__ = []  # so that what is imported from within it comes to the finder
        if theirs == "torch.nn":  # of whose modules some programs change functions
            names = [name for name in sys.modules if name.startswith("tallow.nn.")]
            sys.modules.update({f"torch{n[6:]}": sys.modules[n] for n in names})
