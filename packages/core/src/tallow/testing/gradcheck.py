"""`gradcheck` and `gradgradcheck`: are the gradients of a function those of its values?

Every real number in an input (two for a complex element) is a column, every one in an output a row
of a Jacobian matrix. The rows come from backward passes, the columns from central differences.
"""

import warnings

import numpy as np

from tallow import backend, dtypes
from tallow.autograd import enable_grad, grad
from tallow.errors import ArgumentError, GradientError, NotSupportedError
from tallow.tensor import Tensor, wrap


class GradcheckError(GradientError):
    """Gradients that are not those of the function."""


def gradcheck(
    func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
    check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
    check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True,
    fast_mode=False, masked=None,
):  # fmt: skip
    """True if the gradients of `func(*inputs)` agree with central differences of step `eps`.

    Inputs that require gradients should be float64 or complex128. On a difference GradcheckError is
    raised, or False returned without `raise_exception`. `fast_mode` compares one random projection
    of the Jacobian matrix in place of all of it; `nondet_tol` bounds how much two backward passes
    may differ; `check_forward_ad` also checks `tallow.func.jvp`.

    >>> x = tallow.tensor([1.0, 2.0], dtype=tallow.float64, requires_grad=True)
    >>> tallow.autograd.gradcheck(lambda x: x.sin() * x, (x,))
    True
    """
    if masked or check_batched_forward_grad:
        raise NotSupportedError("gradcheck: masked and check_batched_forward_grad are not there")
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = _wanted(inputs)
    call = _Call(func, inputs, wanted, eps)
    try:
        if check_backward_ad:
            _check_rows(call, atol, rtol, nondet_tol, fast_mode)
            if check_grad_dtypes:
                _check_dtypes(call)
        if check_batched_grad:
            _check_batched(call, atol, rtol)
        if check_forward_ad:
            _check_columns(call, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3,
    gen_non_contig_grad_outputs=False, raise_exception=True, nondet_tol=0.0,
    check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
    check_fwd_over_rev=False, check_rev_over_rev=True, fast_mode=False, masked=False,
):  # fmt: skip
    """`gradcheck` of the gradients of `func`, by the inputs and by `grad_outputs` (or random)."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = _outputs(func(*inputs))
    if grad_outputs is None:
        starts = [wrap(_random(x, n)) for n, x in enumerate(outputs)]
        if gen_non_contig_grad_outputs:
            starts = [_spread_out(x) for x in starts]
        starts = [x.requires_grad_() for x in starts]
    else:
        starts = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    count = len(inputs)

    def gradients(*arguments):
        operands = arguments[:count]
        needing = [x for x in operands if isinstance(x, Tensor) and x.requires_grad]
        results = _outputs(func(*operands))
        found = grad(results, needing, arguments[count:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients, (*inputs, *starts), eps=eps, atol=atol, rtol=rtol, nondet_tol=nondet_tol,
        raise_exception=raise_exception, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _wanted(inputs):
    """The positions of the inputs that require gradients; warns of narrow ones."""
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ArgumentError("gradcheck: expected an input that requires gradients, got none")
    for i in wanted:
        if inputs[i].dtype not in (dtypes.float64, dtypes.complex128):
            warnings.warn(
                f"gradcheck: expected input {i} in float64 or complex128, got {inputs[i].dtype}: "
                "central differences in it are inexact",
                stacklevel=3,
            )
        if 0 in inputs[i].array.strides and inputs[i].array.size > 1:
            raise GradientError(
                f"gradcheck: expected elements with memory of their own, got input {i} with "
                "stride 0; use .contiguous()"
            )
    return wanted


def _outputs(result):
    """The results that require gradients."""
    parts = result if isinstance(result, tuple | list) else (result,)
    return [x for x in parts if isinstance(x, Tensor) and x.requires_grad]


def _random(like, seed):
    values = np.random.default_rng(seed).uniform(-1, 1, _degrees(like))
    return _from_real(values, like)


def _spread_out(x):
    """The same values with gaps between them in memory."""
    xp = backend.for_array(x.array).xp
    return wrap(xp.repeat(x.array[..., None], 2, -1)[..., 0])


def _degrees(x):
    """How many real numbers are in a tensor."""
    return x.array.size * (2 if x.dtype.is_complex else 1)


def _real(x):
    """The real numbers in a tensor, as a NumPy vector of float64."""
    host = backend.for_array(x.array).to_host(x.array)
    wide = np.ascontiguousarray(host, np.complex128 if x.dtype.is_complex else np.float64)
    return wide.reshape(-1).view(np.float64)


def _from_real(values, like):
    """An array of the kind of `like` with these real numbers in it."""
    if like.dtype.is_complex:
        values = values.view(np.complex128)
    host = values.reshape(like.array.shape).astype(like.array.dtype)
    return backend.for_array(like.array).from_host(host, like.device.index)


class _Call:
    """A function and its inputs, and the two ways to its Jacobian matrix."""

    def __init__(self, func, inputs, wanted, eps):
        self.func = func
        self.inputs = inputs
        self.wanted = wanted
        self.eps = eps
        with enable_grad():
            result = func(*inputs)
        self.outputs = _outputs(result)
        if not self.outputs:
            parts = result if isinstance(result, tuple | list) else (result,)
            self.flat = any(isinstance(x, Tensor) for x in parts)

    def rows(self, weights):
        """The gradient, as real numbers, of sum(weights * outputs) for real `weights`."""
        starts, at = [], 0
        for x in self.outputs:
            starts.append(wrap(_from_real(weights[at : at + _degrees(x)], x)))
            at += _degrees(x)
        chosen = [self.inputs[i] for i in self.wanted]
        found = grad(self.outputs, chosen, starts, retain_graph=True, allow_unused=True)
        parts = [
            np.zeros(_degrees(x)) if g is None else _real(g)
            for x, g in zip(chosen, found, strict=True)
        ]
        return np.concatenate(parts)

    def values(self, moved):
        """The outputs as real numbers, for inputs of these real numbers."""
        arguments, at = list(self.inputs), 0
        for i in self.wanted:
            x = self.inputs[i]
            arguments[i] = wrap(_from_real(moved[at : at + _degrees(x)], x), requires_grad=True)
            at += _degrees(x)
        with enable_grad():
            outputs = _outputs(self.func(*arguments))
        return np.concatenate([_real(x) for x in outputs]) if outputs else np.zeros(0)

    def slope(self, direction):
        """The central difference of the outputs along a direction of the inputs."""
        start = np.concatenate([_real(self.inputs[i]) for i in self.wanted])
        above = self.values(start + self.eps * direction)
        return (above - self.values(start - self.eps * direction)) / (2 * self.eps)

    @property
    def shape(self):
        columns = sum(_degrees(self.inputs[i]) for i in self.wanted)
        return sum(_degrees(x) for x in self.outputs), columns


def _units(n):
    return np.eye(n)


def _check_rows(call, atol, rtol, nondet_tol, fast):
    rows, columns = call.shape
    if fast:
        rng = np.random.default_rng(0)
        weights, directions = [rng.uniform(-1, 1, (1, n)) for n in (rows, columns)]
    else:
        weights, directions = _units(rows), _units(columns)
    exact = np.array([call.rows(w) for w in weights]).reshape(len(weights), columns)
    again = np.array([call.rows(w) for w in weights]).reshape(len(weights), columns)
    if exact.size and np.abs(exact - again).max() > nondet_tol:
        raise GradcheckError(
            f"gradcheck: expected equal gradients from two backward passes, got a difference of "
            f"{np.abs(exact - again).max()}; nondet_tol allows {nondet_tol}"
        )
    numeric = np.array([call.slope(d) for d in directions]).reshape(len(directions), rows).T
    if fast:
        exact, numeric = exact @ directions.T, weights @ numeric
    _compare(exact, numeric, atol, rtol, "backward")


def _check_columns(call, atol, rtol):
    from tallow.func import jvp

    rows, columns = call.shape
    chosen = [call.inputs[i] for i in call.wanted]

    def moving(*operands):
        arguments = list(call.inputs)
        for i, x in zip(call.wanted, operands, strict=True):
            arguments[i] = x
        return tuple(_outputs(call.func(*arguments)))

    found = []
    for direction in _units(columns):
        tangents, at = [], 0
        for x in chosen:
            tangents.append(wrap(_from_real(direction[at : at + _degrees(x)], x)))
            at += _degrees(x)
        moved = jvp(moving, tuple(x.detach() for x in chosen), tuple(tangents))[1]
        found.append(np.concatenate([_real(x) for x in moved]))
    numeric = np.array([call.slope(d) for d in _units(columns)])
    _compare(np.array(found).T, numeric.T, atol, rtol, "jvp")


def _check_dtypes(call):
    chosen = [call.inputs[i] for i in call.wanted]
    starts = [wrap(_random(x, 0)) for x in call.outputs]
    found = grad(call.outputs, chosen, starts, retain_graph=True, allow_unused=True)
    for i, x, g in zip(call.wanted, chosen, found, strict=True):
        if g is not None and g.dtype is not x.dtype:
            raise GradcheckError(
                f"gradcheck: expected a gradient of {x.dtype} for input {i}, got {g.dtype}"
            )


def _check_batched(call, atol, rtol):
    """A batch of gradients at once gives what they give one by one."""
    chosen = [call.inputs[i] for i in call.wanted]
    sets = [[_random(x, seed + n) for n, x in enumerate(call.outputs)] for seed in (0, 100)]
    stacked = [wrap(backend.for_array(pair[0]).xp.stack(pair)) for pair in zip(*sets, strict=True)]
    options = {"retain_graph": True, "allow_unused": True}
    batched = grad(call.outputs, chosen, stacked, is_grads_batched=True, **options)
    for k, starts in enumerate(sets):
        single = grad(call.outputs, chosen, [wrap(x) for x in starts], **options)
        for one, many in zip(single, batched, strict=True):
            if one is not None:
                _compare(_real(one)[None], _real(wrap(many.array[k]))[None], atol, rtol, "batched")


def _compare(exact, numeric, atol, rtol, kind):
    wrong = ~(np.abs(exact - numeric) <= atol + rtol * np.abs(numeric))
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        raise GradcheckError(
            f"gradcheck: expected the {kind} Jacobian matrix of central differences, got "
            f"{wrong.sum()} of {wrong.size} elements off; the first at output {row}, input "
            f"{column}: {exact[row, column]} for {numeric[row, column]}"
        )
