"""`assert_close`: PyTorch's decisions; messages that say where and how much."""

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.testing import assert_close

# actual, expected, options: passes or fails as in PyTorch. `{}` is the library.
PAIRS = [
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.])", {}),
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.000002])", {}),
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.00001])", {}),
    ("{}.tensor([1., 2.]).double()", "{}.tensor([1., 2.00001]).double()", {}),
    ("{}.tensor([1., 2.]).half()", "{}.tensor([1., 2.001]).half()", {}),
    ("{}.tensor([1., 2.]).half()", "{}.tensor([1., 2.01]).half()", {}),
    ("{}.tensor([1., 2.]).bfloat16()", "{}.tensor([1., 2.02]).bfloat16()", {}),
    ("{}.tensor([1., 2.]).bfloat16()", "{}.tensor([1., 2.1]).bfloat16()", {}),
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.1])", {"rtol": 0.1, "atol": 0}),
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.1])", {"rtol": 0, "atol": 0.05}),
    ("{}.tensor([1., 2.])", "{}.tensor([1., 2.1])", {"rtol": 0, "atol": 0.11}),
    ("{}.tensor([1, 2])", "{}.tensor([1, 2])", {}),
    ("{}.tensor([1, 2])", "{}.tensor([1, 3])", {}),
    ("{}.tensor([1, 2])", "{}.tensor([1, 3])", {"rtol": 0, "atol": 1}),
    ("{}.tensor([2**62 + 1])", "{}.tensor([2**62])", {}),
    ("{}.tensor([True])", "{}.tensor([False])", {}),
    ("{}.tensor([1 + 1j])", "{}.tensor([1 + 1.00001j])", {}),
    ("{}.tensor([1 + 1j])", "{}.tensor([1 + 1.1j])", {}),
    ("{}.tensor([1.])", "{}.tensor([1.]).double()", {}),
    ("{}.tensor([1.])", "{}.tensor([1.]).double()", {"check_dtype": False}),
    ("{}.tensor([1.])", "{}.tensor([1])", {"check_dtype": False}),
    ("{}.tensor([1.])", "{}.tensor([[1.]])", {}),
    ("{}.tensor([1.])", "{}.tensor(1.)", {}),
    ("{}.tensor(1.)", "{}.tensor(1.)", {}),
    ("{}.ones(0)", "{}.ones(0)", {}),
    ("{}.ones(0, 2)", "{}.ones(0)", {}),
    ("{}.ones(2, 3).t()", "{}.ones(3, 2)", {}),
    ("{}.ones(2, 3).t()", "{}.ones(3, 2)", {"check_stride": True}),
    ("{}.tensor([float('nan')])", "{}.tensor([float('nan')])", {}),
    ("{}.tensor([float('nan')])", "{}.tensor([float('nan')])", {"equal_nan": True}),
    ("{}.tensor([float('nan')])", "{}.tensor([1.])", {"equal_nan": True}),
    ("{}.tensor([float('inf')])", "{}.tensor([float('inf')])", {}),
    ("{}.tensor([float('inf')])", "{}.tensor([-float('inf')])", {}),
    ("{}.tensor([float('inf')])", "{}.tensor([1.])", {"rtol": 1e9, "atol": 1e9}),
    ("{}.tensor([1.])", "{}.tensor([float('inf')])", {"rtol": 1e9, "atol": 1e9}),
    ("1.0", "1.0", {}),
    ("1.0", "1.00000001", {}),
    ("1.0", "1.001", {}),
    ("1", "1.0", {}),
    ("1", "1.0", {"check_dtype": False}),
    ("1", "2", {}),
    ("True", "True", {}),
    ("1j", "1j", {}),
    ("None", "None", {}),
    ("None", "1", {}),
    ("1", "None", {}),
    ("[1.0, {}.ones(2)]", "[1.0, {}.ones(2)]", {}),
    ("[1.0, {}.ones(2)]", "(1.0, {}.ones(2))", {}),
    ("[1.0, {}.ones(2)]", "[1.0]", {}),
    ("[]", "[]", {}),
    ("dict(a=1, b={}.ones(2))", "dict(b={}.ones(2), a=1)", {}),
    ("dict(a=1)", "dict(b=1)", {}),
    ("dict(a=[{}.ones(2)])", "dict(a=[{}.zeros(2)])", {}),
    ("numpy.ones(2)", "numpy.ones(2)", {}),
    ("numpy.ones(2)", "numpy.ones(3)", {}),
    ("numpy.float64(1)", "numpy.float64(1)", {}),
    ("{}.nn.Parameter({}.ones(1))", "{}.ones(1).requires_grad_()", {}),
    ("{}.nn.Parameter({}.ones(1))", "{}.ones(1)", {"allow_subclasses": False}),
    ("numpy.ones(2)", "{}.ones(2)", {}),
    ("1.0", "{}.tensor(1.)", {}),
    ("'a'", "'a'", {}),
    ("object()", "object()", {}),
    ("1.0", "1.0", {"rtol": 1}),
]


@pytest.mark.parametrize(("actual", "expected", "options"), PAIRS)
def test_decisions(actual, expected, options):
    torch = pytest.importorskip("torch")
    outcomes = []
    for name, library in (("torch", torch), ("tallow", tallow)):
        names = {name: library, "numpy": np}
        pair = [eval(source.replace("{}", name), names) for source in (actual, expected)]
        try:
            outcomes.append(library.testing.assert_close(*pair, **options))
        except (AssertionError, TypeError, ValueError) as error:
            outcomes.append(error)
    theirs, ours = outcomes
    assert isinstance(ours, type(theirs)), f"{ours!r} where PyTorch has {theirs!r}"


def message(*args, **options):
    with pytest.raises(AssertionError) as error:
        assert_close(*args, **options)
    return str(error.value)


def test_message_of_elements():
    actual = tallow.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = tallow.tensor([[1.0, 2.5], [3.0, 8.0]])
    assert message(actual, expected) == (
        "assert_close: expected close values, got 2 of 4 elements off (50.0%)\n"
        "  greatest absolute difference 4.0 at index (1, 1): 4.0 for 8.0; 1e-05 allowed\n"
        "  greatest relative difference 0.5 at index (1, 1): 4.0 for 8.0; 1.3e-06 allowed"
    )


def test_message_of_integers_and_scalars():
    text = message(tallow.tensor([1, 2]), tallow.tensor([1, 3]))
    assert text.startswith("assert_close: expected equal values, got 1 of 2 elements off (50.0%)")
    assert "at index (): 1.0 for 2.0" in message(1.0, 2.0)


@pytest.mark.parametrize(
    ("actual", "expected", "text"),
    [
        (
            tallow.ones(2),
            tallow.ones(3),
            r"expected the shape tallow.Size([3]), got tallow.Size([2])",
        ),
        (
            tallow.ones(2),
            tallow.ones(2).double(),
            "expected the dtype tallow.float64, got tallow.fl",
        ),
        (1, 1.0, "expected a float, got a int"),
        (None, 1, "expected 1, got None"),
        ([1], [1, 2], "expected 2 items, got 1"),
        ({"a": 1}, {"b": 1}, "expected the keys ['b'], got ['a']"),
        ({"a": [0, {"b": 1}]}, {"a": [0, {"b": 2}]}, "expected equal values at ['a'][1]['b'], got"),
        ([tallow.ones(1)], [tallow.ones(2)], "expected the shape tallow.Size([2]) at [0], got"),
    ],
)
def test_messages(actual, expected, text):
    assert f"assert_close: {text}" in message(actual, expected)


def test_own_messages():
    assert message(1, 2, msg="mine") == "mine"
    assert message(1, 2, msg=lambda text: text.upper()).startswith("ASSERT_CLOSE")


def test_what_cannot_be_compared():
    with pytest.raises(
        TypeMismatchError, match="two tensors, arrays or numbers of one kind at .0.,"
    ):
        assert_close([1.0], [tallow.ones(1)])
    with pytest.raises(ArgumentError, match="expected rtol and atol both or neither"):
        assert_close(1, 1, rtol=1)


def test_devices():
    x = tallow.ones(2)
    assert "expected the device standin:0, got cpu" in message(x, x.to("standin"))
    assert_close(x, x.to("standin"), check_device=False)
    assert_close(x.to("standin"), x.to("standin"))
