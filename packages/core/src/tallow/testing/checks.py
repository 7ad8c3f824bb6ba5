"""What is checked of every op, from its `Case`: `checks(CASES)` are tests, to parametrise over.

    @pytest.mark.parametrize("check", checks(CASES), ids=str)
    def test_op(check):
        check()

The value against the reference; the gradient, and the gradient of the gradient, along random
directions against central differences; tensors against arrays; narrow dtypes against float64; odd
memory layouts; specialised kernels against the generic body; other devices against the CPU.
"""

import warnings
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from tallow import backend, dtypes
from tallow.autograd import grad, no_grad
from tallow.tensor import Tensor, wrap
from tallow.testing.cases import KINDS, WIDEST
from tallow.testing.comparison import TOLERANCES, elements_differ
from tallow.testing.devices import devices

STEP = 1e-5  # of central differences, whose error is then about 1e-10
WIDE_ERROR = 1e-11  # allowed in float64, where references are computed
SLOPE_ERROR = 2e-7  # allowed of a derivative, relative to its terms and the value differenced


@dataclass(frozen=True)
class Check:
    """One test: a kind of check on a case, on one device where that matters. Call it to run it."""

    kind: object
    case: object
    where: tuple = ()

    def __call__(self):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # of NumPy's means of nothing and the like
            self.kind(self.case, *self.where)

    def __str__(self):
        return "-".join([str(self.case), self.kind.__name__, *self.where])


def checks(cases):
    """All checks that apply to these cases, in order."""
    found, names = [], ("cpu", *devices())
    for name in names:
        where = backend.for_device(name)
        if where.kernels:  # else the first operation would register them, which may come later
            import_module(where.kernels)
    for case in cases:
        kinds = [value, path, memory, layouts]
        kinds += [gradient, gradient_dtypes] if case.orders else [no_gradient]
        kinds += [second_gradient] if case.orders > 1 else []
        found += [Check(kind, case) for kind in kinds]
        found += [Check(device, case, (name,)) for name in devices()]
        found += [Check(kernel, case, (name,)) for name in names if name in case.op.special]
    return found


# Values


def value(case):
    """Shape, dtype and elements are those of the reference, in every dtype that the op takes."""
    for example, dtype, inputs, params in _samples(case):
        what = f"{case} of {example} in {dtype}"
        expected = _several(case.reference(*map(_widened, inputs), **params))
        got = _several(case.call(*inputs, **params))
        assert len(got) == len(expected), f"{what}: {len(got)} results for {len(expected)}"
        for i, (part, right) in enumerate(zip(got, expected, strict=True)):
            right = np.asarray(right)
            kept = _result_dtype(case, dtype, right)
            kept = np.dtype(np.float32) if i in case.whole and kept.itemsize == 2 else kept
            assert part.shape == right.shape, f"{what}: {part.shape}, expected {right.shape}"
            assert part.dtype == kept, f"{what}: {part.dtype}, expected {kept}"
            right = right.astype(kept) if kept.kind in "iu" else right  # which wraps around
            _assert_close(part, right, kept, case.tolerance, what)


def path(case):
    """On tensors an op gives what it gives on arrays, with and without recording."""
    for example, dtype, inputs, params in _samples(case):
        plain = _several(case.call(*inputs, **params))
        tensors, _ = _leaves(case, inputs)
        recorded = _several(case.call(*tensors, **params))
        with no_grad():
            silent = _several(case.call(*tensors, **params))
        assert not any(x.requires_grad for x in silent)
        for array, *others in zip(plain, recorded, silent, strict=True):
            for x in others:
                what = f"{case} of {example} in {dtype}: {x!r} from tensors, {array!r} from arrays"
                assert isinstance(x, Tensor) and _same(x.array, array), what


def memory(case):
    """Operands are unchanged, also by the backward pass; only a view op gives their memory back."""
    for example, dtype, inputs, params in _samples(case, case.widest):
        arrays = [x for x in inputs if isinstance(x, np.ndarray)]
        before = [x.copy() for x in arrays]
        for out in _several(case.call(*inputs, **params)):
            shared = any(np.shares_memory(x, out) for x in arrays)
            assert case.op.view or not shared, f"{case} of {example}: shares an operand's memory"
        if case.orders and KINDS[dtype] in "fc":
            outs, leaves, seeds = _forward(case, inputs, params)
            held = [x.array for x in (*leaves, *seeds)]
            for g in grad(outs, leaves, seeds):
                shared = any(np.shares_memory(g.array, x) for x in held)
                assert not shared, f"{case} of {example}: a gradient shares memory"
                held.append(g.array)
        for x, old in zip(arrays, before, strict=True):
            assert _same(x, old), f"{case} of {example}: changed an operand in place"


def layouts(case):
    """Operands that are transposed, strided, reversed or read-only make no difference."""
    for example, dtype, inputs, params in _samples(case, case.widest):
        right = _several(case.call(*inputs, **params))
        slopes = _gradients(case, inputs, params)
        for rearrange in (_column_major, _strided, _reversed, _read_only):
            moved = _rearranged(inputs, rearrange)
            what = f"{case} of {example}, {rearrange.__name__[1:]}"
            for got, expected in zip(_several(case.call(*moved, **params)), right, strict=True):
                _assert_close(got, expected, got.dtype, case.tolerance, what)
            for got, expected in zip(_gradients(case, moved, params), slopes, strict=True):
                _assert_close(got, expected, dtype, case.tolerance, f"gradient of {what}")


# Gradients


def gradient(case):
    """The VJP along a random direction is the central difference, operand by operand."""
    for example, _, inputs, params in _samples(case, _differentiable(case.widest), smooth=True):
        outs, leaves, seeds = _forward(case, inputs, params)
        slopes = grad(outs, leaves, seeds, retain_graph=True)
        again = grad(outs, leaves, seeds, create_graph=True)

        def total(moved, seeds=seeds, params=params):
            return _paired(seeds, _passing(case, case.call(*moved, **params)))

        for i, g, recorded in zip(_positions(case, inputs), slopes, again, strict=True):
            what = f"the gradient of {case} by {_name(case, i)} at {example}"
            kept = (inputs[i].shape, inputs[i].dtype)
            assert (g.array.shape, g.array.dtype) == kept, f"{what}: {g.array!r} for {kept}"
            _agree(total, inputs, i, g.array, what)
            _assert_close(recorded.array, g.array, g.array.dtype, 1, f"{what}, recorded,")


def second_gradient(case):
    """The same of the gradient: its own VJP, by the operands and by the gradient it came from."""
    for example, _, inputs, params in _samples(case, _differentiable(case.widest), smooth=True):
        outs, leaves, seeds = _forward(case, inputs, params)
        seeds = [wrap(x.array, requires_grad=True) for x in seeds]
        first = grad(outs, leaves, seeds, create_graph=True)
        weights = [wrap(_direction(x.array, 1 + n)) for n, x in enumerate(first)]
        recorded = [(x, w) for x, w in zip(first, weights, strict=True) if x.requires_grad]
        roots, starts = zip(*recorded, strict=True) if recorded else ((), ())
        slopes = grad(roots, [*leaves, *seeds], starts, materialize_grads=True)
        n = len(inputs)

        def total(moved, n=n, params=params, weights=weights):
            outs, leaves, _ = _forward(case, moved[:n], params)
            gradients = grad(outs, leaves, [wrap(x) for x in moved[n:]])
            return _paired(weights, [g.array for g in gradients])

        whole = [*inputs, *(x.array for x in seeds)]
        places = [*_positions(case, inputs), *range(n, len(whole))]
        for i, g in zip(places, slopes, strict=True):
            by = _name(case, i) if i < n else "the gradient"
            _agree(total, whole, i, g.array, f"the second gradient of {case} by {by} at {example}")


def gradient_dtypes(case):
    """In narrow dtypes gradients have the dtype of their operand, and agree with float64."""
    for example, dtype, inputs, params in _samples(case, _differentiable(case.dtypes)):
        narrow = _gradients(case, inputs, params)
        wide = _gradients(case, [_widened(x) for x in inputs], params)
        for i, got, right in zip(_positions(case, inputs), narrow, wide, strict=True):
            what = f"the gradient of {case} by {_name(case, i)} at {example} in {dtype}"
            assert got.dtype == dtype, f"{what}: {got.dtype}"
            _assert_close(got, right, dtype, 4 * case.tolerance, what)


def no_gradient(case):
    """The result of an op without rules requires no gradient."""
    for example, _, inputs, params in _samples(case, _differentiable(case.widest)):
        tensors = [wrap(x, x.dtype.kind in "fc") if hasattr(x, "dtype") else x for x in inputs]
        recorded = any(out.requires_grad for out in _several(case.call(*tensors, **params)))
        assert not recorded, f"{case} of {example}: a result requires a gradient"


# Kernels and devices


def kernel(case, name):
    """A specialised kernel gives what the generic body gives, or declines, but not everything."""
    where = backend.for_device(name)
    generic, special, accepted = case.op.body, case.op.special[name], False
    first = (where.xp,) if case.op.takes_xp else ()
    for example, dtype, inputs, params in _samples(case):
        for rearrange in (_as_it_is, _column_major, _strided, _reversed):
            moved = _sent(_rearranged(inputs, rearrange), where)
            there = _sent(params, where)
            got = special(*moved, **there)
            if got is NotImplemented:
                continue
            accepted = True
            right = generic(*first, *moved, **there)
            what = f"{name}'s kernel of {case} of {example} in {dtype}, {rearrange.__name__[1:]}"
            for part, expected in zip(_several(got), _several(right), strict=True):
                part, expected = where.to_host(part), where.to_host(expected)
                assert (part.dtype, part.shape) == (expected.dtype, expected.shape), what
                _assert_close(part, expected, part.dtype, case.tolerance, what)
    assert accepted, f"{name}'s kernel of {case} declined every example"


def device(case, name):
    """On another device values and gradients are those of the CPU, and stay there.

    Where there are several of its kind, it is one that is not the current one.
    """
    where = backend.for_device(name)
    index = where.at and 1
    for example, dtype, inputs, params in _samples(case):
        what = f"{case} of {example} in {dtype} on {name}"
        sent, there = _sent(inputs, where, index), _sent(params, where, index)
        pairs = [(_several(case.call(*sent, **there)), _several(case.call(*inputs, **params)))]
        pairs.append((_gradients(case, sent, there), _gradients(case, inputs, params)))
        for got, expected in pairs:
            for part, right in zip(map(backend.as_array, got), expected, strict=True):
                assert isinstance(part, where.array_type), f"{what}: {type(part).__name__}"
                assert index in (None, where.device_of(part).index), f"{what}: on another device"
                _assert_close(where.to_host(part), right, right.dtype, case.tolerance, what)


# How it is done


def _samples(case, dtypes=None, smooth=False):
    """(example, dtype, operands, parameters) of every (smooth) example in every dtype."""
    for example in case.examples:
        if smooth and not example.smooth:
            continue
        for dtype in case.dtypes if dtypes is None else dtypes:
            yield (example, dtype, *case.sample(example, dtype))


def _differentiable(types):
    return [t for t in types if KINDS[t] in "fc"]


def _several(result):
    return result if isinstance(result, tuple) else (result,)


def _passing(case, result):
    """The results that gradients flow through."""
    parts = _several(result)
    if case.outputs is not None:
        return [parts[i] for i in case.outputs]
    arrays = [x.array if isinstance(x, Tensor) else x for x in parts]
    return [x for x, array in zip(parts, arrays, strict=True) if KINDS[array.dtype] in "fc"]


def _widened(x):
    return x.astype(WIDEST[KINDS[x.dtype]]) if isinstance(x, np.ndarray) else x


def _result_dtype(case, dtype, right):
    """The dtype that a result must have where the reference, computed wide, gave `right`."""
    if case.gives is not None:
        return np.dtype(case.gives)
    kind = KINDS[right.dtype]
    if kind == "f" and dtype.kind == "c":
        return np.dtype(f"f{dtype.itemsize // 2}")
    if kind == "c" and dtype.kind == "f":
        return np.dtype(f"c{dtype.itemsize * 2}")
    return dtype if kind == KINDS[dtype] else right.dtype


def _leaves(case, inputs):
    """The operands as tensors, and those of them that get a gradient."""
    tensors = list(inputs)
    for i, x in enumerate(inputs):
        if hasattr(x, "dtype"):
            tensors[i] = wrap(x, case.orders > 0 and case.gets_gradient(i, x))
    return tensors, [x for x in tensors if isinstance(x, Tensor) and x.requires_grad]


def _positions(case, inputs):
    return [i for i, x in enumerate(inputs) if case.gets_gradient(i, x)]


def _name(case, position):
    names = case.op.operands
    return f"{names[0]}[{position}]" if case.op.variadic else names[position]


def _forward(case, inputs, params):
    """The results that pass gradients, the leaves behind them, and a gradient for each result."""
    tensors, leaves = _leaves(case, inputs)
    outs = _passing(case, case.call(*tensors, **params))
    seeds = []
    for n, x in enumerate(outs):
        where = backend.for_array(x.array)
        index = where.device_of(x.array).index
        seeds.append(wrap(where.from_host(_direction(x.array, n), index)))
    return outs, leaves, seeds


def _gradients(case, inputs, params):
    """The gradients, as arrays, of the operands that get one."""
    if not case.orders or not _positions(case, inputs):
        return []
    return [g.array for g in grad(*_forward(case, inputs, params))]


def _direction(like, n):
    """A fixed random NumPy array of the shape and dtype of `like`."""
    rng = np.random.default_rng(100 + n)
    values = rng.uniform(-1, 1, like.shape)
    if like.dtype.kind == "c":
        values = values + 1j * rng.uniform(-1, 1, like.shape)
    return np.asarray(values).astype(like.dtype)


def _paired(weights, arrays):
    """The real number sum(Re(conj(w) * a)), in which gradients are defined."""
    return sum(np.sum((np.conj(w.array) * a).real) for w, a in zip(weights, arrays, strict=True))


def _agree(total, inputs, position, slope, what):
    """Raise unless `slope`, along a random direction, is the central difference of `total`."""
    direction = _direction(inputs[position], 50 + position)
    sides = []
    for step in (STEP, -STEP):
        moved = list(inputs)
        moved[position] = inputs[position] + step * direction
        sides.append(total(moved))
    numeric = (sides[0] - sides[1]) / (2 * STEP)
    terms = (np.conj(slope) * direction).real
    exact, allowed = terms.sum(), SLOPE_ERROR * (1 + np.abs(terms).sum() + abs(sides[0]))
    assert abs(exact - numeric) <= allowed, f"{what}: {exact} along a direction, found {numeric}"


def _assert_close(got, expected, dtype, factor, what):
    """Raise unless two NumPy arrays agree to the precision of a dtype, times a factor."""
    error = factor * max(TOLERANCES.get(dtypes.FROM_NUMPY[dtype], (0.0,)))
    if dtype in (np.float64, np.complex128):
        error = factor * WIDE_ERROR
    difference = elements_differ(got, expected, (error, error), equal_nan=True)
    assert not difference, f"{what}: {difference}"


def _sent(value, where, index=None):
    """Arrays, also those in tuples and dicts, on a device of another backend."""
    if isinstance(value, np.ndarray):
        return where.from_host(value, index)
    if isinstance(value, dict):
        return {name: _sent(x, where, index) for name, x in value.items()}
    kind = type(value)
    return kind(_sent(x, where, index) for x in value) if kind in (tuple, list) else value


def _same(x, y):
    """True if dtypes, shapes and elements are equal, NaN to NaN."""
    if (x.dtype, x.shape) != (y.dtype, y.shape):
        return False
    return bool(((x == y) | ((x != x) & (y != y))).all())


# Memory layouts: the same values, held differently


def _rearranged(inputs, rearrange):
    return [rearrange(x) if isinstance(x, np.ndarray) else x for x in inputs]


def _as_it_is(x):
    return x


def _column_major(x):
    return np.asfortranarray(x) if x.ndim else x


def _strided(x):
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


def _reversed(x):
    backwards = (slice(None, None, -1),) * x.ndim
    return x[backwards].copy()[backwards] if x.ndim else x


def _read_only(x):
    frozen = x.copy()
    frozen.flags.writeable = False
    return frozen
