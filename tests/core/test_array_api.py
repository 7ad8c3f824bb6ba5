"""The array API standard: each function against NumPy's, which keeps to the standard as well."""

import inspect

import numpy as np
import pytest

import tallow
from tallow import array_api as xp

REAL = np.array([[1.5, -2.0, 0.0, 3.25], [0.5, -0.5, 2.5, -3.5], [7.0, 0.25, -1.0, 1.0]])
UNIT = np.array([[0.1, -0.9, 0.5], [0.0, 0.3, -0.2]])
INTS = np.array([[3, -1, 4, 1], [5, -9, 2, 6], [5, 3, 5, -8]])
POSITIVE = np.abs(INTS) + 1
BOOLS = INTS > 2
COMPLEX = UNIT + 1j * UNIT[::-1]
MATRIX = REAL[:, :3] + 4 * np.eye(3)
SYMMETRIC = MATRIX @ MATRIX.T
VECTOR = np.array([2.0, -1.0, 0.5])

# Calls that mean the same in both namespaces, with operands by name
CALLS = [
    *[(f"xp.{name}(r)", {"r": REAL}) for name in (
        "abs atan asinh ceil cos cosh exp expm1 floor isfinite isinf isnan negative positive real "
        "reciprocal round sign signbit sin sinh square tan tanh trunc").split()],
    *[(f"xp.{name}(u)", {"u": UNIT}) for name in "acos asin atanh".split()],
    *[(f"xp.{name}(p)", {"p": np.abs(REAL) + 1}) for name in (
        "acosh log log10 log1p log2 sqrt").split()],
    *[(f"xp.{name}(i)", {"i": INTS}) for name in (
        "abs bitwise_invert ceil floor negative positive round sign square trunc").split()],
    *[(f"xp.{name}(c)", {"c": COMPLEX}) for name in (
        "abs conj cos exp imag log negative real round sin sqrt square tanh sign").split()],
    *[(f"xp.{name}(r, s)", {"r": REAL, "s": REAL[::-1] + 0.5}) for name in (
        "add atan2 copysign divide equal floor_divide greater greater_equal hypot less less_equal "
        "logaddexp maximum minimum multiply nextafter not_equal remainder subtract").split()],
    *[(f"xp.{name}(p, i)", {"p": POSITIVE, "i": POSITIVE[::-1]}) for name in (
        "add bitwise_and bitwise_or bitwise_xor equal floor_divide maximum multiply pow remainder "
        "bitwise_left_shift bitwise_right_shift subtract").split()],
    *[(f"xp.{name}(b, d)", {"b": BOOLS, "d": BOOLS[::-1]}) for name in (
        "bitwise_and bitwise_xor equal logical_and logical_or logical_xor not_equal").split()],
    ("xp.logical_not(b)", {"b": BOOLS}), ("xp.pow(p, r)", {"p": np.abs(REAL), "r": REAL[0]}),
    ("xp.add(f, s)", {"f": REAL.astype(np.float32), "s": np.array(2.0)}),
    ("xp.multiply(i, s)", {"i": INTS.astype(np.int8), "s": np.array(2, np.int32)}),
    ("xp.clip(r, -1.0, 2.0)", {"r": REAL}), ("xp.clip(r, min=s)", {"r": REAL, "s": REAL[0]}),
    ("xp.clip(i, max=3)", {"i": INTS}), ("xp.where(b, r, s)", {"b": BOOLS, "r": REAL, "s": INTS}),
    # Reductions
    *[(f"xp.{name}(r{rest})", {"r": REAL})
      for name in "all any max mean min prod std sum var count_nonzero argmax argmin".split()
      for rest in ("", ", axis=0", ", axis=-1, keepdims=True")],
    *[(f"xp.{name}(r, axis=(0, 2))", {"r": REAL.reshape(3, 2, 2)})
      for name in "all any max mean min prod std sum var".split()],
    *[(f"xp.{name}(i)", {"i": INTS.astype(kind)}) for name in ("sum", "prod", "max")
      for kind in (np.int8, np.uint8, np.int32, np.int64)],
    ("xp.sum(b)", {"b": BOOLS}), ("xp.sum(r, axis=())", {"r": REAL}),
    ("xp.sum(i, dtype=xp.float64)", {"i": INTS}), ("xp.var(r, correction=1.0)", {"r": REAL}),
    ("xp.cumulative_sum(i, axis=1, include_initial=True)", {"i": INTS}),
    ("xp.cumulative_sum(r[:, :0], axis=1, include_initial=True)", {"r": REAL}),
    ("xp.cumulative_prod(r, axis=0)", {"r": REAL}), ("xp.cumulative_sum(v)", {"v": VECTOR}),
    ("xp.diff(r)", {"r": REAL}), ("xp.diff(r, n=2, axis=0)", {"r": REAL}),
    ("xp.diff(r, prepend=s, append=s)", {"r": REAL, "s": REAL[:, :1]}),
    # Shapes
    ("xp.broadcast_arrays(r, v)", {"r": REAL[:, :3], "v": VECTOR}),
    ("xp.broadcast_to(v, (2, 3))", {"v": VECTOR}), ("xp.concat((r, i))", {"r": REAL, "i": INTS}),
    ("xp.concat((r, i), axis=None)", {"r": REAL, "i": INTS}), ("xp.flip(r)", {"r": REAL}),
    ("xp.expand_dims(r, axis=(0, -1))", {"r": REAL}), ("xp.flip(r, axis=1)", {"r": REAL}),
    ("xp.moveaxis(r, 0, -1)", {"r": REAL}), ("xp.permute_dims(r, (1, 0))", {"r": REAL}),
    ("xp.repeat(r, 2)", {"r": REAL}), ("xp.repeat(r, n, axis=1)", {"r": REAL, "n": POSITIVE[0]}),
    ("xp.reshape(r, (2, -1))", {"r": REAL}), ("xp.reshape(r, (12,), copy=True)", {"r": REAL}),
    ("xp.roll(r, 2)", {"r": REAL}), ("xp.roll(r, (1, -1), axis=(0, 1))", {"r": REAL}),
    ("xp.squeeze(r, (0, 2))", {"r": REAL[None, :, None]}), ("xp.tile(r, (2, 1, 2))", {"r": REAL}),
    ("xp.stack((r, i), axis=-1)", {"r": REAL, "i": INTS}), ("xp.unstack(r, axis=1)", {"r": REAL}),
    ("xp.tril(r, k=1)", {"r": REAL}), ("xp.triu(r, k=-1)", {"r": REAL}),
    ("xp.meshgrid(v, u)", {"v": VECTOR, "u": UNIT[0]}),
    ("xp.meshgrid(v, u, indexing='ij')", {"v": VECTOR, "u": UNIT[0]}),
    # Searching, sorting, sets
    ("xp.nonzero(i)", {"i": INTS * (INTS > 2)}), ("xp.sort(r, axis=0)", {"r": REAL}),
    ("xp.searchsorted(v, u)", {"v": np.sort(VECTOR), "u": UNIT}),
    ("xp.searchsorted(v, u, side='right', sorter=n)",
     {"v": VECTOR, "u": UNIT, "n": np.argsort(VECTOR)}),
    ("xp.argsort(i, axis=1, stable=True)", {"i": INTS}), ("xp.argsort(r)", {"r": REAL}),
    ("xp.take(r, n, axis=1)", {"r": REAL, "n": np.array([3, 0, -1])}),
    ("xp.take_along_axis(r, n, axis=1)", {"r": REAL, "n": np.array([[3], [0], [-1]])}),
    ("xp.unique_all(i)", {"i": INTS}), ("xp.unique_counts(i)", {"i": INTS}),
    ("xp.unique_inverse(r)", {"r": REAL}), ("xp.unique_values(r)", {"r": REAL}),
    # Creation and dtypes
    ("xp.arange(5)", {}), ("xp.arange(1.0, 7, 2)", {}), ("xp.arange(5, 1)", {}),
    ("xp.arange(5, 1, -2)", {}), ("xp.eye(3, 4, k=1, dtype=xp.float64)", {}),
    ("xp.full((2, 3), 7)", {}), ("xp.full(3, True)", {}), ("xp.full_like(r, 2)", {"r": REAL}),
    ("xp.linspace(0, 1, 5, dtype=xp.float64)", {}), ("xp.zeros(3, dtype=xp.int16)", {}),
    ("xp.linspace(0, 1, 5, dtype=xp.float64, endpoint=False)", {}),
    ("xp.ones((2, 1), dtype=xp.bool)", {}), ("xp.zeros_like(i)", {"i": INTS}),
    ("xp.ones_like(i, dtype=xp.float32)", {"i": INTS}), ("xp.asarray([[1, 2], [3, 4]])", {}),
    ("xp.astype(r, xp.int32)", {"r": REAL}), ("xp.asarray(r, dtype=xp.float32)", {"r": REAL}),
    # Linear algebra
    *[(f"xp.linalg.{name}(m)", {"m": SYMMETRIC})
      for name in "cholesky det eigvalsh inv matrix_norm svdvals slogdet trace diagonal pinv "
      "matrix_rank".split()],
    ("xp.linalg.solve(m, v)", {"m": MATRIX, "v": VECTOR}),
    ("xp.linalg.solve(m, r)", {"m": MATRIX, "r": REAL}),
    ("xp.linalg.matrix_power(m, 3)", {"m": MATRIX}), ("xp.linalg.outer(v, v)", {"v": VECTOR}),
    ("xp.linalg.cross(v, w)", {"v": VECTOR, "w": VECTOR[::-1] + 1}),
    ("xp.linalg.diagonal(m, offset=1)", {"m": MATRIX}),
    ("xp.linalg.trace(i)", {"i": INTS.astype(np.int8)}),
    ("xp.linalg.matrix_norm(m, ord=1, keepdims=True)", {"m": MATRIX}),
    ("xp.linalg.vector_norm(r, axis=1, ord=3)", {"r": REAL}),
    ("xp.matmul(r, i)", {"r": REAL, "i": INTS.T}), ("xp.matrix_transpose(r)", {"r": REAL}),
    ("xp.vecdot(r, i)", {"r": REAL, "i": INTS}), ("xp.tensordot(r, i, axes=((1,), (1,)))",
                                                  {"r": REAL, "i": INTS}),
    # Fourier transforms
    *[(f"xp.fft.{name}(r)", {"r": REAL})
      for name in "fft ifft rfft fftn ifftn rfftn ihfft fftshift ifftshift".split()],
    *[(f"xp.fft.{name}(c)", {"c": COMPLEX}) for name in "fft irfft irfftn hfft".split()],
    ("xp.fft.fft(r, n=3, axis=0, norm='ortho')", {"r": REAL}),
    ("xp.fft.fftn(r, s=(2, 3), axes=(0, 1))", {"r": REAL}),
    ("xp.fft.fftfreq(5, d=0.5, dtype=xp.float64)", {}),
    ("xp.fft.rfftfreq(5, dtype=xp.float64)", {}),
]  # fmt: skip


class Numpys:
    """NumPy, but for what has other arguments or dtypes there."""

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def fftfreq(n, d=1.0, dtype=None):
        return np.fft.fftfreq(n, d)

    @staticmethod
    def std(x, correction=0.0, **how):
        return np.std(x, ddof=correction, **how)

    @staticmethod
    def var(x, correction=0.0, **how):
        return np.var(x, ddof=correction, **how)

    @staticmethod
    def astype(x, dtype):
        return x.astype(dtype)

    @staticmethod
    def count_nonzero(x, **how):
        return np.asarray(np.count_nonzero(x, **how))


def flat(x):
    return [part for y in x for part in flat(y)] if isinstance(x, tuple | list) else [x]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("call, operands", CALLS, ids=[f"{n}-{c[0]}" for n, c in enumerate(CALLS)])
def test_as_numpys(call, operands):
    tensors = {name: tallow.tensor(x) for name, x in operands.items()}
    got = flat(eval(call, {"xp": xp} | tensors))
    source = call.replace(", dtype=xp.float64", "") if "freq" in call else call
    expected = flat(eval(source, {"xp": Numpys()} | operands))
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        b = np.asarray(b)
        assert tuple(a.shape) == b.shape
        floats = "fc" if not operands and b.dtype == np.float64 else ""
        assert a.numpy().dtype == b.dtype or a.numpy().dtype.kind in floats, a.dtype
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-10, atol=1e-12)


FUNCTIONS = """
    __array_namespace_info__ abs acos acosh add all any arange argmax argmin argsort asarray asin
    asinh astype atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or
    bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to can_cast ceil clip concat conj
    copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide empty empty_like
    equal exp expand_dims expm1 eye finfo flip floor floor_divide from_dlpack full full_like greater
    greater_equal hypot iinfo imag isdtype isfinite isinf isnan less less_equal linspace log log10
    log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul matrix_transpose max
    maximum mean meshgrid min minimum moveaxis multiply negative nextafter nonzero not_equal ones
    ones_like permute_dims positive pow prod real reciprocal remainder repeat reshape result_type
    roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum
    take take_along_axis tan tanh tensordot tile tril triu trunc unique_all unique_counts
    unique_inverse unique_values unstack var vecdot where zeros zeros_like
""".split()


def test_every_name_of_the_standard_is_here():
    assert [name for name in FUNCTIONS if not callable(getattr(xp, name, None))] == []
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (np.e, np.pi, np.inf, None) and np.isnan(xp.nan)
    for name in "bool int8 int64 uint8 uint64 float32 float64 complex64 complex128".split():
        assert isinstance(getattr(xp, name), tallow.dtype)
    assert xp.__array_api_version__ == "2024.12"


def test_signatures_are_the_standards():
    strict = pytest.importorskip("array_api_strict")
    for place in ("", "linalg", "fft"):
        ours, theirs = (getattr(m, place) if place else m for m in (xp, strict))
        for name in FUNCTIONS[1:] if not place else theirs.__all__:
            own, other = (inspect.signature(getattr(m, name)).parameters for m in (ours, theirs))
            keywords = {n for n, p in other.items() if p.kind is p.KEYWORD_ONLY}
            assert keywords <= set(own), f"{place} {name}"
            required = [n for n, p in other.items() if p.kind is p.POSITIONAL_ONLY]
            assert len([p for p in own.values() if p.kind is not p.KEYWORD_ONLY]) >= len(required)


def test_a_tensor_leads_to_it():
    x = tallow.ones(2)
    assert x.__array_namespace__() is xp is x.__array_namespace__(api_version="2023.12")
    with pytest.raises(ValueError, match="expected a version up to 2024.12, got '2031.12'"):
        x.__array_namespace__(api_version="2031.12")


def test_code_written_for_any_array():
    """As a library writes it: no name of tallow's."""

    def standardised(x):
        xp = x.__array_namespace__()
        x = xp.astype(x, xp.float64)
        return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0, correction=1)

    got = standardised(tallow.tensor(INTS)).numpy()
    np.testing.assert_allclose(got, standardised(INTS_OF_NUMPY), rtol=1e-12)


INTS_OF_NUMPY = INTS  # an array of NumPy 2 has __array_namespace__ as well


def test_dtypes():
    assert xp.can_cast(xp.int8, xp.int64) and not xp.can_cast(xp.int64, xp.int8)
    assert xp.can_cast(tallow.ones(1), xp.complex64)
    assert xp.result_type(xp.int8, xp.uint8) is xp.int16
    assert xp.result_type(tallow.tensor(1.0, dtype=xp.float64), xp.float32) is xp.float64
    assert xp.result_type(xp.float32, 2, 1.5) is xp.float32
    assert xp.isdtype(xp.int8, "integral") and not xp.isdtype(xp.int8, "real floating")
    assert xp.isdtype(xp.bool, ("numeric", "bool")) and xp.isdtype(xp.bool, xp.bool)
    assert xp.finfo(tallow.ones(1)).bits == 32 and xp.iinfo(xp.int16).max == 32767
    info = xp.__array_namespace_info__()
    assert info.default_dtypes()["real floating"] is tallow.get_default_dtype()
    assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
    assert str(info.devices()[0]) == "cpu" == str(info.default_device())
    assert info.capabilities()["boolean indexing"]


def test_copies():
    x = tallow.ones(3)
    assert xp.asarray(x) is x and xp.asarray(x, copy=True) is not x
    array = np.ones(3)
    xp.asarray(array, copy=False)[0] = 5
    assert array[0] == 5
    assert xp.from_dlpack(array, copy=True).data_ptr() != array.ctypes.data
    assert xp.size(tallow.ones(2, 3)) == 6


def test_every_nan_is_another():
    found = xp.unique_all(tallow.tensor([np.nan, 1.0, np.nan, 1.0]))
    assert found.counts.tolist() == [2, 1, 1] and found.indices.tolist() == [1, 0, 2]
    assert found.inverse_indices.tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize(
    "call, error, message",
    [
        ("xp.asarray(x, dtype=xp.int8, copy=False)", ValueError, "expected dtype and device of"),
        ("xp.asarray([1], copy=False)", ValueError, "expected an array with copy=False"),
        ("xp.astype(x * 1j, xp.float32)", TypeError, "expected a complex dtype"),
        ("xp.isdtype(x.dtype, 'number')", ValueError, "expected one of bool, .* got 'number'"),
        ("xp.result_type(1, 2.0)", ValueError, "expected an array or a dtype"),
        ("xp.squeeze(x, 0)", ValueError, r"expected axes of size 1, got 0 of \(2, 3\)"),
        ("xp.expand_dims(x, 4)", IndexError, "expected axes from -3 to 2, got 4"),
        ("xp.sum(x, axis=2)", IndexError, "expected an axis from -2 to 1, got 2"),
        ("xp.take(x, xp.asarray([0]))", ValueError, "expected an axis for 2 dims"),
        ("xp.cumulative_sum(x)", ValueError, "expected an axis for 2 dims, got None"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        eval(call, {"xp": xp, "x": tallow.ones(2, 3)})


# Special values, and dtypes of results

SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e30, -1e30, 1e-40, np.inf, -np.inf, np.nan]
)
OF_ONE = """
    abs acos acosh asin asinh atan atanh ceil conj cos cosh exp expm1 floor isfinite isinf isnan log
    log10 log1p log2 negative positive reciprocal round sign signbit sin sinh sqrt square tan tanh
    trunc
""".split()
OF_TWO = """
    add atan2 copysign divide equal floor_divide greater greater_equal hypot less less_equal
    logaddexp maximum minimum multiply nextafter not_equal pow remainder subtract
""".split()
COMPLEX_ONE = """
    abs acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan
    tanh isnan isinf isfinite conj
""".split()


def identical(got, right, what):
    """The same special values, zeros of the same sign, and numbers to a few units of the last."""
    assert got.dtype == right.dtype, what
    np.testing.assert_allclose(got, right, 4 * np.finfo(np.float32).eps, err_msg=what)
    if right.dtype.kind == "f":
        known = ~np.isnan(right)
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(right[known]), what)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(dtype):
    x = SPECIAL.astype(dtype)
    a, b = (np.ascontiguousarray(part) for part in np.broadcast_arrays(x[:, None], x))
    for name in OF_ONE:
        got = getattr(xp, name)(tallow.from_numpy(x)).numpy()
        identical(got, getattr(np, name)(x), name)
    for name in OF_TWO:
        got = getattr(xp, name)(tallow.from_numpy(a), tallow.from_numpy(b)).numpy()
        identical(got, getattr(np, name)(a, b), name)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_special_complex_values():
    parts = np.array([0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan])
    x = np.empty((7, 7), np.complex128)
    x.real, x.imag = parts[:, None], parts
    for name in COMPLEX_ONE:
        got = getattr(xp, name)(tallow.from_numpy(x)).numpy()
        right = getattr(np, name)(x)
        for part in ("real", "imag"):
            identical(getattr(got, part), getattr(right, part), f"{name}, {part}")


KINDS = {
    "integers": ["int8", "int16", "int32", "int64", "uint8"],
    "real": ["float32", "float64"],
    "floating": ["float32", "float64", "complex64", "complex128"],
}
BY_KIND = {
    "integers": """
        add subtract multiply floor_divide remainder pow bitwise_and bitwise_or bitwise_xor equal
        less greater_equal maximum minimum bitwise_left_shift bitwise_right_shift
    """,
    "real": "atan2 copysign floor_divide hypot logaddexp maximum minimum nextafter remainder less",
    "floating": "add subtract multiply divide pow equal not_equal",
}


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_of_results(kind):
    for name in BY_KIND[kind].split():
        for a in KINDS[kind]:
            for b in KINDS[kind]:
                for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
                    x, y = np.ones(shapes[0], a), np.ones(shapes[1], b)
                    got = getattr(xp, name)(tallow.from_numpy(x), tallow.from_numpy(y))
                    right = getattr(np, name)(x, y)
                    assert got.numpy().dtype == right.dtype, (name, a, b, shapes)
                    assert tuple(got.shape) == right.shape
