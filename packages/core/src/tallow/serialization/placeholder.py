"""What stands for an object that a file names and that loading does not build."""

import reprlib


class Placeholder:
    """An object of a class that loading knows nothing about: it can be looked at, and does nothing.

    `path` is the name that the file gives, `args` what the object was to be made from, `state` its
    attributes, `items` what was to be put into it (a list or a dict), None if there is none. The
    attributes are attributes of the placeholder, too: `checkpoint["args"].lr`.
    """

    def __init__(self, path, args=()):
        self.path = path
        self.args = args
        self.state = None
        self.items = None

    def __getattr__(self, name):
        state = self.__dict__.get("state")
        if isinstance(state, dict) and name in state:
            return state[name]
        path = self.__dict__.get("path")
        raise AttributeError(
            f"the placeholder for {path} has no attribute {name!r}; of a file that you trust, "
            "load(..., weights_only=False) makes the object itself"
        )

    def __call__(self, *args, **kwargs):
        raise TypeError(
            f"expected to call an object, got the placeholder for {self.path}; of a file that you "
            "trust, load(..., weights_only=False) makes the object itself"
        )

    def __repr__(self):
        return SHORT.repr(self)


class Global:
    """A class or function that a file names; `build` makes its objects, and is None if unknown."""

    def __init__(self, path, build=None):
        self.path = path
        self.build = build

    def __call__(self, *args):
        return Placeholder(self.path, args) if self.build is None else self.build(*args)

    def __repr__(self):
        return f"<not loaded: {self.path}>"


class _Short(reprlib.Repr):
    """Bounded in depth and length, as a file may nest an object in itself many times over."""

    def repr_Placeholder(self, placeholder, level):
        if level <= 0:
            return f"<not loaded: {placeholder.path}(...)>"
        parts = [self.repr1(argument, level - 1) for argument in placeholder.args[:4]]
        for name in ("state", "items"):
            value = getattr(placeholder, name)
            if value is not None:
                parts.append(f"{name}={self.repr1(value, level - 1)}")
        return f"<not loaded: {placeholder.path}({', '.join(parts)})>"


SHORT = _Short()
SHORT.maxlevel = 4
SHORT.maxdict = 8
