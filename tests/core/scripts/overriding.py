"""Subclasses of Tensor, other classes with `__torch_function__`, and modes that look on."""

import functools

import torch
import torch.nn.functional as F
from torch import add as imported_before
from torch.overrides import (
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function,
    is_tensor_like,
)

HANDLED = {}
seen = []


def implements(function):
    @functools.wraps(function)
    def decorator(implementation):
        HANDLED[function] = implementation
        return implementation

    return decorator


class Logged(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        seen.append((func.__name__, len(args), sorted(kind.__name__ for kind in types)))
        return super().__torch_function__(func, types, args, kwargs)


class Derived(Logged):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        seen.append(("derived", func.__name__))
        return super().__torch_function__(func, types, args, kwargs or {})


class Plain(torch.Tensor):
    pass


class Tagged(torch.Tensor):
    """It carries a tag from operand to result."""

    def __new__(cls, data, tag):
        made = torch.as_tensor(data, dtype=torch.float32).as_subclass(cls)
        made.tag = tag
        return made

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        tags = [x.tag for x in args if isinstance(x, Tagged) and hasattr(x, "tag")]
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, Tagged):
            result.tag = "+".join(tags)
        return result


class Diagonal:
    """A matrix that is a number times the identity: no Tensor."""

    def __init__(self, n, value):
        self.n, self.value = n, value

    def __repr__(self):
        return f"Diagonal({self.n}, {self.value})"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        known = all(issubclass(kind, (torch.Tensor, Diagonal)) for kind in types)
        if func not in HANDLED or not known:
            return NotImplemented
        return HANDLED[func](*args, **(kwargs or {}))


@implements(torch.mean)
def mean(input):
    return float(input.value) / input.n


@implements(torch.add)
def add(input, other):
    if isinstance(input, Diagonal) and isinstance(other, Diagonal):
        return Diagonal(input.n, input.value + other.value)
    return "dense"


@implements(torch.stack)
def stack(tensors, dim=0):
    return [x.value for x in tensors], dim


@implements(F.relu)
def relu(input, inplace=False):
    return Diagonal(input.n, max(input.value, 0))


def own_function(x):
    if has_torch_function((x,)):
        return handle_torch_function(own_function, (x,), x)
    return "own"


HANDLED[own_function] = lambda x: "handled"


class Counting(TorchFunctionMode):
    def __init__(self):
        self.counts = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.counts[func.__name__] = self.counts.get(func.__name__, 0) + 1
        return func(*args, **(kwargs or {}))


def report(*values):
    print(*values, *seen)
    seen.clear()


def kind(x):
    return type(x).__name__


torch.manual_seed(0)
x, plain = torch.ones(2, 3).as_subclass(Logged), torch.ones(2, 3)
report(kind(imported_before(x, 1, alpha=2)), kind(x + 1), kind(plain * x), kind(1 - x))
report(kind(F.relu(x)), kind(torch.nn.Linear(3, 2)(x)), kind(x @ plain.T))
report(kind(x[0]), kind(x.T), kind(x.sum()), kind(torch.cat([x, plain])))
report([kind(part) for part in x.split(1)], kind(x.max(0)), kind(x.max(0).values))
y = plain.as_subclass(Derived)
report(kind(x + y), kind(y + x), kind(torch.where(plain > 0, x, y)))
with torch._C.DisableTorchFunctionSubclass():
    report(kind(x + 1), kind(x.clone()))

leaf = torch.ones(2).as_subclass(Plain).requires_grad_()
(leaf * 3).sum().backward()
report(leaf.grad.tolist(), kind(leaf.detach()), kind(leaf.view(2, 1)), kind(leaf.tolist()))
changed = torch.ones(2).as_subclass(Plain)
changed += 1
changed.mul_(2)
changed[0] = 5
report(changed, Plain([1.0, 2.0]), kind(changed.to(torch.float64)), kind(changed.numpy()))
report(torch.arange(40.0).view(4, 10).as_subclass(Plain).requires_grad_())
report((Tagged([1, 2], "a") * Tagged([3, 4], "b")).tag, Tagged([1], "c").exp().tag)
report(kind(torch.nn.Parameter(plain) + plain), isinstance(torch.nn.Parameter(plain), Plain))

d = Diagonal(4, 2)
report(torch.mean(d), torch.add(d, d), torch.add(plain, d), torch.stack([d, d], dim=1), F.relu(d))
report(own_function(d), own_function(plain), is_tensor_like(d), is_tensor_like([1]))
try:
    torch.sin(d)
except TypeError:
    report("no sine")

with Counting() as outer:
    a = torch.randn(3, 3)
    with Counting() as inner:
        torch.softmax(a @ a, -1)
    F.linear(a, torch.eye(3))
report(inner.counts, outer.counts)
