"""What the datasets share: arguments, downloading, unpacking, under torchvision's names."""

import os
from pathlib import Path

from tallow.errors import ArgumentError
from tallow.utils.datasets import digest_of, extract, fetch
from tallowvision._errors import MissingPackageError

__all__ = [
    "MissingPackageError", "check_integrity", "download_and_extract_archive", "download_url",
    "extract_archive", "list_dir", "list_files", "verify_str_arg",
]  # fmt: skip


def verify_str_arg(value, arg=None, valid_values=None):
    """`value` if it is a string and one of `valid_values`, else ArgumentError."""
    if not isinstance(value, str) or (valid_values is not None and value not in valid_values):
        known = f"one of {', '.join(valid_values)}" if valid_values is not None else "a string"
        raise ArgumentError(f"{arg or 'argument'}: expected {known}, got {value!r}")
    return value


def check_integrity(fpath, md5=None):
    """True if a file exists, and has this digest if one is given."""
    return os.path.isfile(fpath) and (md5 is None or digest_of(fpath) == md5)


def download_url(url, root, filename=None, md5=None):
    """The file at an address (or at one of a list) in the folder `root`; see `download.fetch`."""
    first = url if isinstance(url, str) else url[0]
    path = Path(root).expanduser() / (filename or first.rpartition("/")[2])
    return fetch(url, path, md5 and f"md5:{md5}")


def extract_archive(from_path, to_path=None, remove_finished=False):
    """Unpack an archive; see `download.extract`."""
    return str(extract(from_path, to_path, remove_finished))


def download_and_extract_archive(
    url, download_root, extract_root=None, filename=None, md5=None, remove_finished=False
):
    """`download_url`, then `extract_archive`."""
    archive = download_url(url, download_root, filename, md5)
    extract(archive, extract_root or archive.parent, remove_finished)


def list_dir(root, prefix=False):
    """The folders in a folder: their names, or their paths with `prefix`."""
    return _entries(root, prefix, os.path.isdir)


def list_files(root, suffix, prefix=False):
    """The files in a folder whose names end in `suffix` (or one of several)."""
    names = _entries(root, False, os.path.isfile)
    chosen = [name for name in names if name.endswith(suffix)]
    return [os.path.join(os.path.expanduser(root), name) for name in chosen] if prefix else chosen


def _entries(root, prefix, kind):
    root = os.path.expanduser(root)
    names = [name for name in sorted(os.listdir(root)) if kind(os.path.join(root, name))]
    return [os.path.join(root, name) for name in names] if prefix else names
