"""A tape: which operations ran on tensors, for whoever counts, draws or exports them."""

from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from tallow.autograd import inplace
from tallow.autograd.op import REGISTRY, Op
from tallow.tensor import Tensor


@dataclass(frozen=True)
class Call:
    """One call of an operation: its operands, parameters, and the tensors that it gave.

    `op` is None for a change in place: `operands` holds the new value, `out` the tensor changed.
    """

    op: Op | None
    operands: tuple[Any, ...]
    params: dict[str, Any]
    out: tuple[Tensor, ...]


@contextmanager
def recorded(seen):
    """Call `seen(call)` after each operation on tensors and each change in place, in this block.

    It costs nothing outside: the operations are given another way to wrap their results.
    """
    import_module("tallow.kernels.cpu")  # which would replace what is put here
    for module in iter_modules(import_module("tallow.ops").__path__, "tallow.ops."):
        import_module(module.name)
    scopes = [op.call.__globals__ for op in REGISTRY.values()]
    before = [scope["_wrap"] for scope in scopes]
    for op in REGISTRY.values():
        op.call.__globals__["_wrap"] = _watched(op, op.call.__globals__["_wrap"], seen)
    watcher = lambda x, new: seen(Call(None, (new,), {}, (x,)))  # noqa: E731
    inplace.watchers.append(watcher)
    try:
        yield
    finally:
        inplace.watchers.remove(watcher)
        for scope, wrap in zip(scopes, before, strict=True):
            scope["_wrap"] = wrap


def _watched(op, wrap, seen):
    """`wrap`, which makes tensors of what a call of `op` gave, and tells `seen`."""

    def wrapping(operands, params, out, mask):
        made = wrap(operands, params, out, mask)
        seen(Call(op, operands, params, made if type(made) is tuple else (made,)))
        return made

    return wrapping
