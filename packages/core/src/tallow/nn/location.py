"""Errors that name the module in which they were raised.

An error that leaves a module's `forward` passes through the call of every module around it. Each
adds how it reaches the one below, so that in the end the error carries a dotted path:
`Net.features.0, Linear(...)`.
"""

from tallow.errors import TallowError


def locate(error, module):
    """Extend the path that `error` carries: it is leaving the call of `module`.

    tallow's own errors show the path in their message, others as a note.
    """
    name = type(module).__name__
    # By id and name, not by reference: an error must stay picklable and keep no model alive.
    below, below_name, path, origin = getattr(error, "_trail", (None, "", "", ""))
    if below == id(module):
        return
    if below is None:
        origin = _describe(module)
    else:
        path = _step(module, below, below_name) + path
    error._trail = (id(module), name, path, origin)
    _show(error, f"{name}{path}, {origin}" if path else origin)


def _step(module, below, below_name):
    """How `below` is reached from `module`: `.name`, or ` > Class` where it is not registered."""
    for name, child in module.named_modules():
        if id(child) == below:
            return f".{name}"
    return f" > {below_name}"


def _describe(module):
    """A module in one line: its repr, or only its class where it has children."""
    name = type(module).__name__
    try:
        text = repr(module)
    except Exception:  # a repr that fails must not hide the error that is being reported
        return name
    return name if "\n" in text else text


def _show(error, where):
    if isinstance(error, TallowError):
        error.where = where
        return
    notes = error.__dict__.setdefault("__notes__", [])
    if notes and notes[-1] == getattr(error, "_note", None):
        notes.pop()
    error._note = f"in {where}"
    notes.append(error._note)
