"""Indexing, gathering and scattering.

A basic key (ints, slices, None, ...) gives a view. A key that gathers holds full slices and arrays
of integers or bool: floor 6 takes a mixed key apart into one of each.
"""

from tallow import backend
from tallow.autograd.builtin import in_rows
from tallow.autograd.op import op


@op(view=True)
def getitem(x, *, key):
    """x[key] for a basic key that ends in `...`, so that ints alone give a 0-d array."""
    return x[key]


@op
def put(xp, value, *, key, shape):
    """Zeros of `shape` with `value` at a basic key: the adjoint of `getitem`."""
    out = xp.zeros(shape, value.dtype)
    out[key] = value
    return out


getitem.vjp(lambda g, shapes, key: put(g, key=key, shape=shapes[0]))
put.vjp(lambda g, key: getitem(g, key=key))


@op
def take(xp, x, *, key):
    """x[key] for a key that holds arrays."""
    places = [axis for axis, part in enumerate(key) if type(part) is not slice]
    if len(places) == 1 and key[places[0]].dtype.kind != "b":
        return xp.take(x, key[places[0]], places[0])
    return in_rows(x[key])


@op
def add_at(xp, value, *, key, shape):
    """Zeros of `shape` with `value` added at a key, once for each time an index occurs."""
    out = xp.zeros(shape, value.dtype)
    if _only_masks(key):
        out[key] = value
    else:
        combine(xp, out, key, value)
    return out


def combine(xp, out, key, value, how="add"):
    """`xp.add.at(out, key, value)`, or that of another name.

    A key that is no tuple holds places in `out`, from 0 on, which has one axis.
    """
    combine_at = backend.for_array(out).combine_at
    if combine_at is None and (how != "add" or not out.flags.c_contiguous):
        getattr(xp, how).at(out, key, value)
        return
    # By places in memory, which NumPy does ten times as fast as a key with several parts.
    places = xp.arange(out.size).reshape(out.shape)[key] if type(key) is tuple else key
    values = xp.broadcast_to(xp.asarray(value, out.dtype), places.shape)
    if combine_at is None:
        xp.add.at(out.reshape(-1), places.reshape(-1), values.reshape(-1))
    else:
        combine_at(out, places.reshape(-1), values.reshape(-1), how)


def _only_masks(key):
    """True if nothing in the key can name an element twice."""
    return all(part.dtype.kind == "b" for part in key if hasattr(part, "dtype"))


take.vjp(lambda g, shapes, key: add_at(g, key=key, shape=shapes[0]))
add_at.vjp(lambda g, key: take(g, key=key))


@op
def index_put(xp, x, value, *, key, accumulate):
    """A copy of x with `value` put, or added, at a key that holds arrays."""
    out = in_rows(xp.array(x))
    if accumulate:
        combine(xp, out, key, value)
    else:
        out[key] = value
    return out


index_put.vjp(
    lambda g, key, accumulate: g if accumulate else index_put(g, 0, key=key, accumulate=False),
    lambda g, key: take(g, key=key),
)


@op
def gather(xp, x, *, axis, index):
    """out[i][j] = x[index[i][j]][j] for axis 0; `index` may be smaller than x along other axes."""
    return in_rows(x[grid(xp, index, axis)])


@op
def scatter_add(xp, x, src, *, axis, index):
    """A copy of x with src added at the places that `gather` reads."""
    out = x.copy()
    _add_along(xp, out, index, axis, _corner(src, index))
    return out


@op
def scatter(xp, x, src, *, axis, index):
    """A copy of x with src written at the places that `gather` reads."""
    out = x.copy()
    out[grid(xp, index, axis)] = _corner(src, index)
    return out


@op
def gathered_back(xp, value, *, axis, index, shape):
    """Zeros of `shape` with `value` added where `gather` read: its adjoint."""
    out = xp.zeros(shape, value.dtype)
    _add_along(xp, out, index, axis, value)
    return out


@op
def place_in_corner(xp, value, *, shape):
    """Zeros of `shape` with `value` in the low corner: the adjoint of reading that corner."""
    out = xp.zeros(shape, value.dtype)
    out[tuple(slice(n) for n in value.shape)] = value
    return out


@op
def corner(x, *, shape):
    """The low corner of x, of `shape`."""
    return x[tuple(slice(n) for n in shape)].copy()


def grid(xp, index, axis):
    """The full index of every element that `index` names along `axis`."""
    key = list(xp.ogrid[tuple(slice(n) for n in index.shape)])
    key[axis] = index
    return tuple(key)


def _add_along(xp, out, index, axis, value):
    """Add at the places that `gather` reads; with one index for each line none occurs twice."""
    key = grid(xp, index, axis)
    if index.shape[axis] == 1:
        out[key] += value
    else:
        combine(xp, out, key, value)


def _corner(src, index):
    return src[tuple(slice(n) for n in index.shape)] if getattr(src, "ndim", 0) else src


gather.vjp(lambda g, shapes, axis, index: gathered_back(g, axis=axis, index=index, shape=shapes[0]))
gathered_back.vjp(lambda g, axis, index: gather(g, axis=axis, index=index))
scatter_add.vjp(
    lambda g: g,
    lambda g, shapes, axis, index: place_in_corner(
        gather(g, axis=axis, index=index), shape=shapes[1]
    ),
)
scatter.vjp(
    lambda g, axis, index: scatter(g, 0, axis=axis, index=index),
    lambda g, shapes, axis, index: place_in_corner(
        gather(g, axis=axis, index=index), shape=shapes[1]
    ),
)
place_in_corner.vjp(lambda g, shapes: corner(g, shape=shapes[0]))
corner.vjp(lambda g, shapes: place_in_corner(g, shape=shapes[0]))
