"""`gradcheck` and `gradgradcheck`: right gradients pass, wrong ones are found."""

import pytest

import tallow
from tallow.autograd import gradcheck, gradgradcheck
from tallow.errors import ArgumentError, GradientError, NotSupportedError
from tallow.testing.gradcheck import GradcheckError


class Wrong(tallow.autograd.Function):
    """x * x, with a gradient that is off by a factor."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return ctx.factor * g * x, None


def real(*shape):
    tallow.manual_seed(0)
    return tallow.testing.make_tensor(
        *shape, dtype=tallow.float64, device="cpu", low=-1, high=1, requires_grad=True
    )


def cplx(*shape):
    tallow.manual_seed(1)
    return tallow.testing.make_tensor(
        *shape, dtype=tallow.complex128, device="cpu", low=-1, high=1, requires_grad=True
    )


RIGHT = [
    (lambda x: x.sin() * x, (real(3),)),
    (lambda x, y: (x @ y, x.sum()), (real(2, 3), real(3, 2))),
    (lambda x, n: x**n, (real(2), 3)),
    (lambda x: x.exp(), (cplx(2),)),
    (lambda x, y: x * y + y.conj(), (cplx(2), real(2))),
    (lambda x: x.abs(), (cplx(2),)),
    (lambda x: tallow.complex(x, x * x), (real(2),)),
    (lambda x: x * 2, (real(0),)),
    (lambda x: (x.detach(), x * 2), (real(2),)),
    (lambda x: x[0], (real(2),)),
    (lambda x: x.T.contiguous(), (real(2, 3).T,)),
]


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("function", "inputs"), RIGHT)
def test_right(function, inputs, fast):
    inputs = tuple(x.detach().requires_grad_() if hasattr(x, "detach") else x for x in inputs)
    assert gradcheck(function, inputs, fast_mode=fast)
    assert gradgradcheck(function, inputs, fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_wrong(fast):
    x = real(3)
    assert gradcheck(lambda x: Wrong.apply(x, 2), x, fast_mode=fast)
    with pytest.raises(GradcheckError, match="gradcheck: expected the backward Jacobian matrix of"):
        gradcheck(lambda x: Wrong.apply(x, 2.1), x, fast_mode=fast)
    assert not gradcheck(lambda x: Wrong.apply(x, 2.1), x, raise_exception=False, fast_mode=fast)
    assert gradcheck(lambda x: Wrong.apply(x, 2.1), x, rtol=0.1, atol=0.1, fast_mode=fast)


def test_message_tells_where():
    def function(x):
        return tallow.cat([x[:1], Wrong.apply(x[1:], 3)])

    x = tallow.tensor([2.0, 0.5], dtype=tallow.float64, requires_grad=True)
    with pytest.raises(GradcheckError, match=r"1 of 4 .* first at output 1, input 1: 1\.5 for "):
        gradcheck(function, x)


def test_wrong_second_order():
    def function(x):
        return x * x.detach() * 2 - x.detach() ** 2  # x**2 with half the gradient of the gradient

    x = real(2)
    assert not gradgradcheck(lambda x: (function(x) + x.detach() ** 2 - x.detach() ** 2).sin(), x,
                             raise_exception=False)  # fmt: skip


def test_nondeterminism():
    factors = iter([2, 2.01] * 20)

    class Drifting(Wrong):
        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return next(factors) * g * x, None

    x = real(1)
    with pytest.raises(GradcheckError, match="equal gradients from two backward passes.*allows 0"):
        gradcheck(lambda x: Drifting.apply(x, 2), x)
    assert gradcheck(lambda x: Drifting.apply(x, 2), x, nondet_tol=0.1, atol=0.1)


def test_other_checks():
    x = real(2, 2)
    assert gradcheck(
        lambda x: x.exp() @ x, x, check_batched_grad=True, check_forward_ad=True,
        check_grad_dtypes=True,
    )  # fmt: skip
    assert gradgradcheck(
        lambda x: x.exp() @ x, x, check_fwd_over_rev=True, gen_non_contig_grad_outputs=True
    )
    assert gradgradcheck(lambda x: x.exp(), x, [tallow.ones_like(x).requires_grad_()])


def test_forward_products_are_checked():
    x = real(2)
    with pytest.raises(GradcheckError, match="expected the jvp Jacobian matrix"):
        gradcheck(lambda x: Wrong.apply(x, 2.1), x, check_forward_ad=True, check_backward_ad=False)


def test_inputs():
    x = tallow.ones(2, requires_grad=True)
    with pytest.warns(
        UserWarning, match="expected input 0 in float64 or complex128, got tallow.fl"
    ):
        gradcheck(lambda x: x * 2, x, eps=1e-2)
    with pytest.raises(ArgumentError, match="expected an input that requires gradients, got none"):
        gradcheck(lambda x: x, tallow.ones(2))
    wide = tallow.ones(1).double().expand(3).detach().requires_grad_()
    with pytest.raises(GradientError, match="got input 0 with stride 0; use .contiguous"):
        gradcheck(lambda x: x, wide)
    with pytest.raises(NotSupportedError, match="masked"):
        gradcheck(lambda x: x, real(1), masked=True)


def test_against_pytorch():
    torch = pytest.importorskip("torch")
    for library in (torch, tallow):
        x = library.tensor([0.5, -1.0], dtype=library.float64, requires_grad=True)
        assert library.autograd.gradcheck(lambda x: x.tanh() * x, (x,))
        assert library.autograd.gradgradcheck(lambda x: x.tanh() * x, (x,))
        with pytest.raises(RuntimeError):
            library.autograd.gradcheck(lambda x: x.detach() * x, (x,))
