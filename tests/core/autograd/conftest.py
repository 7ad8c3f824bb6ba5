"""`both`: a piece of source run under PyTorch and under tallow must come to the same."""

import ast
import warnings

import numpy as np
import pytest

import tallow


@pytest.fixture(scope="session")
def both():
    """Run source, whose last statement is an expression, under PyTorch and tallow; compare.

    `torch` is the library and `T` its `tensor`. Tensors are compared with dtype, shape and
    requires_grad, and if PyTorch raises, tallow must raise an exception of that type: then the
    result is False.
    """
    torch = pytest.importorskip("torch")

    def check(source):
        expected, got = run(torch, source), run(tallow, source)
        if isinstance(expected, Exception):
            kinds = (NotImplementedError, RuntimeError, ValueError, TypeError, IndexError)
            kind = next(kind for kind in kinds if isinstance(expected, kind))
            assert isinstance(got, kind), f"{source}\n{got!r} where PyTorch raises {expected!r}"
            return False
        assert not isinstance(got, Exception), f"{source}\n{got!r}"
        same(got, expected, source)
        return True

    return check


def run(library, source):
    """The value of the last expression in plain form, or the exception."""
    names = {"torch": library, "T": library.tensor}
    *statements, last = ast.parse(source).body
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(ast.Module(statements, []), source, "exec"), names)
            return plain(eval(compile(ast.Expression(last.value), source, "eval"), names))
        except Exception as error:
            return error


def plain(x):
    """Tensors as (dtype, shape, requires_grad, list); tuples as lists."""
    if isinstance(x, tuple | list):
        return [plain(part) for part in x]
    if not hasattr(x, "requires_grad"):
        return x
    name = str(x.dtype).rpartition(".")[2]
    values = x.detach()
    values = values.resolve_conj() if hasattr(values, "resolve_conj") else values
    return [name, list(x.shape), x.requires_grad, values.tolist()]


def same(got, expected, source):
    if isinstance(expected, list):
        assert isinstance(got, list) and len(got) == len(expected), (
            f"{source}\n{got} for {expected}"
        )
        for a, b in zip(got, expected, strict=True):
            same(a, b, source)
    elif isinstance(expected, float | complex):
        np.testing.assert_allclose(got, expected, 2e-6, 2e-6, err_msg=source)
    else:
        assert got == expected, f"{source}\n{got} for {expected}"


def pytest_generate_tests(metafunc):
    """`test_orders(both, snippet)` runs for each piece of the module's `ORDERS`.

    Empty lines separate the pieces.
    """
    if "snippet" in metafunc.fixturenames:
        table = getattr(metafunc.module, metafunc.function.__name__.removeprefix("test_").upper())
        pieces = [part.strip("\n") for part in table.split("\n\n") if part.strip()]
        metafunc.parametrize("snippet", pieces, ids=map(str, range(len(pieces))))
