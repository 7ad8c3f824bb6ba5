"""Weights by their address, and models that a repository's `hubconf.py` offers.

Files are kept in `get_dir()`: $TALLOW_HOME/hub, or ~/.cache/tallow/hub. Loading a model from a
repository runs its code; loading weights runs nobody's.
"""

import os
import re
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from urllib.parse import urlparse

from tallow.errors import ArgumentError, NotSupportedError
from tallow.serialization import load as load_file
from tallow.utils.download import digest_of, extract, fetch
from tallow.utils.progress import progress as tqdm  # noqa: F401 programs import it from here

__all__ = [
    "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
    "set_dir",
]  # fmt: skip

GITHUB = "https://codeload.github.com"
HASH_REGEX = re.compile(r"-([a-f0-9]{8,64})\.")  # in a file's name: the start of its SHA-256

_chosen = None  # by `set_dir`


def get_dir():
    """The folder for downloads, as a string."""
    if _chosen is not None:
        return _chosen
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TALLOW_HOME", os.path.join(cache, "tallow"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d):
    """Keep downloads in folder `d` from now on."""
    global _chosen
    _chosen = os.path.expanduser(d)


def download_url_to_file(url, dst, hash_prefix=None, progress=True):
    """Download a file to the path `dst`.

    `hash_prefix` is what its SHA-256 begins with, in hexadecimal: RuntimeError if it does not, and
    nothing is left at `dst`.
    """
    dst = Path(dst)
    dst.unlink(missing_ok=True)
    fetch(url, dst, progress=progress)
    _check(dst, hash_prefix)


def _check(path, prefix):
    if prefix and not digest_of(path, "sha256").startswith(prefix.lower()):
        path.unlink()
        raise RuntimeError(f"{path}: expected a SHA-256 that begins with {prefix}, got another")


def load_state_dict_from_url(
    url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None,
    weights_only=True,
):  # fmt: skip
    """The state dict in a file at `url`, downloaded unless it is in `model_dir` already.

    `model_dir` is `get_dir()/checkpoints` unless told. With `check_hash` the file's name ends in
    `-<start of its SHA-256>.ext`, which is verified. No code in the file is run, whatever
    `weights_only` says.
    """
    folder = Path(get_dir(), "checkpoints") if model_dir is None else Path(model_dir)
    path = folder / (file_name or os.path.basename(urlparse(url).path))
    if not path.exists():
        found = HASH_REGEX.search(path.name) if check_hash else None
        if check_hash and found is None:
            raise ArgumentError(
                f"check_hash: expected a name like name-<hash>.pth, got {path.name}"
            )
        fetch(url, path, progress=progress)
        _check(path, found and found[1])
    return load_file(path, map_location=map_location)


# Repositories


def list(github, force_reload=False, skip_validation=False, trust_repo=None, verbose=True):
    """The names of the models that a repository offers. This runs its `hubconf.py`."""
    module = _entry_points(_folder(github, "github", force_reload, trust_repo))
    return [name for name, f in vars(module).items() if callable(f) and not name.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo=None):
    """The docstring of a model that a repository offers. This runs its `hubconf.py`."""
    return _entry_point(_folder(github, "github", force_reload, trust_repo), model).__doc__


def load(
    repo_or_dir, model, *args, source="github", trust_repo=None, force_reload=False, verbose=True,
    skip_validation=False, **kwargs,
):  # fmt: skip
    """The model that `model(*args, **kwargs)` in the `hubconf.py` of a repository makes.

    `repo_or_dir` is a folder with `source="local"`, else "owner/name" or "owner/name:branch" on
    GitHub, which is downloaded once, and needs `trust_repo=True` since its code is run.
    """
    return _entry_point(_folder(repo_or_dir, source, force_reload, trust_repo), model)(
        *args, **kwargs
    )


def _folder(repository, source, force_reload, trusted):
    """The folder of a repository, downloaded if need be."""
    if source == "local":
        return Path(repository)
    if source != "github":
        raise ArgumentError(f"hub: expected source 'github' or 'local', got {source!r}")
    match = re.fullmatch(r"([\w.-]+)/([\w.-]+)(?::([\w./-]+))?", repository)
    if match is None:
        raise ArgumentError(
            f"hub: expected 'owner/name' or 'owner/name:branch', got {repository!r}"
        )
    if trusted is not True:
        raise NotSupportedError(
            f"hub: expected trust_repo=True to run the code of {repository}, got {trusted!r}; read "
            "its hubconf.py first"
        )
    owner, name, branch = match[1], match[2], match[3] or "main"
    target = Path(get_dir(), f"{owner}_{name}_{branch.replace('/', '_')}")
    if force_reload or not target.exists():
        archive = target.with_suffix(".zip")
        archive.unlink(missing_ok=True)
        fetch(f"{GITHUB}/{owner}/{name}/zip/refs/heads/{branch}", archive)
        extract(archive, target, remove_finished=True)
    inner = [entry for entry in target.iterdir() if entry.is_dir()]
    return inner[0] if len(inner) == 1 and not (target / "hubconf.py").exists() else target


def _entry_points(folder):
    """The module `hubconf.py` of a folder, run with the folder first on the path."""
    path = folder / "hubconf.py"
    if not path.is_file():
        raise ArgumentError(f"hub: expected a file hubconf.py in {folder}, got none")
    spec = spec_from_file_location("hubconf", path)
    module = module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    needed = getattr(module, "dependencies", [])
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise RuntimeError(f"hub: {path} needs {', '.join(missing)}; install them first")
    return module


def _entry_point(folder, model):
    found = getattr(_entry_points(folder), model, None)
    if not callable(found):
        raise RuntimeError(f"hub: expected a function {model} in {folder / 'hubconf.py'}, got none")
    return found
