"""Type promotion against PyTorch: every pair of dtypes, tensors, 0-d tensors and numbers."""

import itertools
import operator
import warnings

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")

DTYPES = (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
).split()
PAIRS = list(itertools.product(DTYPES, DTYPES))
VALUES = [0, 1, 2, 3, 5, 100, 1]
DIVISORS = [1, 2, 5, 3, 1, 1, 2]
NUMBERS = [True, 0, 2, -1, 300, 0.0, 0.5, 1.5, 2.0, 1j, 2 + 1j]
OPERATORS = "add sub mul truediv floordiv mod pow eq ne lt le gt ge and_ or_ xor".split()
INTEGER_OPERATORS = ["lshift", "rshift"]
NO_MATCH = {  # what PyTorch does by accident of its implementation
    ("pow", "bool", True), ("pow", "uint8", 300), ("pow", "int8", 300),
}  # fmt: skip


def make(library, name, values):
    if name == "bool":
        values = [bool(v) for v in values] if isinstance(values, list) else bool(values)
    return library.tensor(values, dtype=getattr(library, name))


def outcome(function, *operands):
    """A result as (dtype, array), or the exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(*operands)
        except Exception as error:
            return error
    name = str(result.dtype).rpartition(".")[2]
    if name == "complex32":
        return name, None
    plain = result.float() if name == "bfloat16" else result.resolve_conj()
    return name, plain.numpy()


def agree(function, theirs, ours, what):
    expected, got = outcome(function, *theirs), outcome(function, *ours)
    if isinstance(expected, Exception):
        if "ComplexHalf" in str(expected):
            return
        kind = next(
            kind
            for kind in (NotImplementedError, RuntimeError, TypeError)
            if isinstance(expected, kind)
        )
        assert isinstance(got, kind), f"{what}: {got!r}, not {expected!r}"
        return
    if expected[0] == "complex32":  # NumPy has no such dtype: tallow goes on in complex64
        assert got[0] == "complex64", what
        return
    assert not isinstance(got, Exception), f"{what}: {got!r}, not {expected[0]}"
    assert got[0] == expected[0], f"{what}: {got[0]}, not {expected[0]}"
    tolerance = {"float16": 1e-3, "bfloat16": 1e-2}.get(got[0], 1e-5)
    np.testing.assert_allclose(got[1], expected[1], tolerance, tolerance, err_msg=what)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_two_tensors(name):
    function = getattr(operator, name)
    for a, b in PAIRS:
        for x, y in [(VALUES, DIVISORS), (VALUES, 2), (2, DIVISORS), (3, 2)]:
            theirs = make(torch, a, x), make(torch, b, y)
            ours = make(tallow, a, x), make(tallow, b, y)
            agree(function, theirs, ours, f"{name} of {a} {x} and {b} {y}")


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_a_tensor_and_a_number(name):
    function = getattr(operator, name)
    for a, number in itertools.product(DTYPES, NUMBERS):
        if (name, a, number) in NO_MATCH:
            continue
        for values in (VALUES, 2):
            x, y = make(torch, a, values), make(tallow, a, values)
            agree(function, (x, number), (y, number), f"{name} of {a} and {number}")
        x, y = make(torch, a, DIVISORS), make(tallow, a, DIVISORS)
        if not (name in ("pow", "truediv") and isinstance(number, complex)):
            agree(function, (number, x), (number, y), f"{name} of {number} and {a}")


@pytest.mark.parametrize("name", INTEGER_OPERATORS)
def test_shifts(name):
    function = getattr(operator, name)
    for a, b in PAIRS:
        theirs, ours = [
            (make(library, a, [1, 2, 100]), make(library, b, [1, 0, 3]))
            for library in (torch, tallow)
        ]
        agree(function, theirs, ours, f"{name} of {a} and {b}")
    for a in ("int8", "int32", "int64"):
        for number in (-1, 0, 1, 7, 8, 63, 64):
            theirs, ours = [
                (make(library, a, [1, -2, 100, -100]), number) for library in (torch, tallow)
            ]
            agree(function, theirs, ours, f"{name} of {a} and {number}")
            agree(function, theirs[::-1], ours[::-1], f"{name} of {number} and {a}")


@pytest.mark.parametrize("number", [np.float32(1.5), np.float64(0.5), np.int64(2), np.uint8(3)])
def test_numpy_numbers_count_as_python_numbers(number):
    for a in DTYPES:
        theirs, ours = (make(torch, a, VALUES), number), (make(tallow, a, VALUES), number)
        for function in (operator.add, operator.mul, operator.truediv):
            agree(function, theirs, ours, f"{function.__name__} of {a} and {number!r}")


def test_numpy_bool_counts_as_bool():
    assert (tallow.tensor([1, 2]) + np.bool_(True)).tolist() == [2, 3]
    assert (tallow.tensor([True]) & np.bool_(False)).tolist() == [False]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "floor_divide", "remainder"])
def test_in_place(name):
    for a, b in PAIRS:
        theirs, ours = [
            (make(library, a, VALUES), make(library, b, DIVISORS)) for library in (torch, tallow)
        ]
        agree(lambda x, y: getattr(x, name + "_")(y), theirs, ours, f"{name}_ of {a} and {b}")
    for a, number in itertools.product(DTYPES, NUMBERS):
        if (name, a, number) in NO_MATCH:
            continue
        theirs, ours = (make(torch, a, VALUES), number), (make(tallow, a, VALUES), number)
        agree(lambda x, y: getattr(x, name + "_")(y), theirs, ours, f"{name}_ of {a}, {number}")


@pytest.mark.parametrize("name", ["eq", "lt", "logical_and", "bitwise_or", "bitwise_xor"])
def test_in_place_with_bool_results(name):
    for a, b in PAIRS:
        theirs, ours = [
            (make(library, a, VALUES), make(library, b, DIVISORS)) for library in (torch, tallow)
        ]
        agree(lambda x, y: getattr(x, name + "_")(y), theirs, ours, f"{name}_ of {a} and {b}")


def test_tables():
    for a, b in PAIRS:
        ours, theirs = ((getattr(library, a), getattr(library, b)) for library in (tallow, torch))
        assert str(tallow.promote_types(*ours))[7:] == str(torch.promote_types(*theirs))[6:]
        assert tallow.can_cast(*ours) == torch.can_cast(*theirs)


@pytest.mark.parametrize("a", DTYPES)
def test_result_type(a):
    x, y = make(torch, a, [1]), make(tallow, a, [1])
    for number in NUMBERS:
        expected = torch.result_type(x, number)
        if expected is not torch.complex32:
            assert str(tallow.result_type(y, number))[7:] == str(expected)[6:]
    zero_dim = [torch.result_type(x, make(torch, b, 1)) for b in DTYPES]
    ours = [tallow.result_type(y, make(tallow, b, 1)) for b in DTYPES]
    for right, got in zip(zero_dim, ours, strict=True):
        assert right is torch.complex32 or str(got)[7:] == str(right)[6:]


def test_the_default_dtype_is_what_numbers_become():
    ours, theirs = tallow.tensor([1, 2]), torch.tensor([1, 2])
    for name in ("float64", "float16", "bfloat16"):
        tallow.set_default_dtype(getattr(tallow, name))
        torch.set_default_dtype(getattr(torch, name))
        try:
            for function in (lambda x: x / 2, lambda x: x * 1.5, lambda x: 0.5 - x):
                agree(function, (theirs,), (ours,), name)
        finally:
            tallow.set_default_dtype(tallow.float32)
            torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("x - True", "sub: expected numbers.*logical_xor"),
        ("x // 0", "floor_divide: expected integers other than 0"),
        ("x % 0", "remainder: expected integers other than 0"),
        ("torch.fmod(x, 0)", "fmod: expected integers other than 0"),
        ("torch.div(x, 0, rounding_mode='trunc')", "div: expected integers other than 0"),
        ("torch.div(x, 2, rounding_mode='up')", "div: expected rounding_mode None"),
        ("x ** -1", "pow: expected a power of 0 or more"),
        ("x.add_(1.5)", "add_: expected a result that fits"),
        ("x.div_(2)", "div_: expected a result that fits"),
        ("f.add_(torch.ones(2, 2))", "add_: expected a result of the tensor's own shape"),
        ("torch.add(x, 1, alpha=0.5)", "add: expected an alpha"),
        ("torch.add(x, 'a')", "add: expected a tensor or a number, got str"),
        ("f + torch.ones(3)", "add: expected shapes that broadcast"),
        ("torch.sqrt(4)", "sqrt: expected a tensor, got int"),
        ("-torch.tensor(True)", "neg: expected integer or floating-point or complex operands"),
        ("~f", "~: expected integers or bool"),
        ("f & 1", "bitwise_and: expected bool or integer operands"),
        ("torch.tensor([1j]) < 1", "lt: expected bool or integer or floating-point operands"),
        ("torch.lerp(x, x, 0.5)", "lerp: expected floating-point or complex operands"),
        ("torch.lerp(f, f.double(), 0.5)", "lerp: expected one dtype"),
        ("torch.addcdiv(f, x, x)", "addcdiv: expected floating-point or complex operands"),
        ("torch.isclose(x, f)", "isclose: expected one dtype"),
        ("torch.clamp(x)", "clamp: expected min, max or both"),
        ("torch.where(x, 1, 0)", "where: expected a bool condition"),
    ],
)
def test_errors(parity, source, match):
    parity.fails(source, match, gradients=False, x=np.array([2, 3]), f=np.ones(2, np.float32))
