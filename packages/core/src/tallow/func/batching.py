"""`vmap`: a function of one example made one of a batch."""

import functools

from tallow.autograd.modes import state
from tallow.errors import ArgumentError, DistributionError, describe
from tallow.func.batch_calls import batches  # noqa: F401 - which does the calls
from tallow.func.batched import enter, leave, new_level
from tallow.func.tree import leaves, rebuild, spread
from tallow.joining import cat, stack
from tallow.seeding import restore, snapshot
from tallow.shaping import narrow, select
from tallow.tensor import Tensor


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """`func`, a function of one example, over a batch of them.

    `in_dims` says which dim of each argument holds the examples (None: the argument is the same for
    all), `out_dims` where that dim is in each result; both may be trees. `chunk_size` is the most
    examples at a time.

    `func` is called once, with tensors that stand for one example and hold all. Unlike PyTorch's it
    may be any function: one that looks at values, draws random numbers or does what cannot be done
    to all at once is called anew for each example. `randomness`: "error" raises if it draws,
    "different" draws for each example, "same" gives all examples the same numbers.

    >>> tallow.func.vmap(tallow.dot)(tallow.ones(3, 2), tallow.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "same", "different"):
        raise ArgumentError(
            f"vmap: expected randomness 'error', 'same' or 'different', got {randomness!r}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ArgumentError(f"vmap: expected a chunk_size above 0 or None, got {chunk_size}")

    @functools.wraps(func)
    def batched(*args, **kwargs):
        given = args, kwargs
        dims, size = _batch(args, in_dims)
        dims += [0 if isinstance(x, Tensor) else None for x in leaves(kwargs)]
        if chunk_size is None or chunk_size >= size:
            return _run(func, given, dims, size, out_dims, randomness)
        parts = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            part = _cut(given, dims, lambda x, dim: narrow(x, dim, start, count))  # noqa: B023
            parts.append(_run(func, part, dims, count, out_dims, randomness))
        return _joined(parts, out_dims, cat)

    return batched


def _batch(args, in_dims):
    """The dim of the examples in each leaf of the arguments, or None, and how many there are."""
    if not args:
        raise ArgumentError("vmap: expected at least one argument, got none")
    if not isinstance(in_dims, int | tuple | list):
        raise ArgumentError(f"vmap: expected in_dims as an int or a tuple, got {in_dims!r}")
    in_dims = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    dims = spread(in_dims, args)
    if dims is None:
        raise ArgumentError(f"vmap: expected in_dims in the form of the arguments, got {in_dims}")
    sizes = set()
    for x, dim in zip(leaves(args), dims, strict=True):
        if dim is None:
            continue
        ndim = x.array.ndim if isinstance(x, Tensor) else 0
        if not isinstance(x, Tensor) or not -ndim <= dim < ndim:
            raise ArgumentError(f"vmap: expected a tensor with dim {dim}, got {describe(x)}")
        sizes.add(x.array.shape[dim])
    if len(sizes) != 1:
        raise ArgumentError(f"vmap: expected batch dims of one size, got {sorted(sizes)}")
    if sizes == {0}:
        raise ArgumentError("vmap: expected at least one example, got none")
    return dims, sizes.pop()


def _cut(given, dims, function):
    """The arguments, with `function(x, dim)` in place of those that hold examples."""
    pairs = zip(leaves(given), dims, strict=True)
    return rebuild(given, iter([x if dim is None else function(x, dim) for x, dim in pairs]))


def _run(func, given, dims, size, out_dims, randomness):
    """The results for all examples: at once, or else one after the other."""
    before = snapshot()
    try:
        found = _at_once(func, given, dims, size, out_dims)
        if snapshot() == before:
            return found
    except Exception:  # the loop is right for all functions, and tells what is wrong with others
        pass
    restore(before)
    results = []
    for i in range(size):
        if randomness == "same":
            restore(before)
        args, kwargs = _cut(given, dims, lambda x, dim: select(x, dim, i))  # noqa: B023
        results.append(func(*args, **kwargs))
        if randomness == "error" and i == 0 and snapshot() != before:
            raise DistributionError(
                "vmap: expected no random numbers, as randomness is 'error'; see 'different' and "
                "'same'"
            )
    return _joined(results, out_dims, stack)


def _at_once(func, given, dims, size, out_dims):
    level, outer = new_level(), state.batch
    args, kwargs = _cut(given, dims, lambda x, dim: enter(x, axis=dim, level=level))
    state.batch = (*outer, (level, size))
    try:
        result = func(*args, **kwargs)
    finally:
        state.batch = outer

    def left(x, dim):
        if not isinstance(x, Tensor):
            return x
        whole = leave(x, axis=0 if dim is None else dim, level=level, size=size)
        return whole[0] if dim is None else whole

    pairs = zip(leaves(result), _dims(result, out_dims), strict=True)
    return rebuild(result, iter([left(x, dim) for x, dim in pairs]))


def _dims(result, out_dims):
    """For each leaf of a result where the dim of the examples goes."""
    out_dims = tuple(out_dims) if isinstance(out_dims, list) else out_dims
    dims = spread(out_dims, result)
    if dims is None:
        raise ArgumentError(f"vmap: expected out_dims of the form of the results, got {out_dims}")
    for x, dim in zip(leaves(result), dims, strict=True):
        if dim is not None and not isinstance(x, Tensor):
            raise ArgumentError(
                f"vmap: expected tensors from the function, got {describe(x)}; out_dims None takes "
                "anything, from the first example"
            )
    return dims


def _joined(results, out_dims, join):
    """The results of all examples, or of all chunks, as one."""
    first = results[0]
    columns = zip(zip(*map(leaves, results), strict=True), _dims(first, out_dims), strict=True)
    return rebuild(
        first, iter([parts[0] if dim is None else join(parts, dim) for parts, dim in columns])
    )
