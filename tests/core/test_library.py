"""Operators of a program's own under names."""

from itertools import count

import pytest

import tallow
from tallow import library

NAMES = (f"test_library::op{i}" for i in count())


def scaled(x, by=2.0):
    return x * by


def test_operators_run_under_their_names():
    op = library.custom_op("test_library::scaled", scaled, mutates_args=())
    x = tallow.ones(2)
    assert tallow.ops.test_library.scaled is op and op.__name__ == "scaled"
    assert op(x).tolist() == tallow.ops.test_library.scaled(by=4.0, x=x / 2).tolist() == [2, 2]


@pytest.mark.parametrize("package", ["tallow", "torch"])
def test_gradients_are_the_operators_own(package):
    torch = pytest.importorskip(package)
    kept = []

    def setup_context(ctx, inputs, output):
        kept.append(output.detach().tolist())
        ctx.by = inputs[1]

    @torch.library.custom_op(next(NAMES), mutates_args=())
    def scale(x: torch.Tensor, by: float) -> torch.Tensor:
        return x * by

    scale.register_autograd(lambda ctx, g: (10 * ctx.by * g, None), setup_context=setup_context)
    x = torch.ones(2, requires_grad=True)
    scale(x, 3.0).sum().backward()
    assert x.grad.tolist() == [30, 30] and kept == [[3, 3]]


def test_registering_by_name():
    name = next(NAMES)
    library.custom_op(name, scaled, mutates_args=(), schema="(Tensor x, float by) -> Tensor")
    library.register_autograd(name, lambda ctx, g: (g + 1, None))
    assert library.register_fake(name)(len) is library.register_fake(name, len) is len
    x = tallow.ones(1, requires_grad=True)
    run = getattr(tallow.ops.test_library, name.partition("::")[2])
    run(x).sum().backward()
    assert x.grad.item() == 2


def test_kernels_of_devices():
    op = library.custom_op(next(NAMES), mutates_args=())(scaled)
    op.register_kernel("cpu")(lambda x, by: x + by)
    assert op(tallow.ones(1)).item() == 3
    assert op(tallow.ones(1, device="meta")).is_meta


def test_mistakes():
    with pytest.raises(ValueError, match="custom_op: expected a name 'namespace::name', got 'a'"):
        library.custom_op("a", scaled, mutates_args=())
    with pytest.raises(ValueError, match="register_fake: expected an operator .* got 'none::x'"):
        library.register_fake("none::x", scaled)
