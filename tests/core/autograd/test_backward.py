"""`backward` and `grad`: values, orders, arguments and errors, as in PyTorch."""

import gc
import sys
import threading
import weakref

import pytest

import tallow
from tallow.errors import GradientError, ShapeError

ORDERS = """
x=T(2.,requires_grad=True); y=x**3
g,=torch.autograd.grad(y,x,create_graph=True)
h,=torch.autograd.grad(g,x,create_graph=True)
k,=torch.autograd.grad(h,x)
(g,h,k)

x=T([.5,2.],requires_grad=True); y=(x.sin()*x.exp()).sum()
g,=torch.autograd.grad(y,x,create_graph=True)
h,=torch.autograd.grad(g.sum(),x,create_graph=True)
k,=torch.autograd.grad((h*g).sum(),x)
(g,h,k)

x=T(2.,requires_grad=True); y=x**3; y.backward(create_graph=True); (x.grad, x.grad.requires_grad)

x=T([2.],requires_grad=True); (x**3).backward(create_graph=True); g=x.grad; (g*g).backward()
x.grad

x=T(2.,requires_grad=True); y=x**3; y.backward(); y.backward()

x=T(2.,requires_grad=True); y=x+3; y.backward(); y.backward(); x.grad

x=torch.ones(2,3,requires_grad=True); y=x.sum(0).mean(); y.backward(); y.backward(); x.grad

x=T(2.,requires_grad=True); y=x**3; y.backward(retain_graph=True); y.backward(); x.grad

x=T(2.,requires_grad=True); y=x*x; z=y*3; z.backward(); (y*2).backward()

x=T([1.,2.],requires_grad=True)
torch.autograd.grad(torch.autograd.grad((x**2).sum(),x,create_graph=True)[0].sum(),x)
"""

ARGUMENTS = """
x=T([2.,3.],requires_grad=True); y=x**3; y.backward()

x=T([2.,3.],requires_grad=True); y=x**3; y.backward(T([1.,2.,3.]))

x=T([2.,3.],requires_grad=True); y=x**3; y.backward(T([1.,2.])); x.grad

x=T([2.]); y=x**3; y.backward()

x=T([2.],requires_grad=True); x.backward(); x.grad

x=T([2.],requires_grad=True); torch.autograd.grad(x,x)

x=T([2.],requires_grad=True); torch.autograd.backward([x,x]); x.grad

x=T([2.],requires_grad=True); y=x*3; torch.autograd.backward([x,y,y]); x.grad

x=T([2.],requires_grad=True); y=x*3; torch.autograd.grad([x,x,y],[x],create_graph=True)

x=T([2.],requires_grad=True); y=T([2.],requires_grad=True); z=x*2; torch.autograd.grad(z,[x,y])

x=T([2.],requires_grad=True); y=T([2.],requires_grad=True); z=x*2
torch.autograd.grad(z,[x,y],allow_unused=True)

x=T([2.],requires_grad=True); y=T([2.],requires_grad=True); z=x*2
torch.autograd.grad(z,[x,y],materialize_grads=True)

x=T([2.],requires_grad=True); z=x*2
torch.autograd.grad(z,[x],allow_unused=False,materialize_grads=True)

x=T([2.],requires_grad=True); y=T([2.]); z=x*y; torch.autograd.grad(z,[y])

x=T([2.],requires_grad=True); y=x*2; z=y*y; torch.autograd.grad(z,[y,x])

x=T([2.],requires_grad=True); y=x*2; z=y*y; torch.autograd.grad(z,[x,y]); x.grad

x=T([2.],requires_grad=True); y=x*2; z=y*y; torch.autograd.grad([z,y],[y])

x=T([2.],requires_grad=True); y=x*2; z=y*y; z.backward(inputs=[y]); (x.grad)

x=T([2.],requires_grad=True); y=x*2; y.retain_grad(); z=y*y; z.backward(inputs=[y,x])
(x.grad,y.grad)

x=T([2.],requires_grad=True); w=T([2.],requires_grad=True); z=x*w; z.backward(inputs=[x])
(x.grad,w.grad)

x=T([2.],requires_grad=True); w=T([2.],requires_grad=True); z=x*w; z.backward(inputs=x)
(x.grad,w.grad)

x=T([2.],requires_grad=True); z=x*2; z.backward(inputs=[])

x=T([2.],requires_grad=True); w=T([2.],requires_grad=True); z=x*2; z.backward(inputs=[w]); w.grad

x=T([2.,3.],requires_grad=True); y=x*x; torch.autograd.grad(y,x,T([1.,0.]))

x=T([2.,3.],requires_grad=True); y=x*x; torch.autograd.grad([y,y.sum()],x,[T([1.,0.]),None])

x=T([2.,3.],requires_grad=True); y=x*x; torch.autograd.grad(y,x,T([1.,0.],dtype=torch.float64))

x=torch.ones(3,requires_grad=True); torch.autograd.grad((),x)

x=torch.ones(3,requires_grad=True); torch.autograd.grad(x.sum(),())

x=torch.ones(3,requires_grad=True); y=x*2; v=y.detach(); torch.autograd.backward(v)

x=torch.ones(3,requires_grad=True); y=(x*2).sum(); y.backward(torch.ones(())); x.grad

x=torch.ones(3,requires_grad=True); y=(x*2).sum(); y.backward(torch.ones(1)); x.grad

x=torch.ones(3,requires_grad=True); y=(x*2).sum(); y.backward(2.0)

x=torch.ones(3,requires_grad=True); y=x*x
torch.autograd.grad(y,x,torch.eye(3),is_grads_batched=True)

x=torch.ones(2,3,requires_grad=True); y=(x*x).sum(1)
torch.autograd.grad([y,x*3],x,[torch.ones(4,2),torch.ones(4,2,3)],is_grads_batched=True)

x=torch.ones(3,requires_grad=True); y=x*T([1.,2.,3.])
torch.autograd.grad(y,x,torch.eye(3)*2,is_grads_batched=True,create_graph=True)

x=T([1.,2.],requires_grad=True); y=x**3; w=torch.eye(2,requires_grad=True)
g,=torch.autograd.grad(y,x,w,is_grads_batched=True,create_graph=True); (g*g).sum().backward()
(w.grad,x.grad)
"""

LEAVES = """
x=T([2.],requires_grad=True); x.grad=T([1.,2.])

x=T([2.],requires_grad=True); x.grad=T([5.]); g=x.grad; (x*3).backward(); (g, x.grad is g)

x=T([2.],requires_grad=True); (x*3).backward(); g=x.grad; (x*3).backward(); (g, x.grad is g)

x=T([2.],requires_grad=True); (x*x).backward(create_graph=True); g=x.grad; (x*3).backward()
(g, x.grad)

x=T([2.],requires_grad=True); (x*3).backward(); g=x.grad; (x*x).backward(create_graph=True)
(g, x.grad is g, x.grad)

T([1,2],requires_grad=True)

x=T([1,2]); x.requires_grad_()

x=T([1.,2.],requires_grad=True); y=x*2; y.requires_grad_(False)

x=T([1.,2.],requires_grad=True); y=x>1; (y.requires_grad)

x=T([1.,2.],requires_grad=True); y=x.int(); (y.requires_grad)

x=T([1.,2.],requires_grad=True); y=x.argmax(); (y.requires_grad)

x=T([1.,2.],requires_grad=True); y=x.detach(); (y.requires_grad, y.is_leaf, x.is_leaf)

x=T([1.,2.],requires_grad=True); y=x*2; (y.is_leaf, y.grad_fn is None, x.grad_fn is None)

x=T([1.,2.]); y=x*2; (y.is_leaf, y.requires_grad)

x=T([1.,2.],requires_grad=True); x.numpy()

x=T([1.,2.],requires_grad=True); y=T([0.,0.]); y.data=x.data*2; y

x=T([1.,2.],requires_grad=True); y=x.clone(); z=y.clone().detach().requires_grad_()
(y*z).sum().backward(); (x.grad,z.grad)
"""

SHAPES = """
x=T([[2.],[3.]],requires_grad=True); w=T([1.,2.,3.],requires_grad=True); y=x*w
(y*y).sum().backward(); (x.grad,w.grad)

x=T(2.,requires_grad=True); w=T([1.,2.,3.],requires_grad=True); y=x/w; (y*y).sum().backward()
(x.grad,w.grad)

x=T([2.],requires_grad=True); w=torch.ones(0,1,requires_grad=True); y=x*w; y.sum().backward()
(x.grad,w.grad)

x=torch.ones(1,3,1,requires_grad=True); w=torch.ones(2,1,4,requires_grad=True); y=(x+w)*w
y.sum().backward(); (x.grad,w.grad)

x=T(3.,requires_grad=True); y=x.expand(4); y.sum().backward(); x.grad

x=torch.zeros(0,3,requires_grad=True); x.mean(0).sum().backward(); x.grad

x=T([2.,3.],requires_grad=True); y=x.double()*x; y.sum().backward(); (x.grad)

x=T([2.,3.],requires_grad=True); w=T([1.,2.],dtype=torch.float64,requires_grad=True); y=x*w
y.sum().backward(); (x.grad,w.grad,y)

x=T([2.,3.],requires_grad=True,dtype=torch.float16)
w=T([1.,2.],dtype=torch.bfloat16,requires_grad=True); y=x*w; y.sum().backward()
(x.grad,w.grad,y)

x=T([2.,3.],requires_grad=True); w=T([1+1j,2.],requires_grad=True); y=x*w
y.abs().sum().backward(); (x.grad,w.grad)

x=T([1.,2.],requires_grad=True); y=torch.stack([x,x,x*2]); (y*y).sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=torch.cat([x,x]); (y*y).sum().backward(); x.grad

x=T([1.,2.,3.],requires_grad=True); a,b=x.split([1,2]); (a.sum()*2+(b*b).sum()).backward(); x.grad

x=T([1.,2.],requires_grad=True); v,i=x.sort(descending=True); (v*T([1.,3.])).sum().backward()
(v.requires_grad,i.requires_grad,x.grad)
"""

KINKS = """
x=T([1.,2.,3.],requires_grad=True); y=x.max(); y.backward(); x.grad

x=T([3.,2.,3.],requires_grad=True); y=x.max(); y.backward(); x.grad

x=T([3.,2.,3.],requires_grad=True); y=x.max(0).values; y.backward(); x.grad

x=T([0.,0.],requires_grad=True); y=x.norm(); y.backward(); x.grad

x=T([0.,-1.,2.],requires_grad=True); y=x.abs(); y.sum().backward(); x.grad

x=T([0.,1.,-1.],requires_grad=True); y=x.clamp(0,1); y.sum().backward(); x.grad

x=T([0.,1.,-1.],requires_grad=True); y=x.relu(); y.sum().backward(); x.grad

x=T([0.,2.],requires_grad=True); y=x**0; y.sum().backward(); x.grad

x=T([0.,2.],requires_grad=True); y=x**1; y.sum().backward(); x.grad

x=T([0.,2.],requires_grad=True); e=T([0.,0.],requires_grad=True); y=x**e; y.sum().backward()
(x.grad,e.grad)

x=T([0.,2.],requires_grad=True); y=2**x; y.sum().backward(); x.grad

x=T([0.,2.],requires_grad=True); y=0**x; y.sum().backward(); x.grad

x=T([0.,2.],requires_grad=True); y=(-2.)**x; y.sum().backward(); x.grad

x=T([0.,2.,0.],requires_grad=True); y=x.prod(); y.backward(); x.grad

x=T([0.,2.,3.],requires_grad=True); y=x.prod(); g,=torch.autograd.grad(y,x,create_graph=True)
(g*g).sum().backward(); (g,x.grad)

x=T([0.,2.,3.],requires_grad=True); y=x.cumprod(0); y.sum().backward(); x.grad

x=T([2.,0.,3.,0.],requires_grad=True); y=x.cumprod(0)
g,=torch.autograd.grad(y.sum(),x,create_graph=True); (g*g).sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=T([1.,3.],requires_grad=True)
torch.maximum(x,y).sum().backward(); (x.grad,y.grad)

x=T([1.,2.],requires_grad=True); y=T([1.,3.],requires_grad=True)
torch.minimum(x,y).sum().backward(); (x.grad,y.grad)

x=T([1.,float('nan')],requires_grad=True); torch.where(x>0,x,x*0).sum().backward(); x.grad

x=T([1.,-1.],requires_grad=True); torch.where(x>0,x.log(),T(0.)).sum().backward()
x.grad.tolist()[0]
"""

COMPLEX = """
x=torch.ones(3,requires_grad=True); y=(x*(1+2j)).sum(); y.backward()

x=T([1.+2j,3.],requires_grad=True); y=(x*x).sum(); y.backward(T(1.+0j)); x.grad

x=T([1.+2j,3.],requires_grad=True); y=x.abs().sum(); y.backward(); x.grad

x=T([1.+2j,0.],requires_grad=True); y=x.abs().sum(); y.backward(); x.grad

x=T([1.+2j,3.],requires_grad=True); y=(x*x.conj()).real.sum(); y.backward(); x.grad

x=T([1.+2j,3.],requires_grad=True); y=(x**3).imag.sum(); y.backward(); x.grad

x=T([1.+2j,3.],requires_grad=True); y=(x.exp()/x).real.sum()
g,=torch.autograd.grad(y,x,create_graph=True); g.abs().sum().backward(); (g,x.grad)

x=T([1.+2j,3.],requires_grad=True); y=torch.view_as_real(x); (y*y*y).sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=torch.complex(x,x*2); (y*y).real.sum().backward(); x.grad

x=T([1.+2j,3.],requires_grad=True); y=x.angle().sum(); y.backward(); x.grad

x=T([1.+2j,0.],requires_grad=True); y=(x@x).real; y.backward(); x.grad

x=T([1.+2j,0.5],requires_grad=True); y=(x*2.0).imag.sum(); y.backward(); x.grad

x=T([1.+2j,.5-.3j],requires_grad=True); y=(x.sin()*x.tanh()+x.sqrt()-x.log()).real.sum()
y.backward(); x.grad

x=T([1.+2j,.5-.3j],requires_grad=True); w=T([2.,-1.],requires_grad=True)
y=(x*w+x/w-x**2).abs().sum(); y.backward(); (x.grad,w.grad)

x=T([[1.+2j,.5],[.3j,2.]],requires_grad=True); y=(x@x.conj().t()).abs().sum(); y.backward()
x.grad

x=T([1.+2j,.5-.3j],requires_grad=True); y=x.prod().abs()+x.cumprod(0).real.sum()+x.var()
y.backward(); x.grad

x=T([1.+2j,.5-.3j],requires_grad=True); y=x.sgn().imag.sum(); y.backward(); x.grad
"""


def test_orders(both, snippet):
    both(snippet)


def test_arguments(both, snippet):
    both(snippet)


def test_leaves(both, snippet):
    both(snippet)


def test_shapes(both, snippet):
    both(snippet)


def test_kinks(both, snippet):
    both(snippet)


def test_complex(both, snippet):
    both(snippet)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda x: (x * x).backward(), r"backward: expected a scalar, got float32 \(2,\); reduce"),
        (lambda x: tallow.ones(1).backward(), "backward: expected a tensor computed from tensors"),
        (lambda x: (x * 1j).sum().backward(), "backward: expected a real scalar, got complex64"),
        (lambda x: tallow.autograd.backward((x * x).sum(), inputs=[]), "expected at least one"),
        (lambda x: tallow.autograd.grad((x * x).sum(), []), "grad: expected at least one input"),
        (lambda x: tallow.autograd.grad(x.sum(), tallow.ones(1)), "inputs that require gradients"),
        (
            lambda x: tallow.autograd.grad(x.sum(), tallow.ones(1, requires_grad=True)),
            "input 0 was not; pass allow_unused=True",
        ),
        (lambda x: tallow.autograd.grad([x.sum()], x, [None, None]), "expected 1 gradients, got 2"),
    ],
)
def test_messages(run, message):
    with pytest.raises(GradientError, match=message):
        run(tallow.ones(2, requires_grad=True))


def test_message_of_a_wrong_gradient():
    x = tallow.ones(2, requires_grad=True)
    with pytest.raises(
        ShapeError, match=r"expected a gradient of shape \(2,\), got float32 \(3,\)"
    ):
        (x * x).backward(tallow.ones(3))


def test_message_of_a_second_pass():
    x = tallow.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(
        GradientError, match="what mul kept .* call that one with retain_graph=True"
    ):
        y.backward()


def test_gradients_are_tensors_of_arrays():
    x = tallow.tensor(2.0, requires_grad=True)
    (x * x).backward()
    assert type(x.grad.array) is type(x.array)
    x.grad.add_(1)
    assert x.grad.item() == 5


def test_gradients_own_their_memory():
    x, y = (tallow.ones(3, requires_grad=True) for _ in range(2))
    start = tallow.ones(3)
    (x + y).backward(start)
    x.grad.mul_(2)
    assert y.grad.tolist() == [1, 1, 1] and start.tolist() == [1, 1, 1]


def test_unwanted_leaves_are_left_alone():
    x, y = (tallow.ones(2, requires_grad=True) for _ in range(2))
    called = []
    y.register_hook(called.append)
    tallow.autograd.grad((x * y).sum(), x)
    assert not called and y.grad is None


def test_no_gradient_is_computed_twice_for_shared_history():
    x = tallow.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y  # 2**60 paths, 60 nodes
    y.backward()
    assert x.grad.item() == 2.0**60


def test_deep_graphs_do_not_recurse():
    limit = sys.getrecursionlimit()
    x = tallow.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del y
    assert sys.getrecursionlimit() == limit


def test_deep_graphs_of_several_orders():
    x = tallow.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(2000):
        y = y * 1.001
    (g,) = tallow.autograd.grad(y * x, x, create_graph=True)
    g.backward()
    assert x.grad.item() == pytest.approx(2 * 1.001**2000, rel=1e-3)


class TestMemory:
    """Graphs are freed without the garbage collector: there are no reference cycles."""

    @pytest.fixture(autouse=True)
    def without_collector(self):
        gc.collect()
        gc.disable()
        yield
        gc.enable()

    @staticmethod
    def watched(*tensors):
        return [weakref.ref(x) for x in tensors] + [weakref.ref(x.node) for x in tensors]

    def assert_freed(self, references):
        assert not [r() for r in references if r() is not None]

    def test_when_the_result_goes(self):
        x = tallow.ones(3, requires_grad=True)
        y = x.exp()
        z = (y * x).sum()
        references = self.watched(y, z)
        del y, z
        self.assert_freed(references)

    def test_after_a_backward_pass(self):
        x = tallow.ones(3, requires_grad=True)
        y = x.tanh()
        z = (y / y.sum()).sum()
        references = self.watched(y, z)
        z.backward()
        del y, z
        self.assert_freed(references)

    def test_saved_tensors_go_with_the_backward_pass(self):
        x = tallow.ones(3, requires_grad=True)
        y = x * 2
        z = (y * y).sum()
        reference = weakref.ref(y)
        del y
        assert reference() is not None
        z.backward()
        assert reference() is None

    def test_second_order(self):
        x = tallow.ones(3, requires_grad=True)
        y = x.sigmoid()
        (g,) = tallow.autograd.grad((y * y).sum(), x, create_graph=True)
        h = g.sum()
        references = self.watched(y, g, h)
        h.backward()
        del y, g, h
        self.assert_freed(references)

    def test_views_changed_in_place(self):
        x = tallow.ones(3, requires_grad=True)
        y = x * 1
        v = y[:2]
        v.mul_(2)
        z = y.sum()
        references = self.watched(y, v, z)
        z.backward()
        del y, v, z
        self.assert_freed(references)

    def test_functions(self):
        class Square(tallow.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x * x
                ctx.save_for_backward(x, y)
                return y

            @staticmethod
            def backward(ctx, g):
                x, _ = ctx.saved_tensors
                return g * 2 * x

        x = tallow.ones(3, requires_grad=True)
        y = Square.apply(x)
        z = y.sum()
        references = self.watched(y, z)
        z.backward()
        del y, z
        self.assert_freed(references)

    def test_hooks_and_retained_gradients(self):
        x = tallow.ones(3, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        z = y.sum()
        references = self.watched(y, z)
        z.backward()
        del y, z
        self.assert_freed(references)


class TestThreads:
    def run(self, work, count=8):
        errors = []

        def guarded(i):
            try:
                work(i)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors

    def test_leaves_shared(self):
        x = tallow.zeros(20_000, requires_grad=True)

        def work(i):
            for _ in range(20):
                (x * 2).sum().backward()

        self.run(work)
        assert x.grad.min().item() == x.grad.max().item() == 8 * 20 * 2

    def test_graphs_shared(self):
        x = tallow.ones(10, requires_grad=True)
        y = (x * x).exp()
        found = {}

        def work(i):
            (found[i],) = tallow.autograd.grad(y.sum() * i, x, retain_graph=True)

        self.run(work)
        for i, g in found.items():
            assert g.tolist() == pytest.approx([2 * 2.718281828 * i] * 10)

    def test_a_backward_pass_in_a_hook(self):
        x = tallow.ones(2, requires_grad=True)
        inner = []

        @tallow.enable_grad()
        def hook(g):
            w = tallow.ones(2, requires_grad=True)
            (w * 3).sum().backward()
            inner.append(w.grad.tolist())

        y = x * 2
        y.register_hook(hook)
        y.sum().backward()
        assert inner == [[3, 3]] and x.grad.tolist() == [2, 2]


def test_a_pass_ends_at_what_is_wanted():
    """Layer by layer: what is before a wanted tensor keeps what it needs for a pass of its own."""
    x = tallow.tensor([1.0, -2.0], requires_grad=True)
    h = x.relu()
    parts = (h * 3).chunk(2)
    (later,) = tallow.autograd.grad(parts[0] ** 2, h, only_inputs=True)
    assert later.tolist() == [18.0, 0.0]
    (first,) = tallow.autograd.grad(h, x, later)
    assert first.tolist() == [18.0, 0.0]


def test_a_wanted_tensor_on_the_way_to_another():
    x = tallow.tensor([1.0, 2.0], requires_grad=True)
    h = x.exp()
    to_h, to_x = tallow.autograd.grad((h * h).sum(), (h, x))
    assert to_h.equal(2 * h) and to_x.allclose(2 * h * h)
    with pytest.raises(RuntimeError, match="an earlier backward.* freed it"):
        h.sum().backward()
