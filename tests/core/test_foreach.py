"""Operations on lists of tensors, `_foreach_add_` and its kin, against PyTorch's."""

import pytest

import tallow
from tallow.foreach import FUNCTIONS

torch = pytest.importorskip("torch")
VALUES = [[0.25, 0.5], [0.75]]
ONE = {"add", "sub", "mul", "div", "pow", "maximum", "minimum", "clamp_max", "clamp_min"}


def lists(library, values=VALUES):
    return [library.tensor(x) for x in values]


def arguments(name, library):
    """Calls of a function: positional arguments, without and with lists of numbers."""
    if name == "copy_":
        return [(lists(library, [[1.0, 2.0], [3.0]]),)]
    if name == "lerp":
        return [(lists(library), 0.5), (lists(library), lists(library))]
    if name in ("addcmul", "addcdiv"):
        return [(lists(library), lists(library), value) for value in (1, 0.5, [1.0, 2.0])]
    if name in ONE:
        return [(2.0,), ([2.0, 3.0],), (lists(library),)]
    return [()]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_like_pytorch(name):
    base = name.removeprefix("_foreach_")
    base = base if base == "copy_" else base.removesuffix("_")
    pairs = zip(arguments(base, tallow), arguments(base, torch), strict=True)
    for ours, theirs in pairs:
        x, y = lists(tallow), lists(torch)
        made, expected = getattr(tallow, name)(x, *ours), getattr(torch, name)(y, *theirs)
        assert type(made) is type(expected)
        for a, b in zip([*made, *x], [*expected, *y], strict=True):
            assert a.tolist() == pytest.approx(b.tolist(), rel=1e-5)


def test_alpha_orders_and_a_number_to_powers():
    x = lists(tallow)
    assert tallow._foreach_add(x, x, alpha=2)[1].item() == 2.25
    assert tallow._foreach_norm(x, 1)[0].item() == 0.75
    assert tallow._foreach_pow(2.0, [tallow.tensor(3.0)])[0].item() == 8.0


def test_errors():
    with pytest.raises(ValueError, match=r"_foreach_mul: expected lists of one length, .*\[2, 1\]"):
        tallow._foreach_mul(lists(tallow), [1.0])
    with pytest.raises(AttributeError, match="has no attribute '_foreach_nothing'"):
        tallow._foreach_nothing  # noqa: B018
