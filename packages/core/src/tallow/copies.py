"""`expand_copy` and its kin: what a view would show, in memory of its own."""

from tallow.ops.elementwise import copy
from tallow.promotion import give
from tallow.reductions import give_all

VIEWS = """
    alias as_strided diagonal expand permute select split_with_sizes squeeze t transpose unbind
    unfold unsqueeze view
""".split()
__all__ = [f"{name}_copy" for name in VIEWS]


def _copying(name):
    """The function that copies what a method of Tensor shows."""

    def function(input, *args, out=None, **kwargs):
        made = input if name == "alias" else getattr(input, name)(*args, **kwargs)
        if isinstance(made, tuple | list):
            parts = [copy(x, order="C") for x in made]
            return give_all(_several, parts, out, function.__name__)
        return give(copy(made, order="C"), out, function.__name__)

    function.__name__ = function.__qualname__ = f"{name}_copy"
    function.__doc__ = f"A copy of `input.{name}(...)`." if name != "alias" else "A copy."
    return function


def _several(*parts):
    return parts


globals().update({f"{name}_copy": _copying(name) for name in VIEWS})
