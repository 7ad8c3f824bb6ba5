"""Gradients of functions: backwards (`vjp`, `grad`, `jacrev`) and forwards (`jvp`, `jacfwd`).

The forward products are those of the backward ones: `vjp` is linear in the gradient u that it is
given, so its own gradient by u, along a tangent, is `jvp`. No forward rules are needed.
"""

import functools

from tallow import autograd
from tallow.autograd import enable_grad, is_grad_enabled
from tallow.autograd.modes import state
from tallow.creation import eye, zeros_like
from tallow.errors import ArgumentError, GradientError, describe
from tallow.func.batched import is_batched, spread
from tallow.func.batching import vmap
from tallow.func.tree import leaves, rebuild, tree_map
from tallow.tensor import Tensor

# What the transforms share


def own(x):
    """A tensor to differentiate by: x with its history where it has one, else a new leaf."""
    if not isinstance(x, Tensor):
        raise GradientError(f"grad: expected tensors to differentiate by, got {describe(x)}")
    for level, size in state.batch[-1:]:
        if not is_batched(x.array, level):  # each example has a gradient of its own
            x = spread(x, level=level, size=size)
    if is_grad_enabled() and x.requires_grad:
        return x.view_as(x)
    return x.detach().requires_grad_()


def history(tensors):
    """The nodes that computed the tensors, and the leaves these began with, one after the other."""
    waiting = [x.node or x for x in tensors if x.requires_grad]
    seen = set(waiting)
    while waiting:
        edge = waiting.pop()
        yield edge
        if not isinstance(edge, Tensor):
            fresh = [e for e in edge.edges if e not in seen]
            seen.update(fresh)
            waiting += fresh


def leads_out(tensors, owned):
    """True if the history of the tensors leads to a leaf that is none of those `owned`."""
    mine = {id(x) for x in owned}
    return any(isinstance(edge, Tensor) and id(edge) not in mine for edge in history(tensors))


def leave(tree, owned, kept):
    """A result without the history that only leads to what is `owned`; `kept`: that is recorded."""

    def outside(x):
        if not isinstance(x, Tensor) or not x.requires_grad or (kept and leads_out([x], owned)):
            return x
        return x.detach()

    return tree_map(outside, tree)


def pull(outputs, owned, cotangents, create_graph, retain_graph=True):
    """The gradients by what is `owned` of the outputs (flat lists); zeros where there is none."""
    live = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y.requires_grad]
    if not live:
        return [zeros_like(x) for x in owned]
    ys, vs = zip(*live, strict=True)
    return list(
        autograd.grad(
            ys, owned, vs, retain_graph=retain_graph, create_graph=create_graph,
            materialize_grads=True,
        )
    )  # fmt: skip


def pusher(outputs, owned, create_graph):
    """A function from tangents of what is `owned` to tangents of the outputs (flat lists)."""
    live = [y for y in outputs if y.requires_grad]
    with enable_grad():
        starts = [own(zeros_like(y)) for y in live]
        found = (
            autograd.grad(live, owned, starts, create_graph=True, allow_unused=True)
            if live
            else [None] * len(owned)
        )

    def push(tangents):
        used = [
            (g, t)
            for g, t in zip(found, tangents, strict=True)
            if g is not None and g.requires_grad
        ]
        moved = iter(())
        if used:
            gs, ts = zip(*used, strict=True)
            moved = iter(
                autograd.grad(
                    gs, starts, ts, retain_graph=True, create_graph=create_graph,
                    materialize_grads=True,
                )
            )  # fmt: skip
        return [next(moved) if used and y.requires_grad else zeros_like(y) for y in outputs]

    return push


class _Run:
    """One call of a function, recorded by the arguments to differentiate by.

    `owned` stand for the chosen arguments' tensors, `outputs` are the results' tensors, and `kept`
    tells whether what is derived stays in the history of something else.
    """

    def __init__(self, name, func, args, kwargs, argnums, has_aux):
        positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for i in positions:
            if not -len(args) <= i < len(args):
                raise GradientError(
                    f"{name}: expected argnums within {len(args)} positional arguments, got {i}"
                )
        self.recording = is_grad_enabled()
        self.chosen = [args[i] for i in positions]
        self.owned = [own(x) for x in leaves(self.chosen)]
        with enable_grad():
            result = func(*_replaced(args, positions, self.chosen, self.owned), **kwargs)
        self.result, self.aux = _parted(name, result, has_aux)
        self.outputs = leaves(self.result)
        for y in self.outputs:
            if not isinstance(y, Tensor):
                raise GradientError(
                    f"{name}: expected tensors from the function, got {describe(y)}"
                )
        self.kept = self.recording and leads_out(self.outputs, self.owned)
        self.single = isinstance(argnums, int)

    def by_argument(self, flat):
        """Results for each tensor of the chosen arguments, in the form of those."""
        trees = rebuild(self.chosen, iter(flat))
        return trees[0] if self.single else tuple(trees)

    def left(self, tree):
        return leave(tree, self.owned, self.recording)


def _replaced(args, positions, chosen, owned):
    """The arguments with the tensors of the chosen ones replaced."""
    replaced = list(args)
    for i, tree in zip(positions, rebuild(chosen, iter(owned)), strict=True):
        replaced[i] = tree
    return replaced


def _parted(name, result, has_aux):
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise GradientError(f"{name}: expected (result, aux) from the function with has_aux")
    return result


# Backwards


def grad(func, argnums=0, has_aux=False):
    """The function that gives the gradient of `func`, which gives a scalar, by an argument.

    `argnums` is the position of the argument, or a tuple of positions. With `has_aux` `func` gives
    (scalar, aux), and the gradient comes as (gradient, aux).

    >>> tallow.func.grad(tallow.sin)(tallow.tensor(0.0))
    tensor(1.)
    """

    @functools.wraps(func)
    def gradient(*args, **kwargs):
        slopes, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


def grad_and_value(func, argnums=0, has_aux=False):
    """`grad` that gives (gradient, value), or (gradient, (value, aux)).

    >>> tallow.func.grad_and_value(lambda x: x * x)(tallow.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def gradient_and_value(*args, **kwargs):
        run = _Run("grad", func, args, kwargs, argnums, has_aux)
        value = run.result
        if not isinstance(value, Tensor) or value.array.ndim:
            raise GradientError(
                f"grad: expected a scalar from the function, got {describe(value)}; see vjp, jacrev"
            )
        one = value.new_ones(())
        slopes = run.by_argument(pull([value], run.owned, [one], run.kept, run.kept))
        value = run.left(value)
        return slopes, (value, run.left(run.aux)) if has_aux else value

    return gradient_and_value


def vjp(func, *primals, has_aux=False):
    """(results, function): the latter takes a gradient of the results, gives those of `primals`.

    >>> value, pullback = tallow.func.vjp(lambda x: x * x, tallow.tensor([1.0, 2.0]))
    >>> pullback(tallow.ones(2))
    (tensor([2., 4.]),)
    """
    run = _Run("vjp", func, primals, {}, range(len(primals)), has_aux)

    def pullback(cotangents, retain_graph=True, create_graph=None):
        given = leaves(cotangents)
        _fit("vjp", "cotangents", given, run.outputs)
        if create_graph is None:
            create_graph = is_grad_enabled() and (run.kept or any(v.requires_grad for v in given))
        found = pull(run.outputs, run.owned, given, create_graph, retain_graph)
        return run.by_argument(found)

    result = run.left(run.result)
    return (result, pullback, run.left(run.aux)) if has_aux else (result, pullback)


def _fit(name, what, given, tensors):
    """Raise unless there is a given tensor of the right shape for each of the tensors."""
    shapes = [tuple(x.array.shape) if isinstance(x, Tensor) else x for x in given]
    expected = [tuple(x.array.shape) for x in tensors]
    if shapes != expected:
        raise GradientError(f"{name}: expected {what} of shapes {expected}, got {shapes}")


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """The function that gives the Jacobian matrix of `func`, by a backward pass for all rows.

    For a result of shape S and an argument of shape T it has shape (*S, *T). `chunk_size` is the
    most rows at a time.

    >>> tallow.func.jacrev(lambda x: x * x)(tallow.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_chunk(chunk_size)

    @functools.wraps(func)
    def jacobian(*args, **kwargs):
        run = _Run("jacrev", func, args, kwargs, argnums, has_aux)
        per_output = [
            run.by_argument(rows(y, run.owned, run.kept, chunk_size)) for y in run.outputs
        ]
        matrix = rebuild(run.result, iter(per_output))
        return (matrix, run.left(run.aux)) if has_aux else matrix

    return jacobian


def rows(y, owned, create_graph, chunk_size=None):
    """The Jacobian matrices of one result by each tensor `owned`, by backward passes."""
    shape = tuple(y.array.shape)
    units = basis(y)
    if not y.requires_grad or not len(units):
        return [x.new_zeros(shape + tuple(x.array.shape)) for x in owned]

    def row(unit):
        return autograd.grad(
            y, owned, unit, retain_graph=True, create_graph=create_graph, materialize_grads=True
        )

    found = vmap(row, chunk_size=chunk_size)(units)
    return [g.reshape(shape + tuple(x.array.shape)) for g, x in zip(found, owned, strict=True)]


def basis(x):
    """All unit vectors of the shape of x, stacked: (n, *shape)."""
    n = x.numel()
    return eye(n, dtype=x.dtype, device=x.device).reshape(n, *x.array.shape)


def _check_chunk(chunk_size):
    if chunk_size is not None and chunk_size <= 0:
        raise ArgumentError(f"chunk_size: expected a number above 0 or None, got {chunk_size}")


# Forwards


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(results, their tangents) for the tangents of the arguments `primals`, a tuple.

    >>> x = tallow.tensor([1.0, 2.0])
    >>> tallow.func.jvp(lambda x: x * x, (x,), (tallow.ones(2),))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple):
            raise GradientError(f"jvp: expected {name} as a tuple, got {describe(given)}")
    run = _Run("jvp", func, primals, {}, range(len(primals)), has_aux)
    given = leaves(tangents)
    _fit("jvp", "tangents", given, run.owned)
    if strict and not all(y.requires_grad for y in run.outputs):
        raise GradientError("jvp: expected results that depend on the primals (strict)")
    kept = run.recording and (run.kept or any(t.requires_grad for t in given))
    moved = rebuild(run.result, iter(pusher(run.outputs, run.owned, kept)(given)))
    result = run.left(run.result)
    return (result, moved, run.left(run.aux)) if has_aux else (result, moved)


def linearize(func, *primals):
    """(results, function): the latter gives the tangents of the results for those of `primals`.

    `func` runs once, the function as often as wanted.
    """
    run = _Run("linearize", func, primals, {}, range(len(primals)), False)
    push = pusher(run.outputs, run.owned, run.kept)

    def moved(*tangents):
        given = leaves(tangents)
        _fit("linearize", "tangents", given, run.owned)
        return rebuild(run.result, iter(push(given)))

    return run.left(run.result), moved


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """The function that gives the Jacobian matrix of `func` as `jacrev`, but column by column."""

    @functools.wraps(func)
    def jacobian(*args, **kwargs):
        run = _Run("jacfwd", func, args, kwargs, argnums, has_aux)
        matrices = columns(run.outputs, run.owned, run.kept)
        matrix = rebuild(run.result, (run.by_argument(row) for row in matrices))
        return (matrix, run.left(run.aux)) if has_aux else matrix

    return jacobian


def columns(outputs, owned, create_graph):
    """Per result, the Jacobian matrices by each tensor `owned`, by forward products."""
    push = pusher(outputs, owned, create_graph)
    zeros = [zeros_like(x) for x in owned]
    by_input = []
    for i, x in enumerate(owned):
        shapes = [tuple(y.array.shape) + tuple(x.array.shape) for y in outputs]
        if not x.numel():
            by_input.append([y.new_zeros(s) for y, s in zip(outputs, shapes, strict=True)])
            continue

        def column(unit, i=i):
            return push([*zeros[:i], unit, *zeros[i + 1 :]])

        found = vmap(column, out_dims=-1)(basis(x))
        by_input.append([m.reshape(s) for m, s in zip(found, shapes, strict=True)])
    return [list(row) for row in zip(*by_input, strict=True)]


def hessian(func, argnums=0):
    """The function that gives the second derivatives of `func`: `jacfwd` of `jacrev`.

    >>> tallow.func.hessian(lambda x: (x**3).sum())(tallow.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
