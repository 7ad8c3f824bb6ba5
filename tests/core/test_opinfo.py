"""PyTorch's own database of operators, `op_db`: its sample inputs under PyTorch and tallow.

For every operator that tallow has: values, dtypes, shapes, gradients, the method, the in-place
method, `out=`, forward derivatives, `vmap`, and the type of the error for inputs that are wrong.
"""

import inspect
import operator
import os
import random
import types
import warnings
from fnmatch import fnmatchcase
from functools import partial

import numpy as np
import pytest

import tallow
from tallow.errors import TallowError

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its optional packages
    database = pytest.importorskip("torch.testing._internal.common_methods_invocations")

DTYPES = [getattr(torch, name) for name in """
    float32 float64 int64 bool complex64 bfloat16 float16 int32 uint8 int16 int8 complex128
""".split()]  # fmt: skip


# The two libraries


FIRST, SECOND = "standin:0", "standin:1"  # the first is the current one


def named(name):
    """tallow's function of a dotted name, or the method, perhaps in place; None if not there."""
    found = tallow
    for part in name.split("."):
        found = getattr(found, part, None)
    if callable(found):
        return found
    return getattr(tallow.Tensor, name, None) or getattr(tallow.Tensor, name + "_", None)


def retargeted(function):
    """A function of the database with tallow in place of torch."""
    if isinstance(function, partial):
        own = getattr(tallow.nn.functional, function.func.__name__)
        return partial(own, *function.args, **function.keywords)
    if not isinstance(function, types.FunctionType):
        return function
    names = {**function.__globals__, "torch": tallow, "wrapper_set_seed": seeded}
    cells = tuple(
        types.CellType(retargeted_value(c.cell_contents)) for c in function.__closure__ or ()
    )
    made = types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, cells
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def takes_out(function):
    """True if a function has `out`, as a parameter or among any others."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        return False
    return "out" in parameters or function.__name__ == "<lambda>"


def retargeted_value(value):
    internal = str(getattr(value, "__module__", "")).startswith("torch.testing")
    return retargeted(value) if internal else value


def seeded(function, *args, **kwargs):
    tallow.manual_seed(42)
    return function(*args, **kwargs)


def ours_of(op):
    """tallow's callable for an OpInfo."""
    function = op.op
    if op.name == "resize_as_":
        return lambda input, other: input.clone().resize_as_(other)
    if named(op.name) is None:
        return None
    if str(getattr(function, "__module__", "")).startswith("torch.testing"):
        return retargeted(function)
    return named(op.name)


# From one to the other


def storage_copy(x):
    """A copy of a tensor with its layout in memory, as a leaf."""
    plain = x.detach().resolve_conj().resolve_neg()
    memory = torch.empty(0, dtype=plain.dtype).set_(plain.untyped_storage().clone())
    made = memory.as_strided(plain.size(), plain.stride(), plain.storage_offset())
    return made.detach().requires_grad_(x.requires_grad)


WIDE = {
    torch.float16: torch.float64, torch.bfloat16: torch.float64, torch.float32: torch.float64,
    torch.complex64: torch.complex128,
}  # fmt: skip


def precise(x):
    """A leaf like x in double precision."""
    if x.dtype not in WIDE:
        return storage_copy(x)
    return x.detach().to(WIDE[x.dtype]).requires_grad_(x.requires_grad)


def to_tallow(x):
    """A leaf with the same values and layout in memory of NumPy's; expanded memory is read-only."""
    x = storage_copy(x)
    memory = torch.empty(0, dtype=torch.uint8).set_(x.untyped_storage()).numpy()
    steps = [n * x.itemsize for n in x.stride()]
    dtype = getattr(tallow, name_of(x.dtype)).numpy
    if x.numel():
        array = np.ndarray(tuple(x.shape), dtype, memory, x.storage_offset() * x.itemsize, steps)
    else:  # NumPy refuses strides of such that lead out of the memory
        array = np.empty(tuple(x.shape), dtype)
    array.flags.writeable = not any(n > 1 and s == 0 for n, s in zip(x.shape, steps, strict=True))
    return tallow.from_numpy(array).requires_grad_(x.requires_grad)


def to_device(x, where):
    made = to_tallow(x)
    return made.detach().to(where).requires_grad_(made.requires_grad)


def to_torch(x):
    array = x.detach().numpy().copy("C")
    if x.dtype is tallow.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def name_of(dtype):
    return str(dtype).rpartition(".")[2]


def converted(value, convert, seen):
    """Operands with every tensor replaced by `convert` of it, and what is torch's by tallow's."""
    if isinstance(value, torch.Tensor):
        if id(value) not in seen:
            seen[id(value)] = convert(value)
        return seen[id(value)]
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, tuple | list):
        return type(value)(converted(x, convert, seen) for x in value)
    if isinstance(value, dict):
        return {name: converted(x, convert, seen) for name, x in value.items()}
    if isinstance(value, slice):
        return slice(*converted((value.start, value.stop, value.step), convert, seen))
    if convert is precise:
        return WIDE.get(value, value) if isinstance(value, torch.dtype) else value
    if convert is not storage_copy:
        if isinstance(value, torch.dtype | torch.memory_format | torch.layout):
            return getattr(tallow, name_of(value))
        if isinstance(value, torch.nn.Module):
            return getattr(tallow.nn, type(value).__name__)()
        if isinstance(value, torch.device):
            return tallow.device(str(value))
        if isinstance(value, types.FunctionType):
            return retargeted_value(value)
    return value


class Side:
    """One library's operands of a sample, and what a call with them gave."""

    def __init__(self, library, sample, convert):
        self.library = library
        self.convert = convert
        self.seen = {}
        self.input, self.args, self.kwargs = converted(operands(sample), convert, self.seen)

    def run(self, call):
        """The result of `call` with the operands, or the error."""
        self.library.default_generator.manual_seed(42)  # alone: for GPUs PyTorch takes long
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.result, self.error = call(self.input, *self.args, **self.kwargs), None
            except Exception as error:
                self.result, self.error = None, error

    def outputs(self):
        return tensors(self.result, self.library.Tensor)

    def transformed(self, transform, call):
        """What a transform of `call`, as a function of the input, gives; None after an error."""

        def function(x):
            return tuple(tensors(call(x, *self.args, **self.kwargs), self.library.Tensor))

        self.library.default_generator.manual_seed(42)
        try:
            return tensors(transform(self.library, function, self), self.library.Tensor)
        except Exception as error:
            self.error = error
            return None

    def gradients(self, cotangents):
        """The gradients of the leaves, for cotangents of the outputs; None after an error."""
        outputs = [x for x in self.outputs() if x.requires_grad]
        weights = [self.convert(x) for x in cotangents]
        try:
            self.library.autograd.backward(outputs, weights)
        except RuntimeError as error:
            self.error = error
            return None
        return [x.grad for x in self.seen.values() if x.requires_grad]

    def second_gradients(self):
        """The gradients of the gradients of the leaves; None after an error."""
        leaves = [x for x in self.seen.values() if x.requires_grad]
        outputs = [x for x in self.outputs() if x.requires_grad]
        grad, unused = self.library.autograd.grad, {"allow_unused": True, "materialize_grads": True}
        try:
            first = grad(outputs, leaves, self.weights(outputs), create_graph=True, **unused)
            pairs = zip(first, self.weights(first), strict=True)
            recorded = [(x, weight) for x, weight in pairs if x.requires_grad]
            if not recorded:
                return [self.library.zeros_like(x) for x in leaves]
            values, cotangents = zip(*recorded, strict=True)
            return grad(values, leaves, cotangents, **unused)
        except RuntimeError as error:
            self.error = error
            return None

    def weights(self, outputs):
        """Cotangents for outputs."""
        if self.library is tallow:
            outputs = [to_torch(x) for x in outputs]
        return [self.convert(weights(x, i)) for i, x in enumerate(outputs)]


def operands(sample):
    return sample.input, sample.args, sample.kwargs


def tensors(value, kind):
    """All tensors in a structure."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [x for part in value for x in tensors(part, kind)]
    return [value] if isinstance(value, kind) else []


# Comparison

TOLERANCES = {  # relative, absolute
    torch.float16: (1e-3, 1e-3), torch.bfloat16: (1.6e-2, 1e-2), torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7), torch.complex64: (1.3e-6, 1e-5), torch.complex128: (1e-7, 1e-7),
}  # fmt: skip
BUILTIN = (NotImplementedError, RuntimeError, ValueError, TypeError, IndexError, KeyError)


class Unequal(AssertionError):
    """Values are different."""


def tolerances_of(op):
    """(relative, absolute) tolerances by dtype: PyTorch's, and what its tests of the op grant."""
    found = dict(TOLERANCES)
    for given in op.decorators:
        for grant in getattr(given, "decorators", ()):
            for dtype, more in getattr(grant, "d", {}).items():
                rtol, atol = found.get(dtype, (0, 0))
                more = more if isinstance(more, tuple) else (more, 0)
                found[dtype] = (max(rtol, more[1]), max(atol, more[0]))
    return found


def same(got, expected, tolerances, factor=1):
    """Tensors or numbers, or sequences of them, are the same; no gradient is like zeros."""
    if got is None and expected is not None:
        assert not expected.any(), f"None, not {expected}"
    elif isinstance(expected, torch.Tensor):
        assert isinstance(got, tallow.Tensor), f"{type(got).__name__}, not a tensor"
        mine = (got.dtype.name, tuple(got.shape))
        theirs = (name_of(expected.dtype), tuple(expected.shape))
        assert mine == theirs, f"{mine}, not {theirs}"
        if tolerances is not None and not close(to_torch(got), expected, tolerances, factor):
            raise Unequal(f"{got}\nnot\n{expected}"[:1500])
    elif isinstance(expected, tuple | list):
        assert isinstance(got, tuple | list), f"{type(got).__name__}, not a sequence"
        assert len(got) == len(expected), f"{len(got)} results, not {len(expected)}"
        for a, b in zip(got, expected, strict=True):
            same(a, b, tolerances, factor)
    elif isinstance(expected, float | complex):
        assert np.isclose(got, expected, 1e-5, 1e-5, equal_nan=True), f"{got}, not {expected}"
    elif isinstance(expected, torch.dtype):
        assert got.name == name_of(expected), f"{got}, not {expected}"
    elif expected is None:
        assert got is None or not got.any(), f"{got}, not None"
    else:
        assert got == expected, f"{got!r}, not {expected!r}"


def close(got, expected, tolerances, factor):
    rtol, atol = (factor * t for t in tolerances.get(expected.dtype, (0, 0)))
    plain = expected.detach().resolve_conj().resolve_neg()
    known = plain.isfinite()
    if known.any() and rtol:  # of large numbers, what rounding leaves of their differences
        largest = plain[known].abs().max().item()
        atol = max(atol, 8 * factor * torch.finfo(plain.dtype).eps * largest)
    if plain.is_complex():  # which part of a number is infinite or NaN, C leaves open
        if not torch.equal(got.isfinite(), known):
            return False
        got, plain = got[known], plain[known]
    return torch.allclose(got, plain, rtol, atol, equal_nan=True)


def narrowed(wide, like):
    """Results in double precision as the dtypes of others."""
    if isinstance(like, torch.Tensor):
        return wide.to(like.dtype)
    if isinstance(like, tuple | list):
        wide = [wide] if isinstance(wide, torch.Tensor) else wide
        return [narrowed(w, x) for w, x in zip(wide, like, strict=True)]
    return like


def weights(x, i):
    """Cotangents for the output i."""
    generator = torch.Generator().manual_seed(i)
    real = torch.rand(x.shape, generator=generator, dtype=torch.float64) * 2 - 1
    if x.dtype.is_complex:
        real = torch.complex(real, torch.rand(x.shape, generator=generator, dtype=torch.float64))
    return real.to(x.dtype)


# Which of equal elements comes first is open, and what memory holds that nothing was written to.
RANKED = {"argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk"}
FEW_VALUES = {x for x in DTYPES if x.itemsize < 3 or not (x.is_floating_point or x.is_complex)}
ARBITRARY = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty",
             "new_empty_strided", "resize_", "resize_as_"}  # fmt: skip
CLONING = {"resize_", "resize_as_", "zero_"}  # the function itself is in place, on a copy


def process_of(op, sample):
    """What of a result is determined."""
    if op.name == "native_group_norm":  # PyTorch's statistics have a history without gradients
        return without_history
    dtype = getattr(sample.input, "dtype", None)
    if op.name in RANKED and dtype in FEW_VALUES:
        return values_alone
    return sample.output_process_fn_grad


def without_history(result):
    return result[0], *(x.detach() for x in result[1:])


def values_alone(result):
    if isinstance(result, tuple):
        return result[0].detach(), result[1] * 0
    return result.detach() if result.is_floating_point() else result * 0


class Trial:
    """One sample of an operator, called in each of its forms."""

    def __init__(self, op, function, sample):
        self.op, self.own, self.sample = op, function, sample
        self.tolerances = None if op.name in ARBITRARY else tolerances_of(op)
        self.extremal = sample.name == EXTREMAL
        if self.extremal and op.name in WITH_LIMITS and not finite(operands(sample), below=1e10):
            self.tolerances = None
        self.process = process_of(op, sample)
        wrapper = op.gradcheck_wrapper  # makes an operand symmetric, triangular, ...
        self.wrapper = plainly if wrapper is database.wrapper_set_seed else wrapper
        masked = "masked" in getattr(wrapper, "__name__", "")
        self.own_wrapper = of_what_counts if masked else retargeted(self.wrapper)

    def forms(self, transforms=False):
        """The names of the forms that the operator has, `func`'s transforms of it among them."""
        op, found = self.op, ["function"]
        if op.name.startswith("__r") and not isinstance(self.sample.input, torch.Tensor):
            return []  # methods of tensors alone
        if op.method_variant is not None and isinstance(self.sample.input, torch.Tensor):
            found.append("method")
        if op.inplace_variant is not None and op.name not in CLONING:
            found.append("in_place")
        if op.supports_gradgrad and getattr(self.sample.input, "dtype", None) is torch.float64:
            found.append("second")
        if op.supports_out and takes_out(self.own):
            found += ["out", "out_empty", "out_integer"]
        if transforms and isinstance(self.sample.input, torch.Tensor):
            found += ["jvp", "vmap"] if op.supports_forward_ad else ["vmap"]
        return found

    def function(self):
        self.compare(partial(self.wrapper, self.op.op), partial(self.own_wrapper, self.own))

    def method(self):
        method = getattr(tallow.Tensor, self.op.name, None)
        assert method is not None, f"no method {self.op.name}"
        theirs = partial(self.wrapper, self.op.get_method())
        self.compare(theirs, partial(self.own_wrapper, method))

    def in_place(self):
        """The in-place method, on a copy of the first operand."""
        method = getattr(tallow.Tensor, self.op.name + "_", None)
        if isinstance(self.op.inplace_variant, types.FunctionType | partial):
            method = retargeted(self.op.inplace_variant)
        assert method is not None, f"no method {self.op.name}_"
        if self.sample.broadcasts_input and self.grows():
            ours = Side(tallow, self.sample, to_tallow)
            ours.run(changing(method))  # an error; some of PyTorch's methods enlarge the tensor
            assert isinstance(ours.error, TallowError), f"{ours.error!r}, {ours.result}"
            return
        self.compare(changing(self.op.get_inplace()), changing(method), self.op.op)

    def grows(self):
        """True if the result is larger than the first operand."""
        theirs = Side(torch, self.sample, storage_copy)
        theirs.run(self.op.op)
        return theirs.error is not None or theirs.result.shape != theirs.input.shape

    def out(self, make=lambda x: torch.full_like(x.detach(), 1)):
        """`out=` tensors of the result's dtype and shape."""
        theirs = Side(torch, self.sample, storage_copy)
        theirs.run(self.op.op)
        results = theirs.outputs()
        if not results or self.op.name in RANKED or results[0].dtype is torch.complex32:
            return
        if not self.sample.output_process_fn_grad.__qualname__.startswith("SampleInput"):
            self.tolerances = None
        outs = [make(x) for x in results]
        own = [to_tallow(x) for x in outs]
        single = isinstance(theirs.result, torch.Tensor)
        self.process = plainly
        self.compare(
            writing(torch, self.op.op, outs, single),
            writing(tallow, self.own, own, single),
            self.op.op,
        )

    def out_empty(self):
        """`out=` tensors that grow to the result's shape."""
        self.out(lambda x: torch.empty(0, dtype=x.dtype))

    def out_integer(self):
        """`out=` tensors of a dtype that cannot hold the result."""
        self.out(unfit)

    def jvp(self):
        """The derivative along a direction, where PyTorch has it."""

        def transform(library, function, side):
            direction = side.convert(weights(self.sample.input, 0))
            return library.func.jvp(function, (side.input,), (direction,))

        self.transformed(transform)

    def vmap(self):
        """The results for several inputs at once, where PyTorch has them."""

        def transform(library, function, side):
            several = library.stack([side.input, side.input])
            return library.func.vmap(function, randomness="same")(several)

        self.transformed(transform)

    def transformed(self, transform):
        theirs, ours = Side(torch, self.sample, storage_copy), Side(tallow, self.sample, to_tallow)
        if self.tolerances is None:
            return
        call = then(self.process, partial(self.wrapper, self.op.op))
        expected = quietly(theirs.transformed, transform, call)
        if expected is None:
            return
        got = quietly(
            ours.transformed,
            transform,
            then(retargeted(self.process), partial(self.own_wrapper, self.own)),
        )
        assert got is not None, f"{ours.error!r:.500}"
        same([x.detach() for x in got], [x.detach() for x in expected], self.tolerances, 10)

    def second(self):
        """The gradients of the gradients, where PyTorch's can be had."""
        theirs, ours = Side(torch, self.sample, storage_copy), Side(tallow, self.sample, to_tallow)
        theirs.run(then(self.process, partial(self.wrapper, self.op.op)))
        ours.run(then(retargeted(self.process), partial(self.own_wrapper, self.own)))
        expected = None if theirs.error else theirs.second_gradients()
        if expected is None or self.tolerances is None:
            return
        assert ours.error is None, f"{ours.error!r:.500}"
        got = ours.second_gradients()
        assert got is not None, f"second backward: {ours.error!r:.500}"
        try:
            same(got, expected, self.tolerances, 100)
        except AssertionError as error:
            raise AssertionError(f"gradients of gradients: {error}") from error

    def compare(self, call, own_call, reference=None):
        """What a call of tallow's gives, and its gradients, is what PyTorch's gives.

        Or, if PyTorch's is not in double precision, what `reference`, PyTorch's, gives in that.
        """
        theirs, ours = Side(torch, self.sample, storage_copy), Side(tallow, self.sample, to_tallow)
        theirs.run(then(self.process, call))
        if any(x.dtype is torch.complex32 for x in theirs.outputs()):
            return
        ours.run(then(retargeted(self.process), own_call))
        if theirs.error is not None:
            assert ours.error is not None, f"no error, where torch has {theirs.error!r:.300}"
            return
        if ours.error is not None:
            raise AssertionError(f"{ours.error!r:.500}") from ours.error
        reference = then(self.process, reference or call)
        self.same_or_precise(ours.result, theirs.result, reference, 1, lambda wide: wide.result)
        flags = [x.requires_grad for x in theirs.outputs()]
        mine = [x.requires_grad for x in ours.outputs()]
        assert mine == flags, f"requires_grad {mine}, not {flags}"
        if not any(flags):
            return
        if self.extremal and not finite(operands(self.sample), theirs.result):
            return
        outputs = theirs.outputs()
        cotangents = [weights(x, i) for i, x in enumerate(outputs) if x.requires_grad]
        expected, got = theirs.gradients(cotangents), ours.gradients(cotangents)
        if expected is None or self.tolerances is None:
            return
        assert got is not None, f"backward: {ours.error!r:.500}"
        try:
            self.same_or_precise(
                got, expected, reference, 10, lambda wide: wide.gradients(cotangents)
            )
        except AssertionError as error:
            raise AssertionError(f"gradients: {error}") from error

    def same_or_precise(self, got, expected, reference, factor, part):
        try:
            return same(got, expected, self.tolerances, factor)
        except Unequal:
            wide = Side(torch, self.sample, precise)
            if not any(x.dtype in WIDE for x in tensors(operands(self.sample), torch.Tensor)):
                raise
            wide.run(reference)
            if wide.error is not None:
                raise
            same(got, narrowed(part(wide), expected), self.tolerances, factor)


def unfit(x):
    """A tensor that cannot hold what x holds; one like x where there is no such dtype."""
    inexact = x.is_floating_point() or x.is_complex()
    return torch.empty_like(x.detach(), dtype=torch.int64 if inexact else x.dtype)


def of_what_counts(function, input, *args, **kwargs):
    """A masked operation's result, zero where nothing counted, as PyTorch's wrappers have it."""
    result = function(input, *args, **kwargs)
    masks = [mask for name, mask in kwargs.items() if "mask" in name and mask is not None]
    if not masks or function.__name__ == "logaddexp" and len(masks) < 2:
        return result
    mask = to_torch(masks[0] if len(masks) < 2 else masks[0] & masks[1])
    given = {name: value for name, value in kwargs.items() if name in ("dim", "keepdim")}
    if function.__name__ == "logaddexp":
        counted = torch.masked._input_mask(to_torch(input), mask=mask)
    else:
        theirs = getattr(torch.masked, function.__name__)
        counted = torch.masked._output_mask(theirs, to_torch(input), *args, **given, mask=mask)
    return tallow.where(to_tallow(counted), result, result.new_zeros([]))


def finite(*values, below=np.inf):
    """True if no number is infinite, NaN or as large as `below`."""
    found = [x for x in tensors(values, torch.Tensor) if x.dtype is not torch.bool]
    return all((x.abs() < below).all() for x in found)


def plainly(function, *args, **kwargs):
    return function(*args, **kwargs)


def then(process, call):
    return lambda *args, **kwargs: process(call(*args, **kwargs))


def changing(method):
    """A call of an in-place method on a copy of the first operand."""

    def call(input, *args, **kwargs):
        target = input.clone()
        result = method(target, *args, **kwargs)
        assert result is target, "another tensor than the one to change"
        return result

    return call


def writing(library, call, outs, single):
    """A call with `out=`, which gives the tensors written to."""

    def run(*args, **kwargs):
        with library.no_grad():
            result = call(*args, **kwargs, out=outs[0] if single else tuple(outs))
        if library is tallow:
            same_ones = map(operator.is_, tensors(result, library.Tensor), outs)
            assert all(same_ones), "another tensor than out"
        return outs[0] if single else outs

    return run


def check_error(op, function, wrong):
    """Inputs that are wrong raise an error of PyTorch's type, except for tallow's liberties."""
    sample = wrong.sample_input
    try:
        theirs, ours = Side(torch, sample, storage_copy), Side(tallow, sample, to_tallow)
    except Exception:  # operands that NumPy or tallow has not: 65 dims, another device, sparse
        return
    theirs.run(op.op)
    ours.run(function)
    if theirs.error is None:
        return
    if ours.error is None:
        takes_numbers = isinstance(theirs.error, TypeError)
        casts = "out" in sample.kwargs
        assert takes_numbers or casts, f"no error, where torch has {theirs.error!r:.300}"
        return
    kind = next((k for k in BUILTIN if isinstance(theirs.error, k)), Exception)
    assert isinstance(ours.error, kind), f"{ours.error!r:.300} for torch's {theirs.error!r:.300}"
    assert isinstance(ours.error, TallowError), f"no error of tallow's: {ours.error!r:.300}"


# What is left out

NOT_HERE = {  # by the reason
    "an inner function of PyTorch's": """
        _batch_norm_with_update _upsample_bilinear2d_aa max_pool2d_with_indices_backward slice
        torch._scaled_mm torch._scaled_mm_v2 torch.ops.aten._efficient_attention_forward
        torch.ops.aten._flash_attention_forward torch.ops.aten._safe_softmax.default
    """,
    "compiles CUDA at run time": """
        jiterator_2inputs_2outputs jiterator_4inputs_with_extra_args jiterator_binary
        jiterator_binary_return_by_ref jiterator_unary
    """,
    "tallow.left_out says why": """
        __rdiv__ _segment_reduce chalf linalg.ldl_factor linalg.ldl_factor_ex
        linalg.ldl_solve special.airy_ai
    """,
}
DIFFERENT = {  # "op form dtype", with wildcards: why tallow does something else
    "abs in_place complex*": "the moduli are written as complex numbers, PyTorch refuses",
    "as_strided.partial_views *": "a layout is of a tensor's own elements, not of all its memory",
    "as_strided_scatter function *": "PyTorch's gradient counts elements that were overwritten",
    "as_strided_scatter method *": "PyTorch's gradient counts elements that were overwritten",
    "as_strided vmap *": "a layout is of all memory: that of the batch, not of one example",
    "as_strided_copy vmap *": "a layout is of all memory: that of the batch, not of one example",
    "bernoulli *": "what is drawn has no gradient, PyTorch's has zeros",
    "fft.ihfftn out*": "PyTorch leaves `out` empty",
    "float_power in_place *": "the result is written in the tensor's dtype, PyTorch refuses",
    "histogramdd *": "edges out of order are an error",
    "linalg.householder_product function *": "a product of no reflections is a constant",
    "linalg.lstsq* function *": "residuals that are not computed have no gradient",
    "linalg.norm.subgradients_at_zero second *": "PyTorch's are NaN",
    "logcumsumexp * complex*": "NumPy has no such running sum",
    "logcumsumexp * bfloat16": "gradients are of rounded sums",
    "logcumsumexp * float32": "gradients are of rounded sums",
    "masked.logaddexp second *": "PyTorch's are NaN where nothing counts",
    "narrow_copy error": "a dim out of range is an IndexError, as everywhere else",
    "nn.functional.max_unpool* jvp *": "of equal indices all have a tangent, in PyTorch the last",
    "nextafter *": "has no gradient, PyTorch's raises in the backward pass",
    "nn.functional.batch_norm function *": "has channels",
    "nn.functional.local_response_norm * int64": "means of integers are not cut to integers",
    "normal*": "what is drawn has no gradient, PyTorch's has zeros",
    "nn.functional.linear_cross_entropy* second *": "PyTorch's chunks have none",
    "*polygamma.* int16": "is infinite at its poles, PyTorch's only large",
    "*polygamma.* int8": "is infinite at its poles, PyTorch's only large",
    "__rpow__ * float16": "gradients are of rounded powers",
    "pow * float16": "gradients are of rounded powers",
    "special.bessel_j0 * float64": "PyTorch's is right to 7 digits",
    "special.bessel_y1 * float64": "PyTorch's is right to 3 digits",
}  # fmt: skip
RARELY_DIFFERENT = {  # the same, of samples that only "all" has
    "cov * float64": "weights of float32 leave five digits of the divisor",
    "cov * complex64": "weights of float32 leave five digits of the divisor",
    "nn.functional.poisson_nll_loss * bfloat16": "PyTorch's gradient at a target of 0 is NaN",
    "signal.windows.kaiser * float32": "PyTorch's overflows in float32",
    "cov * complex128": "weights of float32 leave five digits of the divisor",
    "nn.functional.poisson_nll_loss * uint8": "terms of hundreds, summed in float32, cancel",
    "signal.windows.kaiser * float64": "PyTorch's is right to 14 digits",
}  # fmt: skip
REFERENCES_WITHOUT_GRADIENTS = {  # whole numbers are among them; PyTorch's are inexact or wrong
    "addcdiv", "addcmul", "clamp", "polar", "special.log_ndtr", "where",
}  # fmt: skip
EXTREMAL = "reference"  # perhaps infinite or NaN: there PyTorch's tests look at no gradients
# At infinity or near these have the limits that PyTorch's have not, or are NaN of what is NaN.
WITH_LIMITS = {
    "copysign", "i0", "igamma", "igammac", "nn.functional.gelu", "polygamma", "special.bessel_j0",
    "special.bessel_j1", "special.bessel_y0", "special.bessel_y1", "special.i1",
    "special.modified_bessel_i0", "special.modified_bessel_i1", "special.zeta",
    *(f"special.{s}chebyshev_polynomial_{k}" for s in ("", "shifted_") for k in "tuvw"),
}  # fmt: skip
EVERY = os.environ.get("TALLOW_TEST_SAMPLES") == "all"  # takes minutes; else a few are picked


def different(op, form, dtype=None):
    call = " ".join([op.full_name, form, *([name_of(dtype)] if dtype else [])])
    known = [*DIFFERENT, *(RARELY_DIFFERENT if EVERY else ())]
    return any(fnmatchcase(call, pattern) for pattern in known)


def picked(samples, seed):
    """The first and the last sample, and one between; or every one."""
    if EVERY or len(samples) < 4:
        return samples
    return [samples[0], random.Random(seed).choice(samples[1:-1]), samples[-1]]


def samples_of(op, dtype):
    """Sample inputs, which require gradients where there are some."""
    inexact = dtype.is_floating_point or dtype.is_complex
    gradients = op.supports_autograd and inexact
    gradients = gradients and dtype in op.supported_backward_dtypes("cpu")
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)
    found = list(op.sample_inputs("cpu", dtype, requires_grad=gradients))
    if EVERY and op.reference_inputs_func is not None:
        # Among these are the samples. Some can only be made without gradients.
        plain = not gradients or op.name in REFERENCES_WITHOUT_GRADIENTS
        found = found if plain and gradients else []
        for sample in op.reference_inputs("cpu", dtype, requires_grad=not plain):
            sample.name = EXTREMAL
            found.append(sample)
    return picked(found, op.full_name)


def failures(op):
    """What of an operator is not as in PyTorch, in words."""
    function = ours_of(op)
    for dtype in DTYPES:
        if dtype not in op.supported_dtypes("cpu"):
            continue
        for i, sample in enumerate(quietly(samples_of, op, dtype)):
            trial = Trial(op, function, sample)
            for form in trial.forms(transforms=dtype is torch.float64 and (i == 0 or EVERY)):
                if different(op, form, dtype):
                    continue
                try:
                    getattr(trial, form)()
                except AssertionError as error:
                    yield f"{form} {dtype} {sample.summary()}: {error}"
    if op.error_inputs_func is None or different(op, "error"):
        return
    for wrong in op.error_inputs("cpu"):
        try:
            check_error(op, function, wrong)
        except AssertionError as error:
            yield f"error {wrong.sample_input.summary()}: {error}"


absent = set(" ".join(NOT_HERE.values()).split())
sparse = {"sparse.mm", "sparse.sampled_addmm", "to_sparse"}  # their tests are in tests/core/sparse
operators = [op for op in database.op_db if op.name not in absent | sparse]


def test_names():
    assert absent == {op.name for op in database.op_db if ours_of(op) is None}


@pytest.mark.parametrize("op", operators, ids=[op.full_name for op in operators])
def test_operator(op):
    found = list(failures(op))
    assert not found, "\n".join(found[:5])


def quietly(function, *args):
    """A call whose warnings are nobody's concern."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args)


def on_device(function, op, sample, where):
    """The error of a call on a device, or the devices of what it gave and of its gradients."""
    side = Side(tallow, sample, partial(to_device, where=where))
    side.run(partial(retargeted(op.gradcheck_wrapper), function))
    found = [x for x in side.outputs() if isinstance(x, tallow.Tensor)]
    slopes = [weights(to_torch(x.cpu()), i) for i, x in enumerate(found) if x.requires_grad]
    found += quietly(side.gradients, slopes) if slopes and side.error is None else ()
    return side.error, {str(x.device) for x in found or () if x is not None}


@pytest.mark.parametrize("op", operators, ids=[op.full_name for op in operators])
def test_where_its_tensors_are(op):
    """An operator that works on the current device works on another, where its results are."""
    function = ours_of(op)
    dtypes = op.supported_dtypes("cpu") - {torch.complex32}  # which no tensor here has
    wanted = [x for x in (torch.float32, torch.int64, *dtypes) if x in dtypes]
    for sample in quietly(samples_of, op, wanted[0])[:2] if wanted else ():
        error, where = on_device(function, op, sample, FIRST)
        if error is None:
            error, there = on_device(function, op, sample, SECOND)
            assert error is None, f"{sample.summary()}: {error!r:.500}"
            assert there == {x.replace(FIRST, SECOND) for x in where}, sample.summary()
