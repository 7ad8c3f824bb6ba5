"""Errors that several parts of the package raise."""

from importlib import import_module

from tallow.errors import TallowError


class MissingPackageError(TallowError, ImportError):
    """A package that is not installed, and that only this needs."""


def optional(package, who, hint=""):
    """A package that only `who` needs; MissingPackageError where it is not installed."""
    try:
        return import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise MissingPackageError(
            f"{who} needs the package {name}, which is not installed{hint}"
        ) from error
