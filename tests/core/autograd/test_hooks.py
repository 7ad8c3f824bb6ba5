"""Hooks on gradients: who sees what, in which order, and what they may replace."""

import threading

import pytest

import tallow
from tallow.autograd import graph
from tallow.autograd.builtin import unstack
from tallow.errors import GradientError, ShapeError, TypeMismatchError
from tallow.testing.devices import devices

TENSORS = """
x=T([2.],requires_grad=True); log=[]; h=x.register_hook(lambda g: log.append(('a',g.item())))
h2=x.register_hook(lambda g: g*10); h3=x.register_hook(lambda g: log.append(('c',g.item())))
(x*3).backward(); h2.remove(); (x*3).backward(); (log,x.grad)

x=T([2.],requires_grad=True); log=[]; y=x*3
y.register_hook(lambda g: log.append(('y',g.item()))); y.register_hook(lambda g: g*2)
y.register_hook(lambda g: log.append(('y2',g.item()))); z=y*y
z.register_hook(lambda g: log.append(('z',g.item())))
x.register_hook(lambda g: log.append(('x',g.item()))); z.backward(); (log,x.grad)

x=T([2.],requires_grad=True); y=x*3; y.retain_grad(); y.register_hook(lambda g: g*2); z=y*y
z.backward(); (y.grad,x.grad)

x=T([2.],requires_grad=True); y=x*3; y.register_hook(lambda g: g*2); y.retain_grad(); z=y*y
z.backward(); (y.grad,x.grad)

x=T([2.],requires_grad=True); y=x*3; y.retain_grad(); z=y*y; z.backward(retain_graph=True)
z.backward(); (y.grad,x.grad,y.retains_grad,x.retains_grad)

x=T([2.],requires_grad=True); x.retain_grad(); (x*x).backward(); (x.grad,x.retains_grad)

x=T([2.]); x.retain_grad()

x=T([2.]); x.register_hook(lambda g:g)

x=T([2.],requires_grad=True); x.register_hook(lambda g: torch.ones(3)); (x*2).backward()

x=T([2.],requires_grad=True); x.register_hook(lambda g: 3); (x*2).backward()

x=T([2.],requires_grad=True); x.register_hook(lambda g: g.double()); (x*2).backward(); x.grad

x=T([2.],requires_grad=True); log=[]
x.register_post_accumulate_grad_hook(lambda t: log.append(t.grad.item())); (x*2).backward()
(x*3).backward(); log

x=T([2.],requires_grad=True); y=x*2; y.register_post_accumulate_grad_hook(lambda t: None)

x=T([2.],requires_grad=True)
x.register_post_accumulate_grad_hook(lambda t: setattr(t,'grad',None)); (x*2).backward(); x.grad

x=T([2.],requires_grad=True); log=[]; x.register_hook(lambda g: log.append(1)); y=x*2
g,=torch.autograd.grad(y,x); (log,g)

x=T([2.],requires_grad=True); x.register_hook(lambda g: g*10); y=x*2
g,=torch.autograd.grad(y,x); g

x=T([2.],requires_grad=True); log=[]
x.register_post_accumulate_grad_hook(lambda t: log.append(1)); y=x*2
g,=torch.autograd.grad(y,x); (log,g)

x=T([2.],requires_grad=True); x.register_hook(lambda g: g*g); y=x**3
y.backward(create_graph=True); (x.grad, x.grad.requires_grad)

x=T([2.],requires_grad=True); log=[]; x.register_hook(lambda g: log.append(g.requires_grad))
y=x**3; y.backward(create_graph=True); y.backward(); log

x=T([2.],requires_grad=True); y=x*2; h=y.register_hook(lambda g: g*10); h.remove(); y.backward()
x.grad

x=T([2.],requires_grad=True); y=x*2; 
with y.register_hook(lambda g: g*10):
    y.backward(retain_graph=True)
y.backward(); x.grad

x=T([1.,2.],requires_grad=True); y=x*2; y.register_hook(lambda g: g.mul_(3)); y.sum().backward()
x.grad

x=T([1.,2.],requires_grad=True); def_=[]; a=x[0]*3; b=x[1]*4
x.register_hook(lambda g: def_.append(g.tolist())); (a+b).backward(); def_

x=T([1.,2.],requires_grad=True); a,i=x.max(0); log=[]
a.register_hook(lambda g: log.append(g.item())); (a*2).backward(); (log,x.grad)

x=T([1.,2.],requires_grad=True); y=x*1; y.register_hook(lambda g: g*2); y.mul_(3)
y.sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=x*1; y.mul_(3); y.register_hook(lambda g: g*2)
y.sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=x*2; n=y.grad_fn; log=[]
n.register_prehook(lambda go: log.append(go[0].tolist())); y.sum().backward(); log

x=T([1.,2.],requires_grad=True); y=x*2; n=y.grad_fn
n.register_hook(lambda gi,go: (gi[0]*7,)+gi[1:]); y.sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=x*2; n=y.grad_fn; n.register_prehook(lambda go: (go[0]*7,))
y.sum().backward(); x.grad

x=T([1.,2.],requires_grad=True); y=(x*2).exp()
len(y.grad_fn.next_functions)

x=T([1.,2.],requires_grad=True); y=x*x
[(type(f) is not type(None)) for f,_ in y.grad_fn.next_functions]

x=T([1.,2.],requires_grad=True); y=x*2; y.grad_fn.metadata['a']=3; y.grad_fn.metadata
"""


def test_tensors(both, snippet):
    both(snippet)


@pytest.mark.parametrize("name", ["register_hook", "retain_grad"])
def test_messages_without_gradients(name):
    arguments = [print] if name == "register_hook" else []
    with pytest.raises(GradientError, match=f"{name}: expected a tensor that requires gradients"):
        getattr(tallow.ones(1), name)(*arguments)


def test_message_of_a_hook_after_accumulation():
    y = tallow.ones(1, requires_grad=True) * 2
    with pytest.raises(GradientError, match="register_post_accumulate_grad_hook: expected a leaf"):
        y.register_post_accumulate_grad_hook(print)


@pytest.mark.parametrize(
    ("replaced", "kind", "message"),
    [
        (3, TypeMismatchError, "hook: expected a tensor or None, got int"),
        (tallow.ones(3), ShapeError, r"hook: expected float32 \(2,\), got float32 \(3,\)"),
        (tallow.ones(2).double(), ShapeError, r"hook: expected float32 \(2,\), got float64 \(2,\)"),
    ],
)
@pytest.mark.parametrize("leaf", [True, False])
def test_messages_of_what_hooks_return(replaced, kind, message, leaf):
    x = tallow.ones(2, requires_grad=True)
    y = x * 2
    (x if leaf else y).register_hook(lambda g: replaced)
    with pytest.raises(kind, match=message):
        y.sum().backward()


def test_order():
    """By the age of what they watch, newest first; at one place in the order of registration."""
    seen = []

    def note(name):
        return lambda g: seen.append(name)

    x = tallow.ones(1, requires_grad=True)
    y = x * 2
    z = y * y
    for name, tensor in (("x1", x), ("z1", z), ("y1", y), ("y2", y), ("z2", z), ("x2", x)):
        tensor.register_hook(note(name))
    x.register_post_accumulate_grad_hook(note("x grad"))
    z.grad_fn.register_hook(lambda inputs, outputs: seen.append("z rule"))
    z.backward()
    assert seen == ["z1", "z2", "z rule", "y1", "y2", "x1", "x2", "x grad"]


class TestNodes:
    def test_next_functions(self):
        x, w = (tallow.ones(2, requires_grad=True) for _ in range(2))
        y = x * w
        z = y.exp().sum()
        node = z.grad_fn.next_functions[0][0].next_functions[0][0]
        assert node is y.grad_fn and node.name() == "MulBackward0"
        (first, number), (second, _) = node.next_functions
        assert first.variable is x and second.variable is w and number == 0
        assert first.next_functions == () and first.name() == "torch::autograd::AccumulateGrad"
        assert first == y.grad_fn.next_functions[0][0] and first != second
        assert len({first, second, node.next_functions[0][0]}) == 2

    def test_next_functions_of_several_outputs(self):
        x = tallow.ones(2, requires_grad=True)
        first, second = unstack(x, axis=0)
        y = first * second
        (one, i), (other, j) = y.grad_fn.next_functions
        assert one is other and one.name() == "UnbindBackward0" and (i, j) == (0, 1)
        assert first.grad_fn is second.grad_fn is one

    def test_hooks_replace(self):
        x = tallow.ones(2, requires_grad=True)
        y = x * 2
        seen = []
        y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
        y.grad_fn.register_prehook(lambda g: None)
        handle = y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + 1,))
        y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
        y.sum().backward(retain_graph=True)
        assert x.grad.tolist() == [21, 21]
        assert seen[0][0][0].tolist() == [21, 21] and seen[0][1][0].tolist() == [10, 10]
        handle.remove()
        x.grad = None
        y.sum().backward()
        assert x.grad.tolist() == [20, 20]

    def test_hooks_of_several_outputs(self):
        x = tallow.ones(2, requires_grad=True)
        first, second = unstack(x, axis=0)
        seen = []
        node = (first * second).grad_fn.next_functions[0][0]
        node.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
        (first * 5).backward()
        ((given,), outputs) = seen[0]
        assert given.tolist() == [5, 0] and [g.item() for g in outputs] == [5, 0]

    def test_hooks_before_several_outputs(self):
        x = tallow.ones(2, requires_grad=True)
        first, second = unstack(x, axis=0)
        seen = []
        first.grad_fn.register_prehook(seen.append)
        first.grad_fn.register_prehook(lambda g: (g[0] * 2, None))
        (first * 5 + second * 3).backward()
        assert [g.item() for g in seen[0]] == [5, 3] and x.grad.tolist() == [10, 0]

    @pytest.mark.parametrize("kind", ["register_hook", "register_prehook"])
    def test_hooks_of_a_leaf_as_a_node(self, kind):
        x = tallow.ones(1, requires_grad=True)
        leaf = (x * 4).grad_fn.next_functions[0][0]
        seen = []
        getattr(leaf, kind)(lambda *given: seen.append(given))
        (x * 4).backward()
        assert [g.item() for g in seen[0][-1]] == [4]

    def test_hooks_see_operands_without_gradients(self):
        x = tallow.ones(1, requires_grad=True)
        y = tallow.tensor([3.0]) * x
        assert y.grad_fn.next_functions[0] == (None, 0)
        y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0], inputs[1] * 2))
        y.backward()
        assert x.grad.tolist() == [6]

    def test_hooks_of_a_recorded_pass(self):
        x = tallow.ones(2, requires_grad=True)
        y = x**3
        y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2,))
        (g,) = tallow.autograd.grad(y.sum(), x, create_graph=True)
        g.sum().backward()
        assert g.tolist() == [6, 6] and x.grad.tolist() == [12, 12]

    def test_metadata(self):
        y = tallow.ones(2, requires_grad=True) * 2
        y.grad_fn.metadata["name"] = "double"
        assert y.grad_fn.metadata == {"name": "double"}
        assert (y * 2).grad_fn.metadata == {}

    def test_edges(self):
        x = tallow.ones(2, requires_grad=True)
        edge = graph.get_gradient_edge(x)
        assert edge.node.variable is x and edge.output_nr == 0
        y = x * 2
        assert graph.get_gradient_edge(y) == (y.grad_fn, 0)
        assert graph.get_gradient_edge(unstack(y, axis=0)[1]).output_nr == 1
        assert isinstance(y.grad_fn, graph.Node)
        with pytest.raises(GradientError, match="get_gradient_edge: expected a tensor that requ"):
            graph.get_gradient_edge(tallow.ones(1))


class TestSeveral:
    def leaves(self):
        return tuple(tallow.ones(1, requires_grad=True) for _ in range(3))

    def test_all(self):
        x, y, z = self.leaves()
        seen = []
        handle = graph.register_multi_grad_hook((x, y, z), lambda gs: seen.append(gs))
        (x * 2 + y * 3).backward()
        (x * z).backward()
        assert [[g and g.item() for g in gs] for gs in seen] == [[2, 3, None], [1, None, 1]]
        handle.remove()
        (x * 2).backward()
        assert len(seen) == 2

    def test_any(self):
        x, y, _ = self.leaves()
        seen = []
        graph.register_multi_grad_hook((x, y), lambda g: seen.append(g.item()), mode="any")
        (x * 2 + y * 3).backward()
        (x * 5).backward()
        assert len(seen) == 2 and seen[1] == 5

    def test_results_of_operations(self):
        x, y, _ = self.leaves()
        u, v = x * 2, y * 3
        seen = []
        graph.register_multi_grad_hook((u, v, x), lambda gs: seen.append(gs))
        (u * v).backward()
        assert [g.item() for g in seen[0]] == [3, 2, 6]

    def test_only_what_grad_wants(self):
        x, y, _ = self.leaves()
        seen = []
        graph.register_multi_grad_hook((x, y), lambda gs: seen.append(gs))
        tallow.autograd.grad(x * y * 2, y)
        assert seen[0][0] is None and seen[0][1].item() == 2

    def test_mode(self):
        with pytest.raises(ValueError, match="expected mode 'all' or 'any', got 'some'"):
            graph.register_multi_grad_hook((), print, mode="some")


class TestSaved:
    def packing(self, log):
        return graph.saved_tensors_hooks(
            lambda x: log.append("pack") or x.detach() * 2,
            lambda x: log.append("unpack") or x / 2,
        )

    def test_operands_and_results(self):
        log = []
        x = tallow.tensor([1.0, 2.0], requires_grad=True)
        with self.packing(log):
            y = (x * 3 * x).exp().sum()
        z = y * x.sum()
        assert log and set(log) == {"pack"}
        count = len(log)
        z.backward()
        assert log[count:] == ["unpack"] * count
        expected = x.detach().clone().requires_grad_()
        ((expected * 3 * expected).exp().sum() * expected.sum()).backward()
        tallow.testing.assert_close(x.grad, expected.grad)

    def test_second_order(self):
        x = tallow.tensor(0.5, requires_grad=True)
        with self.packing([]):
            y = (x.sin() * x).exp()
            (g,) = tallow.autograd.grad(y, x, create_graph=True)
        (h,) = tallow.autograd.grad(g, x)
        again = tallow.tensor(0.5, requires_grad=True)
        (g,) = tallow.autograd.grad((again.sin() * again).exp(), again, create_graph=True)
        tallow.testing.assert_close(h, tallow.autograd.grad(g, again)[0])

    def test_innermost(self):
        outer, inner = [], []
        x = tallow.ones(1, requires_grad=True)
        with self.packing(outer):
            with self.packing(inner):
                x * x
            assert not outer and inner
            x * x
        assert outer
        x * x
        assert len(outer) == len(inner)

    def test_functions(self):
        class Square(tallow.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x * x
                ctx.save_for_backward(x, y, None)
                return y

            @staticmethod
            def backward(ctx, g):
                x, y, nothing = ctx.saved_tensors
                assert nothing is None
                return g * 2 * y / x

        log = []
        x = tallow.tensor(3.0, requires_grad=True)
        with self.packing(log):
            y = Square.apply(x)
        y.backward()
        assert log == ["pack"] * 2 + ["unpack"] * 2 and x.grad.item() == 6

    def test_changes_in_place_are_noticed(self):
        x = tallow.ones(2, requires_grad=True)
        y = x * 1
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            z = y * y
        y.add_(1)
        with pytest.raises(GradientError, match="modified by an in-place operation"):
            z.sum().backward()

    def test_other_threads_are_left_alone(self):
        log = []
        x = tallow.ones(1, requires_grad=True)
        with self.packing(log):
            thread = threading.Thread(target=lambda: x * x)
            thread.start()
            thread.join()
        assert not log

    def test_save_on_cpu(self):
        x = tallow.tensor([1.0, 2.0], requires_grad=True)
        with graph.save_on_cpu():
            y = (x * x).tanh()
        y.sum().backward()
        again = x.detach().requires_grad_()
        (again * again).tanh().sum().backward()
        tallow.testing.assert_close(x.grad, again.grad)

    @pytest.mark.parametrize("name", devices())
    def test_save_on_cpu_of_another_device(self, name):
        x = tallow.tensor([1.0, 2.0]).to(name).requires_grad_()
        with graph.save_on_cpu():
            y = (x * x).sum()
        kept = [packed.value[1] for packed in y.grad_fn.next_functions[0][0].tensors]
        assert kept and all(x.device.type == "cpu" for x in kept)
        y.backward()
        assert x.grad.device.type == name and x.grad.cpu().tolist() == [2, 4]

    def test_disabled(self):
        with graph.disable_saved_tensors_hooks("not here"):
            with pytest.raises(GradientError, match="not here"), graph.save_on_cpu():
                raise AssertionError
        with graph.save_on_cpu():
            assert (tallow.ones(1, requires_grad=True) * 2).requires_grad

    def test_message(self):
        x = tallow.ones(1, requires_grad=True)
        with graph.saved_tensors_hooks(lambda t: 1, lambda value: value):
            y = x * x
        with pytest.raises(TypeError, match="expected a tensor from the unpack hook, got int"):
            y.backward()


def test_increment_version():
    x = tallow.ones(1, requires_grad=True)
    w = tallow.ones(1)
    y = x * w
    graph.increment_version([w])
    assert w._version == 1
    with pytest.raises(GradientError, match="modified by an in-place operation"):
        y.backward()
