"""Files from the network, under torchtext's names."""

import os
from pathlib import Path

from tallow.errors import ArgumentError
from tallow.utils.datasets import digest_of, extract, fetch
from tallowtext._files import asset

__all__ = ["download_from_url", "extract_archive", "get_asset_local_path", "validate_file"]


def download_from_url(
    url, path=None, root=".data", overwrite=False, hash_value=None, hash_type="sha256"
):
    """The path of the file at an address, downloaded to `path` or into `root`, and verified."""
    path = Path(root, url.rpartition("/")[2]) if path is None else Path(path)
    if overwrite:
        path.unlink(missing_ok=True)
    return str(fetch(url, path.absolute(), hash_value and f"{hash_type}:{hash_value}"))


def extract_archive(from_path, to_path=None, overwrite=False):
    """Unpack an archive, by default beside itself: the paths of the files that are new.

    What is there already is replaced.
    """
    folder = Path(to_path or Path(from_path).parent)
    before = {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file()}
    extract(from_path, folder)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [str(path) for path in files if before.get(path) != path.stat().st_ino]


def get_asset_local_path(asset_path, overwrite=False):
    """A path as it is, or that of the file at an address, downloaded once into the cache."""
    path = asset(asset_path)
    if overwrite and path != asset_path:
        os.unlink(path)
        path = asset(asset_path)
    return str(path)


def validate_file(path, hash_value, hash_type="sha256"):
    """True if a file, a path or opened for reading bytes, has a digest in hexadecimal."""
    if hash_type not in ("sha256", "md5"):
        raise ArgumentError(f"validate_file: expected 'sha256' or 'md5', got {hash_type!r}")
    path = path.name if hasattr(path, "read") else path
    return digest_of(path, hash_type) == hash_value
