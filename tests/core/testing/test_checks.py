"""The harness finds what it is there to find: every check fails on an op with its fault."""

import numpy as np
import pytest

from tallow import backend
from tallow.autograd.op import Op
from tallow.testing import Case, at_kink, bools, checks, draw, given, ints
from tallow.testing.cases import MARGIN
from tallow.testing.devices import devices

EXAMPLES = given((2, 3)), given(()), given((0, 2))


def op(body, *rules, **traits):
    """An op that is not registered."""
    body.__name__ = "made"
    made = Op(body, **traits)
    made.vjp(*rules)
    return made.call


def good(x):
    return x * x


def failing(case):
    """The kinds of the checks that fail."""
    names = []
    for check in checks([case]):
        try:
            check()
        except (AssertionError, TypeError, ValueError, RuntimeError, AttributeError):
            names.append(str(check).partition("-")[2])
    return names


def square(body, *rules, **traits):
    return Case(
        op(body, *(rules or (lambda g, x: g * (x + x),))), lambda x: x * x, *EXAMPLES, **traits
    )


def test_a_right_one():
    assert failing(square(good)) == []
    names = [str(check) for check in checks([square(good)])]
    assert names[:4] == ["made-value", "made-path", "made-memory", "made-layouts"]
    assert {"made-gradient", "made-second_gradient", "made-device-standin"} <= set(names)


def test_wrong_values():
    assert "value" in failing(square(lambda x: x * x + 1e-6))


def test_wrong_dtypes():
    assert "value" in failing(square(lambda x: (x * x).astype(np.float64)))


def test_wrong_shapes():
    assert "value" in failing(square(lambda x: (x * x).reshape(-1)))


def test_wrong_gradients():
    found = failing(square(good, lambda g, x: g * x))
    assert "gradient" in found and "value" not in found


def test_wrong_second_gradients():
    constant = op(lambda x: x + x)  # without a rule

    def rule(g, x):
        return g * constant(x)

    assert failing(square(good, rule)) == ["second_gradient"]


def test_operands_changed_in_place():
    def body(x):
        x *= x
        return x

    assert "memory" in failing(square(body))


def test_shared_memory():
    case = Case(op(lambda x: x.reshape(-1), lambda g, shapes: g.reshape(shapes[0])),
                lambda x: x.reshape(-1), given((2, 3)))  # fmt: skip
    assert failing(case) == ["memory"]


def test_gradients_that_share_memory():
    made = op(lambda x, y: x + y)
    made.joint_vjp(lambda g: [g * 1] * 2)
    assert failing(Case(made, np.add, given((2,), (2,)))) == ["memory"]


def test_memory_layouts():
    def body(x):
        return np.frombuffer((x * x).tobytes("A"), x.dtype).reshape(x.shape)

    found = failing(square(body))
    assert "layouts" in found and "value" not in found


def test_narrow_dtypes():
    def rule(g, x):
        return g * (x + x) * (1 if g.dtype.itemsize == 8 else 2)

    assert failing(square(good, rule)) == ["gradient_dtypes"]


def test_numpy_on_another_device():
    assert "device-standin" in failing(square(lambda x: np.multiply(x, x)))


def test_gradients_where_none_are_expected():
    assert "no_gradient" in failing(square(good, orders=0))


def test_wrong_kernels():
    made = Op(good)
    made.vjp(lambda g, x: g * (x + x))
    made.on("cpu")(lambda x: NotImplemented if x.ndim == 2 else x * x * 2)
    assert "kernel-cpu" in failing(Case(made.call, lambda x: x * x, *EXAMPLES))


def test_kernels_that_decline_everything():
    made = Op(good)
    made.on("cpu")(lambda x: NotImplemented)
    assert failing(Case(made.call, lambda x: x * x, *EXAMPLES)) == ["kernel-cpu"]


def test_kernels_of_a_stand_in():
    made = Op(good)
    made.vjp(lambda g, x: g * (x + x))
    made.on("standin")(lambda x: x * x if x.ndim == 2 else NotImplemented)
    assert failing(Case(made.call, lambda x: x * x, *EXAMPLES)) == []
    made.on("standin")(lambda x: x * x * 2)
    assert "kernel-standin" in failing(Case(made.call, lambda x: x * x, *EXAMPLES))


class TestCases:
    def test_samples_repeat(self):
        case = square(good)
        first, second = (case.sample(EXAMPLES[0], np.dtype("f4"))[0][0] for _ in range(2))
        assert (first == second).all() and first.dtype == np.float32 and first.shape == (2, 3)

    def test_kinks_and_domains(self):
        case = square(good, kinks=(0, 1), domain=(-1, 2))
        (x,), _ = case.sample(given((500,)), np.dtype("f8"))
        assert x.min() >= -1 and x.max() <= 2
        assert min(abs(x).min(), abs(x - 1).min()) >= MARGIN
        (x,), _ = case.sample(given((50,)), np.dtype("i4"))
        assert set(x.tolist()) == {-1, 2}

    def test_kinds_of_operands(self):
        case = square(good, dtypes="bifc")
        example = given(ints((3,), 4), bools((3,)), draw((3,), 5, 6), np.ones(2), 2, None)
        (index, mask, x, array, number, nothing), _ = case.sample(example, np.dtype("f2"))
        assert index.dtype == np.int64 and mask.dtype == bool and 5 <= x.min() <= x.max() <= 6
        assert x.dtype == array.dtype == np.float16 and (number, nothing) == (2, None)
        (_, _, x, *_), _ = case.sample(example, np.dtype("u1"))
        assert x.dtype == np.uint8 and set(x.tolist()) <= {5, 6}

    def test_parameters_are_drawn(self):
        case = square(good)
        _, params = case.sample(given((2,), key=(slice(1), ints((2,), 3)), axis=1), np.dtype("f4"))
        assert params["axis"] == 1 and params["key"][1].dtype == np.int64

    def test_names(self):
        assert str(given((2, 3), axis=0)) == "((2, 3), axis=0)"
        assert not at_kink(()).smooth


@pytest.mark.parametrize("name", devices())
def test_stand_in_refuses(name):
    where = backend.for_device(name)
    x = where.from_host(np.ones(3), None)
    for wrong in (
        lambda: np.sin(x),
        lambda: np.asarray(x),
        lambda: np.ones(3) + x,
        lambda: x + np.ones(3),
        lambda: where.xp.add(x, np.ones(3)),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_stand_in_lacks_what_cupy_lacks():
    xp = backend.for_device("standin").xp
    x = xp.asarray(np.array([2.0, 1.0]))
    with pytest.raises(AttributeError, match="has no vecdot"):
        xp.vecdot  # noqa: B018
    with pytest.raises(TypeError, match="argsort has no stable"):
        xp.argsort(x, stable=True)


def test_stand_in_views():
    xp = backend.for_device("standin").xp
    x = xp.zeros((2, 3))
    v = x[0][1:]
    assert v.base is x and (x + 1).base is None and x.T.base is x
    v[...] = 5
    assert x.host.tolist() == [[0, 5, 5], [0, 0, 0]]
