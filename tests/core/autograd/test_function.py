"""`Function`: operations that users write."""

import pytest

import tallow
from tallow.errors import GradientError, TypeMismatchError

CALLS = """
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        ctx.save_for_backward(a,b); return a*b
    @staticmethod
    def backward(ctx,g):
        a,b=ctx.saved_tensors; return g*b,g*a
x=T([2.],requires_grad=True); w=T([5.],requires_grad=True); y=F.apply(x,w); y.backward()
(y,x.grad,w.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        ctx.save_for_backward(a,b); return a*b
    @staticmethod
    def backward(ctx,g):
        a,b=ctx.saved_tensors; return g*b,g*a
x=T([2.],requires_grad=True); w=T([5.],requires_grad=True); y=F.apply(x,w)
g,=torch.autograd.grad(y,x,create_graph=True); g2=torch.autograd.grad(g,w); (g,g2)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        y=a.exp(); ctx.save_for_backward(y); return y
    @staticmethod
    def backward(ctx,g):
        y,=ctx.saved_tensors; return g*y
x=T([2.],requires_grad=True); y=F.apply(x); g,=torch.autograd.grad(y,x,create_graph=True)
h,=torch.autograd.grad(g,x,create_graph=True); (g,h,torch.autograd.grad(h,x))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,n,s='x'):
        ctx.n=n; return a**n
    @staticmethod
    def backward(ctx,g):
        return g*ctx.n,None,None
x=T([2.],requires_grad=True); y=F.apply(x,3,'q'); y.backward()
(ctx:=y.grad_fn) is not None and x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return g,g
x=T([2.],requires_grad=True); y=F.apply(x); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        return a*2+b
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); y=F.apply(x,x); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return g, None, None
x=T([2.],requires_grad=True); y=F.apply(x); y.backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return g[:0]
x=T([2.,3.],requires_grad=True); y=F.apply(x); y.sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return None
x=T([2.,3.],requires_grad=True); y=F.apply(x); y.sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return 3
x=T([2.,3.],requires_grad=True); y=F.apply(x); y.sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
    @staticmethod
    def backward(ctx,g):
        return g.double().expand(3,2)
x=T([2.,3.],requires_grad=True); y=F.apply(x); y.sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2,a*3
    @staticmethod
    def backward(ctx,g,h):
        return g*2+h*3
x=T([2.],requires_grad=True); y,z=F.apply(x); y.backward(); (x.grad)

log=[]
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.set_materialize_grads(False); return a*2,a*3
    @staticmethod
    def backward(ctx,g,h):
        log.append((g is None,h is None)); return g*2
x=T([2.],requires_grad=True); y,z=F.apply(x); y.backward(); (x.grad,log)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        v,i=a.sort(); ctx.mark_non_differentiable(i); ctx.save_for_backward(i); return v,i
    @staticmethod
    def backward(ctx,g,gi):
        i,=ctx.saved_tensors; r=torch.zeros_like(g); r[i]=g; return r
x=T([2.,1.],requires_grad=True); v,i=F.apply(x); (v*T([3.,4.])).sum().backward()
(v.requires_grad,i.requires_grad,x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        a.mul_(2); ctx.mark_dirty(a); return a
    @staticmethod
    def backward(ctx,g):
        return g*2
x=T([2.,1.],requires_grad=True); y=x*1; z=F.apply(y); (z*z).sum().backward(); (z is y, y, x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        a.mul_(2); ctx.mark_dirty(a); return a
    @staticmethod
    def backward(ctx,g):
        return g*2
x=T([2.,1.],requires_grad=True); z=F.apply(x)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        a.mul_(2); ctx.mark_dirty(a); return a
    @staticmethod
    def backward(ctx,g):
        return g*2
x=T([2.,1.],requires_grad=True); y=x*1; v=y[:1]; z=F.apply(v); y.sum().backward(); (y,x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a
    @staticmethod
    def backward(ctx,g):
        return g*5
x=T([2.,1.],requires_grad=True); y=F.apply(x); y.sum().backward(); (y is x,x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a.view(-1)
    @staticmethod
    def backward(ctx,g):
        return g.view(1,2)*5
x=T([[2.,1.]],requires_grad=True); y=F.apply(x); y.sum().backward(); (x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        ctx.needs=ctx.needs_input_grad; return a*b
    @staticmethod
    def backward(ctx,g):
        return g if ctx.needs_input_grad[0] else None, g if ctx.needs_input_grad[1] else None
x=T([2.],requires_grad=True); y=F.apply(x,T([3.])); y.backward(); (list(y.grad_fn.needs), x.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(a,b):
        return a*b
    @staticmethod
    def setup_context(ctx,inputs,output):
        ctx.save_for_backward(*inputs)
    @staticmethod
    def backward(ctx,g):
        a,b=ctx.saved_tensors; return g*b,g*a
x=T([2.],requires_grad=True); w=T([5.],requires_grad=True); y=F.apply(x,w); y.backward()
(y,x.grad,w.grad)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.save_for_backward(a); return a*a
    @staticmethod
    def backward(ctx,g):
        a,=ctx.saved_tensors; return g*2*a
x=T([2.],requires_grad=True); y=F.apply(x); y.backward(); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.save_for_backward(a); return a*a
    @staticmethod
    def backward(ctx,g):
        a,=ctx.saved_tensors; return g*2*a
x=T([2.],requires_grad=True); z=x*1; y=F.apply(z); z.add_(1); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        y=a*a; ctx.save_for_backward(y); return y
    @staticmethod
    def backward(ctx,g):
        y,=ctx.saved_tensors; return g*y
x=T([2.],requires_grad=True); y=F.apply(x); y.add_(1); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.save_for_backward(a); return a*a
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); y=F.apply(x)
with torch.no_grad():
    z=F.apply(x)
(y.requires_grad,z.requires_grad, y.grad_fn is None)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a.tolist(), a*2, None, 'q'
    @staticmethod
    def backward(ctx,*g):
        return g[1]*2
x=T([2.],requires_grad=True); l,y,n,q=F.apply(x); y.backward(); (l,n,q,x.grad)

log=[]
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        log.append((torch.is_grad_enabled(), a.requires_grad)); return a*2
    @staticmethod
    def backward(ctx,g):
        log.append((torch.is_grad_enabled(), g.requires_grad)); return g*2
x=T([2.],requires_grad=True); y=F.apply(x); y.backward(retain_graph=True)
y.backward(create_graph=True); log

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,xs):
        return xs[0]*2
    @staticmethod
    def backward(ctx,g):
        return None
x=T([2.],requires_grad=True); y=F.apply([x]); y.requires_grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.save_for_backward(a, None, a+1); return a*2
    @staticmethod
    def backward(ctx,g):
        a,n,b=ctx.saved_tensors; return g*b if n is None else g
x=T([2.],requires_grad=True); y=F.apply(x); y.backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        ctx.save_for_backward(3); return a*2
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); F.apply(x)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a.int()
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); F.apply(x).requires_grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return 5
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); F.apply(x)

class F(torch.autograd.Function):
    @staticmethod
    def backward(ctx,g):
        return g
x=T([2.],requires_grad=True); F.apply(x)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a):
        return a*2
x=T([2.],requires_grad=True); F.apply(x).backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        y=a+b; return y,y
    @staticmethod
    def backward(ctx,g,h):
        return g+h,g+h
x=T([2.],requires_grad=True); y,z=F.apply(x,x); (y+z).backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a * 2
    @staticmethod
    def vjp(ctx, g):
        return g * 3
x=T([2.],requires_grad=True); F.apply(x).backward(); x.grad
"""


def test_calls(both, snippet):
    both(snippet)


class Square(tallow.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y)
        ctx.note = "kept"
        return y

    @staticmethod
    @tallow.autograd.function.once_differentiable
    def backward(ctx, g):
        x, _ = ctx.saved_tensors
        assert not (g * x).requires_grad
        return g * 2 * x


def test_once_differentiable():
    """A second order raises. (PyTorch raises only if the first gradient depends on something.)"""
    x = tallow.tensor(3.0, requires_grad=True)
    (g,) = tallow.autograd.grad(Square.apply(x), x, create_graph=True)
    assert g.item() == 6
    with pytest.raises(GradientError, match="expected to differentiate Square once, as its backw"):
        g.backward()


def test_attributes_of_ctx_are_those_of_the_node():
    x = tallow.tensor(3.0, requires_grad=True)
    node = Square.apply(x).grad_fn
    assert node.note == "kept" and node.name() == "SquareBackward"
    assert repr(node).startswith("<SquareBackward object at 0x")
    with pytest.raises(AttributeError):
        node.other  # noqa: B018


def test_saved_tensors_outside_of_backward():
    x = tallow.tensor(3.0, requires_grad=True)
    y = Square.apply(x)
    assert [t.item() for t in y.grad_fn.saved_tensors] == [3, 9]
    assert y.grad_fn.saved_tensors[0] is x
    y.backward()
    with pytest.raises(GradientError, match="Square: its saved tensors were freed"):
        y.grad_fn.saved_tensors  # noqa: B018


def make(forward, backward=lambda ctx, g: g):
    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Made", (tallow.autograd.Function,), body)


def changed(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def changed_and_hidden(ctx, x):
    ctx.mark_dirty(x)
    x.mul_(2)
    return x.clone()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (make(lambda ctx, x: x * 2, lambda ctx, g: 3), "Made.backward: expected tensors or None"),
        (make(lambda ctx, x: x * 2, lambda ctx, g: (g, g)), "expected 1 gradients, one per argum"),
        (make(lambda ctx, x: x * 2, lambda ctx, g: ()), "expected 1 gradients, .* got 0"),
        (make(changed), "Made: expected a tensor that may change in place, got a leaf"),
    ],
)
def test_messages(function, message):
    with pytest.raises(GradientError, match=message):
        function.apply(tallow.ones(2, requires_grad=True)).sum().backward()


def test_message_of_an_input_changed_and_not_returned():
    x = tallow.ones(2, requires_grad=True) * 1
    with pytest.raises(GradientError, match="expected inputs that mark_dirty names among the outp"):
        make(changed_and_hidden).apply(x)


def test_message_of_what_cannot_be_saved():
    function = make(lambda ctx, x: ctx.save_for_backward(x, 3))
    with pytest.raises(TypeMismatchError, match="expected tensors, got int at position 1; keep"):
        function.apply(tallow.ones(1))


def test_a_result_changed_in_place():
    y = Square.apply(tallow.ones(2, requires_grad=True))
    y.add_(1)
    with pytest.raises(GradientError, match=r"an output that Square saved .* \(add_\); use the"):
        y.sum().backward()


def test_a_view_of_an_input_is_not_changed_in_place():
    x = tallow.ones(2, 2, requires_grad=True) * 1
    y = make(lambda ctx, x: x.view(4)).apply(x)
    with pytest.raises(GradientError, match="expected a view made with gradients enabled"):
        y.mul_(2)


def test_a_view_of_memory_of_its_own_is():
    x = tallow.ones(2, 2, requires_grad=True)
    y = make(lambda ctx, x: (x * 3).view(4), lambda ctx, g: g.view(2, 2) * 3).apply(x)
    y.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [[6, 6], [6, 6]]


def test_gradcheck():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.exp()

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.exp() * (1 + x)

    def backward_with_a_constant(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.detach().exp() * (1 + x)

    x = tallow.tensor([0.5, -1.0], dtype=tallow.float64, requires_grad=True)
    function = make(forward, backward).apply
    assert tallow.autograd.gradcheck(function, x) and tallow.autograd.gradgradcheck(function, x)
    wrong = make(forward, backward_with_a_constant).apply
    assert tallow.autograd.gradcheck(wrong, x)
    assert not tallow.autograd.gradgradcheck(wrong, x, raise_exception=False)
