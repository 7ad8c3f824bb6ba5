"""Changes in place: values, gradients and refusals are PyTorch's."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.errors import GradientError, ShapeError

TENSORS = """
x=T([1.,2.,3.],requires_grad=True); y=x*2; y.mul_(3); y.sum().backward(); (y,x.grad)

x=T([1.,2.,3.],requires_grad=True); x.add_(1)

x=T([1.,2.,3.],requires_grad=True)
with torch.no_grad():
    x.add_(1)
(x, x.is_leaf)

x=T([1.,2.,3.],requires_grad=True); y=x*x
with torch.no_grad():
    x.add_(1)
y.sum().backward()

x=T([1.,2.,3.],requires_grad=True); y=x.exp(); y.add_(1); y.sum().backward()

x=T([1.,2.,3.],requires_grad=True); y=x*2; z=y*y; y.add_(1); z.sum().backward()

x=T([1.,2.,3.],requires_grad=True); y=x*2; z=y+1; y.add_(1); z.sum().backward(); x.grad

y=torch.zeros(3); a=T([1.,2.,3.],requires_grad=True); y.add_(a); y.sum().backward(); (a.grad,y)

y=torch.zeros(3); a=T([1.,2.,3.],requires_grad=True); y+=a; y*=a; y.sum().backward(); (a.grad,y)

x=T([1.,2.,3.],requires_grad=True); y=x*2; y.zero_(); y.sum().backward(); x.grad

x=T([1.,2.,3.],requires_grad=True); y=x*2; y.fill_(4.); (y.requires_grad, y)

x=T([1.,2.,3.],requires_grad=True); y=x*2; y.copy_(T([1.,1.,1.])); y.sum().backward(); x.grad

x=T([1.,2.,3.],requires_grad=True); y=x*2; z=T([1.,1.,1.],requires_grad=True); y.copy_(z)
(y*2).sum().backward(); (x.grad,z.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2; y.requires_grad_(False)

x=T([1.,2.,3.],requires_grad=True); (x._version, x.add(1)._version)

x=T([1.,2.,3.],requires_grad=True); y=x.clone(); y.sub_(1).mul_(y); y.sum().backward(); x.grad

x=T([1.,2.,3.],requires_grad=True); y=x.clone(); y.mul_(y); y.sum().backward(); x.grad

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.masked_fill_(y>2,0.)
(y*y).sum().backward(); (y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.clamp_(2,3); (y*y).sum().backward()
(y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.relu_(); (y*y).sum().backward(); (y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.sigmoid_(); (y*y).sum().backward()
(y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.pow_(3); (y*y).sum().backward(); (y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y.div_(y.sum()); (y*y).sum().backward()
(y,x.grad)

y=torch.zeros(2); a=T([1.,2.],requires_grad=True); y.set_ if False else None; y.requires_grad_()
y.add_(a)

y=torch.ones(2,dtype=torch.int64); y.add_(1.5)

y=torch.ones(2); y.add_(torch.ones(3,2))

y=torch.ones(2,3,requires_grad=True); y.t_()

x=torch.ones(3,requires_grad=True); y=x*2; y.grad_fn is not None and y.retain_grad(); y.mul_(3)
y.sum().backward(); (y.grad, x.grad)

x=torch.ones(3,requires_grad=True); y=x*2; z=y; y*=2; (z is y, y.requires_grad)

x=torch.ones(3,requires_grad=True); x*=2

x=torch.ones(3,requires_grad=True); x.grad=torch.ones(3); x.grad.zero_(); (x*2).sum().backward()
x.grad

x=torch.ones(3,requires_grad=True); y=x*2; z=y.exp(); y.mul_(2); z.sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x*2; z=y.sin(); y.mul_(2); z.sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); w=torch.ones(3,requires_grad=True); z=x*w
with torch.no_grad():
    w.add_(1)
torch.autograd.grad(z.sum(), w, retain_graph=True)

x=torch.ones(3,requires_grad=True); w=torch.ones(3,requires_grad=True); z=x*w
with torch.no_grad():
    w.add_(1)
torch.autograd.grad(z.sum(), x, retain_graph=True)

x=torch.ones(3,requires_grad=True); c=torch.ones(3); z=x*c; c.add_(1); z.sum().backward()

x=torch.ones(3,requires_grad=True); c=torch.ones(3); z=x+c; c.add_(1); z.sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); m=T([True,False,True]); z=torch.where(m,x,x*2)
m.fill_(True); z.sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x.clone(); s=0
for r in y:
    s=s+r*r
s.backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x*1; y+=y; y-=y*0.5; y*=y; y/=2; y**=2; y.sum().backward()
(y,x.grad)

x=torch.ones(3,requires_grad=True); y=x.double(); y+=1; y.sum().backward(); x.grad

x=torch.ones(3); y=torch.ones(3,dtype=torch.float64,requires_grad=True); x+=y
x.sum().backward(); (x,y.grad)

x=T([1+1j,2.]); y=torch.ones(2,requires_grad=True); x+=y; x.abs().sum().backward(); (x,y.grad)

x=torch.ones(2); y=T([1+1j,2.],requires_grad=True); x+=y
"""

PARTS = """
x=T([1.,2.,3.],requires_grad=True); y=x*2; y[1]=5.; y.sum().backward(); (y,x.grad)

x=T([1.,2.,3.],requires_grad=True); v=T(7.,requires_grad=True); y=x*2; y[1]=v
(y*y).sum().backward(); (y,x.grad,v.grad)

x=T([1.,2.,3.],requires_grad=True); x[0].add_(1)

x=T([1.,2.,3.],requires_grad=True); x[0]=1.

x=T([1.,2.,3.],requires_grad=True)
with torch.no_grad():
    x[0]=5.
y=(x*x).sum(); y.backward(); (x,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; v=y[0]; v.mul_(10); y.sum().backward()
(y,v,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; v=y[0]; y.mul_(10); v.sum().backward()
(y,v,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; v=y[0]; w=y[:,0]; v.mul_(10)
(w.sum()*2).backward(); (w,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; v=y[0]; w=v[1]; w.mul_(10)
(v.sum()*2+y.sum()).backward(); (w,v,y,x.grad)

y=torch.zeros(2,2); a=T([1.,2.],requires_grad=True); y[0]=a; y[1]=a*2; (y*y).sum().backward()
(y.requires_grad,a.grad)

y=torch.zeros(2,2); v=y[0]; a=T([1.,2.],requires_grad=True); y[0]=a; (v.requires_grad, v)

y=torch.zeros(2,2); v=y[0]; a=T([1.,2.],requires_grad=True); v.copy_(a); y.sum().backward()
(y.requires_grad,a.grad,y)

x=T([1.,2.,3.],requires_grad=True); y=x.detach(); y.add_(1); (x, x*1)

x=T([1.,2.,3.],requires_grad=True); z=x*x; y=x.detach(); y.add_(1); z.sum().backward()

x=T([1.,2.,3.],requires_grad=True); z=x*x; x.data.add_(1); z.sum().backward(); (x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; y.t().add_(T([1.,2.])); (y*y).sum().backward()
(y,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; y.view(-1)[1:3].mul_(5)
(y*y).sum().backward(); (y,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; y.transpose(0,1)[0].mul_(5)
(y*y).sum().backward(); (y,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; a=y.expand(3,2,2); a.add_(1)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=(x*1).unsqueeze(0); y.squeeze(0).mul_(3)
y.sum().backward(); (y,x.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2
with torch.no_grad():
    v=y[0]
v.mul_(2); y.sum().backward(); (x.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2
with torch.no_grad():
    v=y[0]
    v.mul_(2)
y.sum().backward(); (y,x.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2; v=y[0]
with torch.no_grad():
    v.mul_(2)
v.backward(); (v,y,x.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2; v=y[:2]
with torch.no_grad():
    y.mul_(2)
(v*v).sum().backward(); (v,y,x.grad)

x=T([1.,2.,3.],requires_grad=True); y=x*2; v=y[:2]; w=v*v
with torch.no_grad():
    y.mul_(2)
w.sum().backward()

x=T([1.,2.,3.],requires_grad=True); y=x*2; y.detach_(); (y.requires_grad,y.is_leaf)

x=T([1.,2.,3.],requires_grad=True); y=x*2; v=y[0]; v.detach_()

y=T([1.,2.,3.]); v=y[0]; v.add_(1); y.mul_(2); y[1]=3.; (y._version,v._version)

x=T([1.,2.,3.],requires_grad=True); y=x.clone(); y[0]=y[1]*y[2]; y.sum().backward(); x.grad

x=T([1.,2.,3.],requires_grad=True); y=x.clone(); y[:2]=y[1:].clone(); (y*y).sum().backward()
(y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y[[0,2]]=T([5.,6.]); (y*y).sum().backward()
(y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y[y>2]=0.; (y*y).sum().backward(); (y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x.clone(); y[T([0,0])]+=1.; (y*y).sum().backward()
(y,x.grad)

x=T([1.,2.],requires_grad=True); b=torch.zeros(3,2); b[0]=x; b[1]=b[0]*2; b[2]=b[1]*b[0]
b.sum().backward(); (b,x.grad)

x=T([1.,2.],requires_grad=True); s=torch.zeros(()); 
for i in range(3):
    s+=(x[i%2]*i)
s.backward(); (s,x.grad)

x=T([1.,2.],requires_grad=True); y=x*1; z=y.view(2,1); y.add_(1); z.sum().backward(); (z,x.grad)

x=T([1.,2.],requires_grad=True); y=x*1; z=y.view(2,1); z.add_(1); w=y*y; z.add_(1)
w.sum().backward()

a=T([1.,2.],requires_grad=True); b=T([3.,4.],requires_grad=True); y=torch.zeros(2); v=y[:1]
v.add_(a[:1]); y.mul_(b); v.mul_(2); y.sum().backward(); (y,v,a.grad,b.grad)

y=torch.zeros(2,requires_grad=True); z=y.clone(); z.data.fill_(3.); (z*z).sum().backward()
(z,y.grad)

y=torch.ones(3,requires_grad=True); z=y*1; z.unsqueeze_(0); z.sum().backward(); (z,y.grad)

y=torch.ones(2,3,requires_grad=True); z=y*2; z.t_(); (z[0]*z[0]).sum().backward()
(z.shape==(3,2),y.grad)

y=torch.ones(2,3); v=y.view(6); y.t_(); y[0]=5.; v

x=torch.ones(3); x.requires_grad=True; y=x.view(3); y.mul_(2)

x=torch.ones(3); v=x[:2]; x.requires_grad_(); v.add_(1); x

x=torch.ones(3); v=x[:2].requires_grad_(); x.add_(1); (x,v,x.requires_grad)

x=torch.ones(3); v=x[:2].requires_grad_(); (v*2).sum().backward(); (v.grad, v.is_leaf)

x=T([1.,2.,3.],requires_grad=True); y=x*1; v=y.narrow(0,0,2); u=v.view(2,1)
u.add_(T([[1.],[2.]])); (y*y).sum().backward(); (y,x.grad)

x=T([1+2j,3-1j],requires_grad=True); y=x*1; y.real.mul_(2); (y*y.conj()).real.sum().backward()
(y,x.grad)

x=T([1.,2.,3.,4.],requires_grad=True); y=x*1; torch.view_as_complex(y.view(2,2)).mul_(1j)
(y*T([1.,2.,3.,4.])).sum().backward(); (y,x.grad)

x=T([[1.,2.],[3.,4.]],requires_grad=True); y=x*1; y.diagonal().mul_(5); y.sum().backward()
(y,x.grad)

x=torch.ones(3); v=x.view(3); x.requires_grad_(); (v.is_leaf, v.grad_fn is None)

x=torch.ones(3,requires_grad=True); y=x*2; v=y[0]; y.mul_(2)
with torch.no_grad():
    v+1
v.backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x*2; v=y[:1]; w=v[0]; y.mul_(2)
with torch.no_grad():
    w+1
w.backward(); x.grad

y=torch.zeros(3); v=y[0]; a=torch.ones(3,requires_grad=True); y.add_(a)
v.requires_grad, v.grad_fn is None

y=torch.zeros(3); v=y[0]; a=torch.ones(3,requires_grad=True); y.add_(a); v.backward(); a.grad

y=torch.zeros(3); v=y[:2]; w=v[0]; a=torch.ones(3,requires_grad=True); y.add_(a)
(w*w).backward(); (a.grad, v.requires_grad)

y=torch.zeros(3); a=torch.ones(2,requires_grad=True); v=y[:2]; w=y[1:]; v.add_(a)
(w*w).sum().backward(); (a.grad,w,w.requires_grad)

y=torch.zeros(3); a=torch.ones(2,requires_grad=True); d=y.detach(); d[:2].add_(a)

y=torch.zeros(3); a=torch.ones(2,requires_grad=True); d=y.detach(); d[:2].add_(a)
(d.requires_grad, y.requires_grad, y)

y=torch.zeros(3); a=torch.ones(3,requires_grad=True); d=y.data; d.add_(a)
(d.requires_grad, y.requires_grad, y)

x=torch.ones(3,requires_grad=True); c=torch.ones(3); z=x*c; c[0]=1.; z.sum().backward()

x=torch.ones(3,requires_grad=True); c=torch.ones(4); z=x*c[:3]; c[3]=1.; z.sum().backward()

x=torch.ones(3,requires_grad=True); y=x.mul(2); y.resize_ if False else 0; y.data.mul_(2)
y.sum().backward(); (x.grad, y)

x=torch.ones(2,2,requires_grad=True); y=x*1; y[0,0]=y[1,1]; y[:,0]=y[:,1]*2; y[y>1]*=3
y.sum().backward(); (y,x.grad)

x=torch.ones(2,2,requires_grad=True); y=x*1
for i in range(2):
    for j in range(2):
        y[i,j]=y[i,j]*(i+j)
y.sum().backward(); x.grad

x=torch.ones(2,3,requires_grad=True); y=torch.empty(3,2); y.t().copy_(x)
(y*T([1.,2.])).sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x.expand(2,3).contiguous(); y[0]*=2; y.sum().backward()
x.grad

x=torch.ones(3,requires_grad=True); y=x*1; a=y[0]; b=y[1]; a+=b; b*=a; y.sum().backward()
(y,x.grad)

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; b=a[1:]; c=b.view(1,1); c*=5; a+=1
(y*y).sum().backward(); (a,b,c,y,x.grad)

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; b=y[1:]; a*=2; b*=3
(a.sum()+b.sum()).backward(); (a,b,x.grad)

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; z=(a*a).sum(); a*=2; z.backward()

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; z=(a+a).sum(); a*=2; z.backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; z=(y*y).sum(); a*=2; z.backward()

x=torch.ones(3,requires_grad=True); y=x*1; a=y[:2]; z=a.exp(); a*=2; z.sum().backward(); x.grad

x=torch.ones(3,requires_grad=True); y=x.exp(); a=y[:2]; a*=2; y.sum().backward()
"""

CUTS = {
    "row": "[1]", "column": "[..., 0]", "steps": "[::2]", "end": "[1:]", "new dim": "[None]",
    "swapped": ".transpose(0, -1)", "flat": ".reshape(-1)", "narrowed": ".narrow(-1, 0, 2)",
    "unsqueezed": ".unsqueeze(-1)", "diagonal": ".diagonal()", "moved": ".movedim(0, -1)",
}  # fmt: skip
CHANGES = {
    "product": "%s.mul_(3)", "sum": "%s.add_(a)", "copy": "%s.copy_(a)", "number": "%s.fill_(5)",
    "function": "%s.sigmoid_()", "power": "%s.pow_(2)", "element": "%s[0] = a * 2",
}  # fmt: skip


def test_tensors(both, snippet):
    both(snippet)


def test_parts(both, snippet):
    both(snippet)


@pytest.mark.parametrize("change", [CHANGES[name] for name in ("product", "copy", "element")])
@pytest.mark.parametrize("outer", CUTS.values(), ids=CUTS)
def test_views_of_views(both, outer, change):
    """A tensor b, a view v and a view w of v: each is changed, then all are used."""
    worked = []
    for inner in CUTS.values():
        for target in "bvw":
            source = (
                "x = torch.arange(9.).reshape(3, 3).requires_grad_()\n"
                "a = T(2., requires_grad=True)\n"
                f"b = x * 1; v = b{outer}; w = v{inner}\n"
                f"{change % target}\n"
                "weigh = lambda y: (y * torch.arange(y.numel()).reshape(y.shape)).sum()\n"
                "(weigh(b) + weigh(v) + weigh(w)).backward()\n"
                "(b, v, w, x.grad, a.grad)"
            )
            worked.append(both(source))
    assert sum(worked) > len(worked) / 2


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_what_was_kept(both, cut, change):
    """A gradient that needs a value which has since changed is refused, others are as ever."""
    worked = []
    for kept in ("b * b", "v * v", "b.exp()", "v.exp()", "b + v.sum()", "b.sum() * 2"):
        for target in "bv":
            source = (
                "x = torch.arange(9.).reshape(3, 3).div(9).requires_grad_()\n"
                "a = T(2., requires_grad=True)\n"
                f"b = x * 1; v = b{cut}; z = {kept}\n"
                f"{change % target}\n"
                "z.sum().backward()\n"
                "(b, v, z, x.grad, a.grad)"
            )
            worked.append(both(source))
    assert any(worked) and not all(worked)


@pytest.mark.parametrize(
    ("change", "gradient"),
    [
        ("a, b = y.unbind(0)\na.mul_(2)", [[2, 2], [1, 1]]),
        ("a, b = y.chunk(2)\na.mul_(2)", [[2, 2], [1, 1]]),
        ("a = y.split(1)[1]\na.mul_(3)", [[1, 1], [3, 3]]),
        ("y[0] += y[:, 0]", [[2, 1], [2, 1]]),
    ],
)
def test_what_pytorch_refuses_though_it_is_well_defined(change, gradient):
    """Views of which several came at once, and values that overlap what they are written to."""
    x = tallow.ones(2, 2, requires_grad=True)
    y = x * 1
    exec(change, {"y": y})
    y.sum().backward()
    assert x.grad.tolist() == gradient


@pytest.mark.parametrize(
    ("use", "change", "gradient"),
    [
        ("x[i]", "i.add_(1)", [1, 1, 0]),
        ("x.gather(0, i)", "i.add_(1)", [1, 1, 0]),
        ("x.index_select(0, i)", "i.add_(1)", [1, 1, 0]),
        ("x[m]", "m.fill_(True)", [1, 0, 1]),
        ("tallow.zeros(3).scatter_add(0, i, x)", "i.add_(1)", [1, 1, 0]),
        ("tallow.zeros(3).index_put((i,), x[:2])", "i.add_(1)", [1, 1, 0]),
    ],
)
def test_indices_changed_later(use, change, gradient):
    """The gradient is that of the index as it was. (PyTorch refuses.)"""
    x = tallow.ones(3, requires_grad=True)
    names = {"x": x, "i": tallow.tensor([0, 1]), "m": tallow.tensor([True, False, True])}
    y = eval(use, {"tallow": tallow}, names)
    eval(change, {"tallow": tallow}, names)
    y.sum().backward()
    assert x.grad.tolist() == gradient


def test_indices_that_come_with_values():
    x = tallow.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = x.sort()
    indices.zero_()
    (values * tallow.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [3, 1, 2]


def test_masks_changed_later():
    x = tallow.ones(3, requires_grad=True)
    mask = tallow.tensor([True, False, True])
    y = x.masked_fill(mask, 0)
    mask.fill_(True)
    with pytest.raises(GradientError, match="the operand `condition` that where kept"):
        y.sum().backward()


def test_versions():
    x = tallow.ones(3)
    v = x[:2]
    assert (x._version, v._version) == (0, 0)
    v.add_(1)
    x[0] = 3
    x.detach().mul_(2)
    assert (x._version, v._version, x.detach()._version) == (3, 3, 3)
    x.data.mul_(2)
    assert x._version == 3


def test_message_of_a_changed_operand():
    x = tallow.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(
        GradientError,
        match=r"the operand `x` that mul kept for its gradient, float32 \(3,\), was modified by an "
        r"in-place operation after mul \(it is at version 1\); use the out-of-place form",
    ):
        z.sum().backward()


def test_message_of_a_changed_result():
    x = tallow.ones(3, requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(GradientError, match=r"the output that exp kept .* operation \(add_\)"):
        y.sum().backward()


@pytest.mark.parametrize("part", ["x", "x[0]", "x.t()[1]"])
def test_message_of_a_leaf(part):
    x = tallow.ones(2, 2, requires_grad=True)
    with pytest.raises(
        GradientError, match="add_: expected a tensor that may change in place, got"
    ):
        eval(part, {"x": x}).add_(1)


def test_message_of_a_view_without_history():
    x = tallow.ones(2, requires_grad=True) * 1
    with tallow.no_grad():
        v = x[0]
    with pytest.raises(GradientError, match="expected a view made with gradients enabled, got one"):
        v.mul_(2)


def test_message_of_expanded_memory():
    x = tallow.ones(1).expand(3)
    with pytest.raises(ShapeError, match="add_: expected memory that may be written to"):
        x.add_(1)


def test_message_of_a_view_detached():
    x = tallow.ones(2, requires_grad=True) * 1
    with pytest.raises(GradientError, match=r"detach_: expected a tensor that is no view"):
        x[0].detach_()


def test_history_outlives_a_look_without_gradients():
    x = tallow.ones(3, requires_grad=True)
    y = x * 2
    v = y[0]
    y.mul_(2)
    with tallow.no_grad():
        assert (v + 1).item() == 5
    v.backward()
    assert x.grad.tolist() == [4, 0, 0]


@pytest.mark.parametrize("norm", [lambda: nn.BatchNorm2d(3), lambda: nn.GroupNorm(1, 3)])
def test_what_a_norm_gives_may_change_in_place(norm):
    x = tallow.arange(54.0).sin().reshape(2, 3, 3, 3)
    gradients = []
    for relu in (nn.ReLU(), nn.ReLU(inplace=True)):
        leaf = x.clone().requires_grad_()
        (relu(norm()(leaf)) ** 2 * x.cos()).sum().backward()
        gradients.append(leaf.grad)
    assert tallow.equal(*gradients)


KEPT = {
    "a view": lambda x: x[0],
    "NumPy's array": lambda x: x.numpy(),
    "a detached tensor": lambda x: x.detach(),
    "a memoryview": lambda x: tallow.from_numpy(np.asarray(memoryview(x.numpy()))),
    "DLPack": lambda x: tallow.from_dlpack(x),
}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_memory_that_is_shared_changes_in_place(keep):
    x = tallow.tensor([[-1.0, 2.0], [3.0, -4.0]])
    kept, place = keep(x), x.data_ptr()
    nn.functional.relu(x, inplace=True)
    assert x.data_ptr() == place
    assert np.all(np.asarray(kept) >= 0)
    x.fill_(5)
    assert np.all(np.asarray(kept) == 5)


@pytest.mark.parametrize("record", [False, True])
def test_memory_of_its_own_takes_the_result(record):
    leaf = tallow.arange(-5.0, 5.0, requires_grad=record)
    x = leaf * 1
    same = x
    assert nn.functional.hardswish(x, inplace=True) is same
    expected = nn.functional.hardswish(leaf)
    assert tallow.equal(same, expected)
    if record:
        (x * x).sum().backward()
        gradient, leaf.grad = leaf.grad, None
        (expected * expected).sum().backward()
        assert tallow.equal(gradient, leaf.grad)


@pytest.mark.parametrize("view", ["x.t()", "x[1:]", "x.expand(2, 3, 3)"])
def test_an_activation_of_a_view_changes_its_parent_or_says_why_not(view):
    x = tallow.arange(-4.0, 5.0).reshape(3, 3).clone()
    part = eval(view)
    if "expand" in view:
        with pytest.raises(ShapeError, match="expected memory that may be written to"):
            nn.functional.relu(part, inplace=True)
    else:
        nn.functional.relu(part, inplace=True)
        assert part.min() == 0
        assert (x < 0).sum() == (0 if view == "x.t()" else 3)
