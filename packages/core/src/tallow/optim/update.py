"""`update`: how an algorithm changes the parameters of a group and its state, written once.

    @elementwise
    def descend(xp, p, g, *, lr):
        p -= lr * g

Keyword-only names are settings of the group. The body works in place, with operators and functions
of `xp`, on one parameter, its gradient and its state: arrays of one backend, numbers, or None where
a variant of the algorithm keeps nothing. A complex array comes as its real and its imaginary part,
so that no body needs to know. In a differentiable step the body gets Tensors, and `tallow.math` as
`xp`: then it is recorded. So a body does not change in place what it has itself computed, since the
record may need that. A kernel for a backend may take its place (`kernels.updates`).

What is `elementwise` is also the text of the compiled step (`kernels.chain`): it branches on
settings alone, and chooses by other numbers with `choose`. An operand named `step` is how many
steps were made, a number or an array of one on a device.
"""

import functools
import inspect

import numpy as np

from tallow import backend, math
from tallow.autograd import inplace
from tallow.autograd.modes import enable_grad
from tallow.kernels import updates
from tallow.kernels.chain import choose
from tallow.tensor import Tensor, tick

__all__ = ["Update", "choose", "direction", "elementwise", "plain", "update"]

NUMBERS = {bool, int, float, type(None), str}


class Update:
    """The in-place change of parameters and state by one algorithm."""

    def __init__(self, body, elementwise):
        self.body = body
        self.name = body.__name__
        self.elementwise = elementwise
        self.__doc__ = body.__doc__
        parameters = list(inspect.signature(body).parameters.values())[1:]
        self.settings = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.operands = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)

    def __call__(self, group, params, *state):
        """Change `params`, some of the group's, by their gradients.

        Each of `state` is a list with a tensor, a number or None for every parameter, or empty.
        Settings that are tensors count as numbers, except in a differentiable step.
        """
        settings = {name: group[name] for name in self.settings}
        if group.get("differentiable"):
            self._record(params, state, settings)
            return
        if not NUMBERS.issuperset(map(type, settings.values())):
            settings = {name: plain(value) for name, value in settings.items()}
        arrays = [p.array for p in params]
        columns = [arrays, [p.grad.array for p in params]]
        for column in state:
            columns.append([x.array if isinstance(x, Tensor) else x for x in column])
        homes = list(map(_home, arrays))
        if len(set(homes)) == 1:
            self._run(columns, settings)
        else:
            for home in dict.fromkeys(homes):
                chosen = [x == home for x in homes]
                self._run([_where(chosen, column) for column in columns], settings)
        _mark_changed(params)

    def _run(self, columns, settings):
        """The kernel, or else the body, on arrays of one backend."""
        kinds = [x.dtype.kind for x in columns[0]]
        if "c" in kinds:
            columns = [_parts(kinds, column) for column in columns]
        where = backend.for_array(columns[0][0])
        kernel = self._kernel(where)
        with backend.at(columns[0][0]):
            if kernel is not None and kernel(*columns, **settings) is not NotImplemented:
                return
            if updates.found is None or not updates.found.item():
                self.each(where.xp, columns, settings)

    def _kernel(self, where):
        """A backend's kernel of this algorithm, or the one of all that are elementwise; or None."""
        kernel = updates.kernel_of(self.name, where)
        if kernel is None and self.elementwise:
            kernel = updates.TABLE.get(("elementwise", where.name))
            return kernel and functools.partial(kernel, self)
        return kernel

    def each(self, xp, columns, settings):
        """The body for each parameter."""
        count = len(columns[0])
        columns = [column or [None] * count for column in columns]
        for operands in zip(*columns, strict=True):
            self.body(xp, *operands, **settings)

    def _record(self, params, state, settings):
        """The body on copies that are tensors, whose values and history the originals take."""
        originals = [params, *state]
        with enable_grad():
            copies = [
                [x.clone() if isinstance(x, Tensor) else x for x in column] for column in originals
            ]
            self.each(math, [copies[0], [p.grad for p in params], *copies[1:]], settings)
            for column, changed in zip(originals, copies, strict=True):
                for x, new in zip(column, changed, strict=True):
                    if isinstance(x, Tensor):
                        inplace.assign(x, new, self.name)


def update(body):
    """Decorator: the `Update` of a body that looks at a parameter as a whole."""
    return Update(body, elementwise=False)


def elementwise(body):
    """Decorator: the `Update` of a body in which elements do not know of each other."""
    return Update(body, elementwise=True)


def direction(p, g, weight_decay, maximize):
    """The gradient to descend along: turned to ascend, and with weight decay added, if asked."""
    if maximize:
        g = -g
    return g + weight_decay * p if weight_decay else g


def plain(value):
    """A setting with numbers in the place of tensors (and of NumPy's numbers)."""
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    return value.item() if hasattr(value, "item") else value


def _mark_changed(params):
    """Count the change of each parameter's memory, as every in-place operation does."""
    now = tick()
    for p in params:
        if p.alias is None and p.node is None:
            p.version += 1
            p.changed = now
        else:
            inplace.bump(p)


def _home(array):
    """What arrays that are changed together have in common: their type, or else their device."""
    kind = type(array)
    return kind if kind is np.ndarray else backend.for_array_type(kind).device_of(array)


def _where(chosen, column):
    return [x for x, wanted in zip(column, chosen, strict=True) if wanted] if column else column


def _parts(kinds, column):
    """A column with real and imaginary parts in the place of complex arrays."""
    if not column:
        return column
    parts = []
    for kind, x in zip(kinds, column, strict=True):
        if kind != "c":
            parts.append(x)
        else:
            parts += (x.real, x.imag) if hasattr(x, "dtype") else (x, x)
    return parts
