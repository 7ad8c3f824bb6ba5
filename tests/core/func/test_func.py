"""`tallow.func` against PyTorch's, and its messages."""

import collections

import pytest

import tallow
from tallow import func
from tallow.errors import ArgumentError, GradientError
from tallow.func import tree

GRADIENTS = """
G=torch.func
x=T([1.,2.])
(G.vjp(lambda x,y:x*y, x, x)[1](torch.ones(2)), G.vjp(lambda x:x*2, x)[1](torch.ones(2)))

G=torch.func
x=T([1.,2.]); r=G.jacrev(lambda d:d['a']*d['b'])({'a':x,'b':x}); (r['a'],r['b'])

G=torch.func
x=T([1.,2.]); r=G.jacrev(lambda x,y:{'o':x*y}, argnums=(0,1))(x,x); r['o']

G=torch.func
x=T([1.,2.])
(G.grad(lambda x:(x**2).sum())(x),
 G.grad_and_value(lambda x:((x**2).sum(), x+1), has_aux=True)(x),
 G.grad(lambda x:((x**2).sum(),x),has_aux=True)(x))

G=torch.func
x=T([1.,2.]); G.grad(lambda x:x)(x)

G=torch.func
x=T([1.,2.]); G.grad(lambda x:3)(x)

G=torch.func
x=T([1.,2.]); G.grad(lambda x:x.sum(), argnums=1)(x)

G=torch.func
G.grad(lambda x:x.sum())(T([1,2]))

G=torch.func
x=T([1.,2.])
(G.grad(lambda x,y:(x*y).sum(), argnums=-1)(x,x),
 G.grad(lambda x,y:(x*y).sum(), argnums=(1,0))(x,x*3))

G=torch.func
x=T(2.); G.grad(G.grad(G.grad(lambda x:x**4)))(x)

G=torch.func
x=T(2.); G.grad(lambda x: G.grad(lambda y: (x*y)**2)(x))(x)

G=torch.func
x=T(2.,requires_grad=True); w=T(3.,requires_grad=True); g=G.grad(lambda x:w*x**2)(x)
g.backward(); (g,x.grad,w.grad)

G=torch.func
x=T(2.); w=T(3.,requires_grad=True); g=G.grad(lambda x:w*x**2)(x); g.backward(); (g,w.grad)

G=torch.func
x=T(2.); w=T(3.,requires_grad=True)
with torch.no_grad():
    g=G.grad(lambda x:w*x**2)(x)
(g,)

G=torch.func
x=T(2.); g,v=G.grad_and_value(lambda x:x**2)(x); (g,v)

G=torch.func
x=T([1.,2.]); G.jvp(lambda x:x*2,(x,),(torch.ones(3),))

G=torch.func
x=T([1.,2.]); G.jvp(lambda x:x*2,x,x)

G=torch.func
x=T([1.,2.])
(G.jvp(lambda x,y:x*y,(x,x),(x,x*2)), G.jvp(lambda x:(x*x,x),(x,),(x,),has_aux=True))

G=torch.func
x=T([1.,2.]); o,f=G.linearize(lambda x,y:(x*y).sin(),x,x); (o,f(x,x),f(x*2,x))

G=torch.func
x=T([[1.,2.],[3.,4.]])
(G.jacfwd(torch.sin)(x), G.jacrev(torch.sin)(x), G.hessian(lambda x:x.sin().sum())(x))

G=torch.func
x=T([1.,2.]); G.jacfwd(lambda x,y:(x*y,x.sum()),argnums=(0,1))(x,x)

G=torch.func
x=T([1.,2.]); G.jacrev(lambda x:(x*x,x+1),has_aux=True)(x)

G=torch.func
x=T([1.,2.]); G.jacfwd(lambda x:(x*x,x+1),has_aux=True)(x)

G=torch.func
x=T([1.,2.]); G.hessian(lambda x,y:(x*x*y).sum(),argnums=(0,1))(x,x)

G=torch.func
x=T([1.,2.]); G.jacrev(lambda x: torch.ones(3))(x)

G=torch.func
x=T([1.,2.]); G.jacfwd(lambda x: torch.ones(3))(x)
"""

BATCHES = """
G=torch.func
x=T([[1.,2.],[3.,4.],[5.,6.]])
(G.vmap(lambda x:x.sum())(x),
 G.vmap(lambda x:x*2,in_dims=1,out_dims=1)(x),
 G.vmap(lambda x,y:(x@y,x))(x,x),
 G.vmap(lambda x,y:x+y,in_dims=(0,None))(x,T([1.,1.])))

G=torch.func
x=T([[1.,2.],[3.,4.],[5.,6.]]); G.vmap(lambda x:3)(x)

G=torch.func
x=T([[1.,2.],[3.,4.],[5.,6.]]); G.vmap(lambda x,y:x)(x,torch.ones(2))

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:x,in_dims=None)(x)

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:x,in_dims=2)(x)

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:torch.rand(2))(x)

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:torch.rand(2),randomness='different')(x).shape==(2,2)

G=torch.func
x=T([1.,2.]); r=G.vmap(lambda x:torch.rand(2),randomness='same')(x); (r[0]==r[1]).all().item()

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:x)(3)

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:x)()

G=torch.func
x=T([1.,2.]); G.vmap(lambda x:(x,x),out_dims=(0,))(x)

G=torch.func
x=T([1.,2.]); G.vmap(lambda x,y:x,in_dims=(0,))(x,x)

G=torch.func
x=T([[1.,2.],[3.,4.]])
(G.vmap(lambda d:d['a']*2)({'a':x}),
 G.vmap(lambda x:{'o':x.sum()})(x)['o'], G.vmap(lambda x: x*2, chunk_size=1)(x))

G=torch.func
x=T([[1.,2.],[3.,4.]]); w=T([1.,2.],requires_grad=True)
G.vmap(lambda x: x@w)(x).sum().backward(); w.grad

G=torch.func
x=T([[1.,2.],[3.,4.]]); w=T([1.,2.])
G.vmap(G.grad(lambda w,x:(w*x).sum()**2),in_dims=(None,0))(w,x)

G=torch.func
x=T([[1.,2.],[3.,4.]]); G.vmap(G.vmap(lambda x:x*2))(x)

G=torch.func
x=T([1.,2.]); G.vmap(torch.sin,randomness='q')

G=torch.func
x=T([1.,2.]); G.vmap(torch.sin,chunk_size=0)
"""

MODULES = """
G=torch.func
m=torch.nn.Linear(2,1); w=T([[1.,2.]]); b=T([3.])
(G.functional_call(m,{'weight':w,'bias':b},(T([1.,1.]),)), m.weight.requires_grad)

G=torch.func
m=torch.nn.Linear(2,1,bias=False)
G.functional_call(m,{'weigh':T([[1.,2.]])},(T([1.,1.]),),strict=True)

G=torch.func
m=torch.nn.Linear(2,1,bias=False); w=T([[1.,2.]],requires_grad=True)
G.functional_call(m,({'weight':w},{}),T([1.,1.])).sum().backward(); (w.grad,m.weight.grad)

G=torch.func
m=torch.nn.Linear(2,1,bias=False); w=T([[1.,2.]])
G.functional_call(m,({'weight':w},{'weight':w}),T([1.,1.]))

G=torch.func
m=torch.nn.Sequential(torch.nn.Linear(2,2,bias=False),torch.nn.Linear(2,2,bias=False))
m[1].weight=m[0].weight; w=T([[1.,2.],[3.,4.]])
(G.functional_call(m,{'0.weight':w},T([1.,1.])),)

G=torch.func
m=torch.nn.BatchNorm1d(2); p,b=G.stack_module_state([torch.nn.BatchNorm1d(2) for _ in range(3)])
({k:tuple(v.shape) for k,v in p.items()},
 {k:tuple(v.shape) for k,v in b.items()},
 p['weight'].requires_grad, p['weight'].is_leaf)

G=torch.func
G.stack_module_state([])

G=torch.func
ms=[torch.nn.Linear(2,1) for _ in range(3)]; p,b=G.stack_module_state(ms); x=T([1.,1.])
f=lambda p,x: G.functional_call(ms[0],(p,{}),(x,)); r=G.vmap(f,in_dims=(0,None))(p,x)
(r.shape==(3,1), torch.allclose(r[1],ms[1](x)))
"""


def test_gradients(both, snippet):
    both(snippet)


def test_batches(both, snippet):
    both(snippet)


def test_modules(both, snippet):
    both(snippet)


X = tallow.tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: func.grad(lambda x: x)(X), r"grad: expected a scalar .*, got float32 \(2,\)"),
        (lambda: func.grad(lambda x: x.sum(), 1)(X), "expected argnums within 1 positional"),
        (lambda: func.grad(lambda x: x.sum())(3), "expected tensors to differentiate by, got 3"),
        (lambda: func.grad(lambda x: x.sum(), has_aux=True)(X), r"grad: expected \(result, aux\)"),
        (lambda: func.jacrev(lambda x: 3)(X), "jacrev: expected tensors from the function, got 3"),
        (lambda: func.jvp(lambda x: x, X, (X,)), "jvp: expected primals as a tuple"),
        (lambda: func.jvp(lambda x: x, (X,), (X[:1],)), r"tangents of shapes \[\(2,\)\], got"),
        (lambda: func.jvp(lambda x: x.detach(), (X,), (X,), strict=True), r"depend .* \(strict\)"),
        (lambda: func.vjp(lambda x: x, X)[1](X[:1]), r"cotangents of shapes \[\(2,\)\], got"),
        (lambda: func.linearize(lambda x: x, X)[1](X[:1]), r"tangents of shapes \[\(2,\)\]"),
        (lambda: func.stack_module_state([]), "stack_module_state: expected at least one module"),
        (
            lambda: func.stack_module_state([tallow.nn.ReLU(), tallow.nn.Tanh()]),
            "expected modules of one class",
        ),
    ],
)
def test_messages(run, message):
    with pytest.raises(GradientError, match=message):
        run()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: func.vmap(tallow.sin, randomness="some"), "expected randomness 'error', 'same'"),
        (lambda: func.vmap(tallow.sin, chunk_size=0), "expected a chunk_size above 0"),
        (lambda: func.vmap(tallow.sin)(), "expected at least one argument"),
        (lambda: func.vmap(tallow.sin, in_dims=(0, 0))(X), "in_dims in the form of the arguments"),
        (lambda: func.vmap(tallow.sin, out_dims=(0, 0))(X), "out_dims of the form of the results"),
        (lambda: func.vmap(tallow.sin, in_dims=1)(X), r"expected a tensor with dim 1, got float32"),
        (lambda: func.vmap(tallow.add)(X, tallow.ones(3)), r"batch dims of one size, got \[2, 3\]"),
        (lambda: func.vmap(lambda x: "x")(X), "expected tensors from the function, got str"),
        (lambda: func.vmap(tallow.sin)(tallow.ones(0)), "expected at least one example, got none"),
    ],
)
def test_messages_of_vmap(run, message):
    with pytest.raises(ArgumentError, match=message):
        run()


def test_message_of_randomness():
    with pytest.raises(
        RuntimeError, match="vmap: expected no random numbers, as randomness is 'er"
    ):
        func.vmap(lambda x: x + tallow.rand(()))(X)


def test_vmap_takes_functions_that_look_at_values():
    def collatz(x):
        count = 0
        while x > 1:
            x = x // 2 if x % 2 == 0 else 3 * x + 1
            count += 1
        return tallow.tensor(count)

    assert func.vmap(collatz)(tallow.tensor([1, 2, 3, 7])).tolist() == [0, 1, 7, 16]


def test_vmap_maps_keywords_and_leaves_other_results():
    doubled, name = func.vmap(lambda x, *, by: (x * by, "name"), out_dims=(0, None))(X, by=X)
    assert doubled.tolist() == [1, 4] and name == "name"


def test_results_have_no_history_of_their_own():
    x = tallow.ones(2)
    value, pullback = func.vjp(lambda x: x * x, x)
    assert not value.requires_grad and not pullback(x)[0].requires_grad
    assert not x.requires_grad and x.grad is None
    for result in (*func.jvp(lambda x: x * x, (x,), (x,)), func.hessian(lambda x: (x**3).sum())(x)):
        assert not result.requires_grad


def test_a_backward_pass_through_each():
    def loss(x):
        f = lambda x: (x**3).sum()  # noqa: E731
        gradient, value = func.grad_and_value(f)(x)
        moved = func.jvp(lambda x: x**2, (x,), (x,))[1]
        matrix = func.jacfwd(lambda x: x**2)(x) + func.jacrev(lambda x: x**2)(x)
        (pulled,) = func.vjp(lambda x: x**2, x)[1](x)
        parts = (gradient, moved, matrix, pulled, func.hessian(f)(x), func.vmap(lambda x: x**2)(x))
        return value + sum((part**2).sum() for part in parts)

    x = tallow.tensor([0.5, -1.5], dtype=tallow.float64, requires_grad=True)
    assert tallow.autograd.gradcheck(loss, x)


def test_complex_products():
    def f(z):
        return z * z + z.conj()

    z = tallow.tensor([1 + 2j, -0.5j], dtype=tallow.complex128)
    t = tallow.tensor([0.3 - 1j, 1 + 1j], dtype=tallow.complex128)
    moved = func.jvp(f, (z,), (t,))[1]
    step = 1e-6
    tallow.testing.assert_close(moved, (f(z + t * step) - f(z - t * step)) / (2 * step))


def test_functional_call_restores_the_module_after_an_error():
    module = tallow.nn.Linear(2, 1)
    weight = module.weight
    with pytest.raises(RuntimeError):
        func.functional_call(module, {"weight": tallow.ones(1, 2)}, tallow.ones(5))
    assert module.weight is weight


def test_functional_call_of_names_it_does_not_know():
    module = tallow.nn.Linear(2, 1)
    with pytest.raises(KeyError, match="expected names of parameters or buffers"):
        func.functional_call(module, {"other": tallow.ones(1)}, tallow.ones(2))


def test_functional_call_of_tied_weights():
    module = tallow.nn.Sequential(*[tallow.nn.Linear(1, 1, bias=False) for _ in range(2)])
    module[1].weight = module[0].weight
    two = tallow.full((1, 1), 2.0)
    assert func.functional_call(module, {"1.weight": two}, tallow.ones(1)).item() == 4
    own = module[0].weight.item()
    one_side = func.functional_call(module, {"1.weight": two}, tallow.ones(1), tie_weights=False)
    assert one_side.item() == pytest.approx(2 * own)
    with pytest.raises(ArgumentError, match="expected one value for the tied"):
        func.functional_call(module, {"0.weight": two, "1.weight": two + 1}, tallow.ones(1))


def test_batch_norm_without_running_statistics():
    module = tallow.nn.Sequential(tallow.nn.BatchNorm1d(2), tallow.nn.ReLU()).eval()
    x = tallow.tensor([[1.0, 2.0], [3.0, 6.0]])
    func.replace_all_batch_norm_modules_(module)
    assert module(x).tolist() != x.tolist() and module[0].running_mean is None


class TestTree:
    Pair = collections.namedtuple("Pair", "a b")

    def test_leaves_and_rebuild(self):
        nested = {"x": (1, [2, 3]), "y": self.Pair(4, ()), "z": None}
        assert tree.leaves(nested) == [1, 2, 3, 4, None]
        doubled = tree.tree_map(lambda x: x and x * 2, nested)
        assert doubled == {"x": (2, [4, 6]), "y": self.Pair(8, ()), "z": None}
        assert type(doubled["y"]) is self.Pair

    def test_spread(self):
        nested = ((1, 2), {"a": 3})
        assert tree.spread(0, nested) == [0, 0, 0]
        assert tree.spread((0, {"a": 1}), nested) == [0, 0, 1]
        assert tree.spread((0,), nested) is None and tree.spread((0, [1]), nested) is None
