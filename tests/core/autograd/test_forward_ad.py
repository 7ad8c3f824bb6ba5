"""Tensors that carry tangents, against PyTorch's."""

import pytest

import tallow
from tallow.autograd import forward_ad
from tallow.errors import TallowError

TANGENTS = """
f = torch.autograd.forward_ad
with f.dual_level():
    x = f.make_dual(T([1., 2., 3.]), T([1., 0., 2.]))
    r = f.unpack_dual((x * x).sin()), f.unpack_dual(x)
r

f = torch.autograd.forward_ad
w = T(2., requires_grad=True)
with f.dual_level():
    x = f.make_dual(T([1., 2., 3.]), T([1., 0., 2.]))
    y, t = f.unpack_dual((x * w).exp().sum(-1))
t.backward()
(y, t, w.grad)

f = torch.autograd.forward_ad
w = T(2., requires_grad=True)
with f.dual_level():
    y, t = f.unpack_dual(f.make_dual(w, T(3.)) ** 3)
(y, t, torch.autograd.grad(t, w))

f = torch.autograd.forward_ad
with f.dual_level():
    x = f.make_dual(T([[1., 2.], [3., 5.]]), T([[1., 0.], [0.5, 2.]]))
    y = f.make_dual(T([[1., 1.], [0., 2.]]), T([[0., 1.], [1., 2.]]))
    r = [f.unpack_dual(z) for z in (x @ y, torch.linalg.inv(x), x.softmax(0), y.cumsum(1), x[0])]
r

f = torch.autograd.forward_ad
w = T([1., 2.], requires_grad=True)
with f.dual_level():
    x = f.make_dual(T([1., 2.]), T([1., 1.]))
    r = f.unpack_dual(w * 2), f.unpack_dual(T([1, 2])), f.unpack_dual(torch.relu(x - 5))
r

f = torch.autograd.forward_ad
with f.dual_level():
    x = f.make_dual(T([1. + 2j, 0.5j]), T([1j, 2. + 0j]))
    r = [f.unpack_dual(z) for z in (x * x, x.abs(), x.conj(), torch.view_as_real(x))]
r

f = torch.autograd.forward_ad
with f.dual_level():
    x = f.make_dual(T([1., 2.]), T([1., 1.]))
f.unpack_dual(x).tangent

f = torch.autograd.forward_ad
f.unpack_dual(T([1., 2.]))

f = torch.autograd.forward_ad
f.make_dual(T([1., 2.]), T([1., 1.]))

f = torch.autograd.forward_ad
f.exit_dual_level()

f = torch.autograd.forward_ad
with f.dual_level():
    f.make_dual(T([1, 2]), T([1., 1.]))
0

f = torch.autograd.forward_ad
with f.dual_level():
    f.make_dual(T([1., 2.]), T([1., 1., 1.]))
0

f = torch.autograd.forward_ad
with f.dual_level():
    with f.dual_level():
        pass
0
"""


def test_tangents(both, snippet):
    both(snippet)


def test_levels_as_functions_and_decorators():
    level = forward_ad.enter_dual_level()
    x = forward_ad.make_dual(tallow.ones(2), tallow.ones(2), level=level)
    assert forward_ad.unpack_dual(x * 3, level=level).tangent.tolist() == [3.0, 3.0]
    forward_ad.exit_dual_level(level=level)

    @forward_ad.dual_level()
    def slope(x):
        return forward_ad.unpack_dual(forward_ad.make_dual(x, tallow.ones(())) ** 2).tangent

    assert slope(tallow.tensor(4.0)).item() == 8.0


def test_recording_must_be_on():
    with forward_ad.dual_level(), tallow.no_grad():
        with pytest.raises(TallowError, match="make_dual: expected recording to be on"):
            forward_ad.make_dual(tallow.ones(2), tallow.ones(2))


def test_a_module_and_a_function_of_ones_own():
    class Cube(tallow.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    linear = tallow.nn.Linear(3, 2)
    direction = tallow.tensor([1.0, 0.0, 0.0])
    with forward_ad.dual_level():
        x = forward_ad.make_dual(tallow.ones(3), direction)
        tangent = forward_ad.unpack_dual(linear(Cube.apply(x))).tangent
    tallow.testing.assert_close(tangent, 3 * linear.weight[:, 0])
