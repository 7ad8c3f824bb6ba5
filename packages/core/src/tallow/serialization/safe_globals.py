"""The program's list of classes and functions that files may name beside those of data.

What any file may build is a closed list (`tallow.serialization.globals`), and an object of any
other class is loaded as a placeholder. Objects of what is listed here are built as they were.
"""

import contextlib

_listed: list = []


def add_safe_globals(safe_globals):
    """Add classes or functions to the list; a pair has the name, too, that files give it."""
    _listed.extend(entry for entry in safe_globals if entry not in _listed)


def get_safe_globals():
    """The classes and functions in the list."""
    return list(_listed)


def clear_safe_globals():
    """Empty the list."""
    _listed.clear()


@contextlib.contextmanager
def safe_globals(safe_globals):
    """A context in which classes or functions are in the list."""
    before = get_safe_globals()
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _listed[:] = before
