"""`tallow.autograd.functional` against PyTorch's, and its messages."""

import pytest

import tallow
from tallow.autograd import functional
from tallow.errors import ArgumentError, GradientError

PRODUCTS = """
F=torch.autograd.functional; x=T([1.,2.])
(F.jacobian(lambda x,y:(x*y,x.sum()), (x,x*3)), F.hessian(lambda x,y:(x*x*y).sum(), (x,x*3)))

F=torch.autograd.functional; x=T([1.,2.])
(F.vjp(lambda x:x.sum(), x), F.vjp(lambda x: x*2, x, torch.ones(2)))

F=torch.autograd.functional; x=T([1.,2.])
(F.jvp(lambda x:x**2, x, torch.ones(2)),
 F.hvp(lambda x:(x**3).sum(), x, torch.ones(2)),
 F.vhp(lambda x:(x**3).sum(), x, torch.ones(2)))

F=torch.autograd.functional; x=T([1.,2.]); F.vjp(lambda x:x*2,x)

F=torch.autograd.functional; x=T([1.,2.]); F.jvp(lambda x:x*2,x)

F=torch.autograd.functional; x=T([1.,2.]); F.jacobian(lambda x: torch.ones(2),x,strict=True)

F=torch.autograd.functional; x=T([1.,2.]); F.jacobian(lambda x: torch.ones(2),x)

F=torch.autograd.functional; x=T([1.,2.]); F.jacobian(lambda x: 3,x)

F=torch.autograd.functional; x=T([1.,2.]); F.jacobian(lambda x: x,[3])

F=torch.autograd.functional; x=T([1.,2.]); F.hessian(lambda x: x*2,x)

F=torch.autograd.functional; x=T([1.,2.]); F.vjp(lambda x: x*2,x,torch.ones(3))

F=torch.autograd.functional; x=T([1.,2.]); F.hvp(lambda x: x.sum(),x,torch.ones(2))

F=torch.autograd.functional; x=T([1.,2.]); F.hvp(lambda x: x.sum(),x,torch.ones(2),strict=True)

F=torch.autograd.functional; x=T([1.,2.],requires_grad=True)
j=F.jacobian(lambda x:x**3,x,create_graph=True); j.sum().backward(); (j,x.grad)

F=torch.autograd.functional; x=T([1.,2.],requires_grad=True)
j=F.hessian(lambda x:(x**4).sum(),x,create_graph=True); j.sum().backward(); (j,x.grad)

F=torch.autograd.functional; x=T([1.,2.],requires_grad=True)
o,j=F.jvp(lambda x:x**3,x,torch.ones(2),create_graph=True); j.sum().backward(); (o,j,x.grad)

F=torch.autograd.functional; x=T([1.,2.],requires_grad=True); w=T([3.,4.],requires_grad=True)
(F.jacobian(lambda x:x*w,x),w.grad)

F=torch.autograd.functional; x=T([[1.,2.],[3.,4.]]); w=T([3.,4.])
F.jacobian(lambda x,w:(x@w,(x*w).sum()),(x,w),vectorize=True)

F=torch.autograd.functional; x=T([[1.,2.],[3.,4.]]); w=T([3.,4.])
F.jacobian(lambda x,w:(x@w,(x*w).sum()),(x,w),vectorize=True,strategy='forward-mode')

F=torch.autograd.functional; x=T([1.,2.]); F.vhp(lambda x,y:(x*y*y).sum(),(x,x),(x,x))
"""


def test_products(both, snippet):
    both(snippet)


X = tallow.tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: functional.vjp(lambda x: x, X), "vjp: expected v, which may be missing where the"),
        (lambda: functional.jvp(lambda x: x, X, X[:1]), r"jvp: expected v of shapes \[\(2,\)\]"),
        (lambda: functional.hessian(lambda x: x, X), "hessian: expected one number from the func"),
        (lambda: functional.vhp(lambda x: x, X, X), "vhp: expected one number from the function"),
        (
            lambda: functional.jacobian(lambda x: x.detach(), X, strict=True),
            "jacobian: expected outputs that depend on every input",
        ),
        (
            lambda: functional.jvp(lambda x: x.detach(), X, X, strict=True),
            "jvp: expected outputs that depend on every input",
        ),
        (
            lambda: functional.hessian(lambda x: x.sum(), X, strict=True),
            "expected first derivatives that depend on the inputs",
        ),
    ],
)
def test_messages(run, message):
    with pytest.raises(GradientError, match=message):
        run()


def test_message_of_a_strategy():
    with pytest.raises(ArgumentError, match="expected strategy 'reverse-mode' or 'forward-mode'"):
        functional.jacobian(lambda x: x, X, strategy="sideways")


def test_empty_inputs():
    x = tallow.ones(0)
    assert functional.jacobian(lambda x: x * 2, x).shape == (0, 0)
    assert functional.jacobian(lambda x: x.sum(), x, strategy="forward-mode").shape == (0,)


def test_variable():
    x = tallow.ones(2)
    y = tallow.autograd.Variable(x, requires_grad=True)
    assert y.requires_grad and not x.requires_grad and y.data_ptr() == x.data_ptr()
    assert isinstance(x, tallow.autograd.Variable) and not isinstance(3, tallow.autograd.Variable)
