"""`vmap`: a function of one example made one of a batch."""

import functools

from tallow.errors import ArgumentError, DistributionError, describe
from tallow.func.tree import leaves, rebuild, spread
from tallow.joining import stack, unbind
from tallow.random import get_rng_state, set_rng_state
from tallow.tensor import Tensor


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """`func` over a batch: called once for each example, the results stacked.

    `in_dims` says which dim of each argument holds the examples (None: the argument is the same for
    all), `out_dims` where that dim is in each result; both may be trees. It saves writing the loop,
    not its time: for speed, write `func` for batches. Unlike PyTorch's it takes any `func`, also
    one that looks at values.

    `randomness`: "error" raises if `func` draws random numbers, "different" draws for each example,
    "same" gives all examples the same numbers.

    >>> import tallow
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
        examples, size = _examples(args, in_dims)
        options = {name: unbind(x, 0) if isinstance(x, Tensor) else x for name, x in kwargs.items()}
        results, before = [], get_rng_state()
        for i in range(size):
            if randomness == "same":
                set_rng_state(before)
            own = {name: x[i] if isinstance(x, tuple) else x for name, x in options.items()}
            results.append(func(*rebuild(args, iter(e[i] for e in examples)), **own))
            if randomness == "error" and i == 0 and not (get_rng_state() == before).all():
                raise DistributionError(
                    "vmap: expected no random numbers, as randomness is 'error'; see 'different' "
                    "and 'same'"
                )
        return _stacked(results, out_dims)

    return batched


def _examples(args, in_dims):
    """For each leaf of the arguments the sequence of its examples, and how many there are."""
    if not args:
        raise ArgumentError("vmap: expected at least one argument, got none")
    if not isinstance(in_dims, int | tuple | list):
        raise ArgumentError(f"vmap: expected in_dims as an int or a tuple, got {in_dims!r}")
    in_dims = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    dims = spread(in_dims, args)
    if dims is None:
        raise ArgumentError(f"vmap: expected in_dims in the form of the arguments, got {in_dims}")
    flat, sizes = leaves(args), set()
    for x, dim in zip(flat, dims, strict=True):
        if dim is None:
            continue
        ndim = x.array.ndim if isinstance(x, Tensor) else 0
        if not isinstance(x, Tensor) or not -ndim <= dim < ndim:
            raise ArgumentError(f"vmap: expected a tensor with dim {dim}, got {describe(x)}")
        sizes.add(x.array.shape[dim])
    if len(sizes) != 1:
        raise ArgumentError(f"vmap: expected batch dims of one size, got {sorted(sizes)}")
    (size,) = sizes
    examples = [
        [x] * size if dim is None else unbind(x, dim) for x, dim in zip(flat, dims, strict=True)
    ]
    return examples, size


def _stacked(results, out_dims):
    """The results of all examples as one, each leaf stacked along its dim."""
    if not results:
        raise ArgumentError("vmap: expected at least one example, got none")
    first = results[0]
    out_dims = tuple(out_dims) if isinstance(out_dims, list) else out_dims
    dims = spread(out_dims, first)
    if dims is None:
        raise ArgumentError(f"vmap: expected out_dims of the form of the results, got {out_dims}")
    columns = []
    for parts, dim in zip(zip(*map(leaves, results), strict=True), dims, strict=True):
        if dim is not None and not isinstance(parts[0], Tensor):
            raise ArgumentError(
                f"vmap: expected tensors from the function, got {describe(parts[0])}; out_dims "
                "None takes anything, from the first example"
            )
        columns.append(parts[0] if dim is None else stack(parts, dim))
    return rebuild(first, iter(columns))
