"""Tracing, graphs and what is done with them; graphs print as PyTorch's do."""

import copy
import math
import operator
import pickle
from typing import Annotated

import pytest

import tallow
from tallow import fx, nn
from tallow.errors import ArgumentError
from tallow.fx.experimental.optimization import fuse
from tallow.fx.passes.shape_prop import ShapeProp
from tallow.fx.subgraph_rewriter import Match

# Programs of both libraries


def network(torch):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)
            self.bn = torch.nn.BatchNorm2d(4)
            self.seq = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
            self.w = torch.nn.Parameter(torch.ones(4))
            self.register_buffer("b", torch.ones(4))

        def forward(self, input, y=2, *, k: int = 3):
            F = torch.nn.functional
            x = F.relu(self.bn(self.conv(input)))
            x = x.mean((2, 3))
            n, c = x.shape
            x = self.seq(x) * self.w + self.b
            x = torch.cat([x, torch.ones(4) + x], dim=1)
            x = F.dropout(x[:, 0:2].sum(-1), 0.5, self.training)
            return {"out": torch.sigmoid(x), "y": (y, k, -x, x.size(0), F.softmax(x, dim=0), n, c)}

    return Network()


def operators(torch):
    def f(x, y: torch.Tensor) -> tuple:
        z = x + 1 - (2 - x) * (x @ y) / 3 // x % 5
        z = z**2 & z | ~z ^ (y << 1) >> 1
        return (z == x, x != y, x < y, x >= 0, +z, x[0], x[..., None, 1:], x.T)

    return f


def names(torch):
    def f(input, sum, x1, list=None):
        sum = sum.max() + input.abs()
        return torch.max(sum, dim=0)[0].view(-1, 2).float(), input.relu_(), x1.layer_1, sum.sum()

    return f


def functions(torch):
    F = torch.nn.functional

    def f(x, w):
        x = F.max_pool2d(x, 2) + F.layer_norm(x, (4,), eps=1e-4) + torch.conv2d(x, w)
        x = x.to(torch.float32, memory_format=torch.channels_last).to("cpu") + float("inf")
        return F.cross_entropy(x, w), torch.stack([x, w], 1), torch.zeros(2, dtype=torch.int64) + x

    return f


def stars(torch):
    return lambda x, *rest, **named: rest[0] + x + named["scale"]


def returns_nothing_of_it(torch):
    return lambda x: (torch.relu(x), 3)[1]


def numbered(torch):
    nn = torch.nn
    return nn.Sequential(nn.ReLU(), nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Flatten())


PROGRAMS = [numbered, network, operators, names, functions, stars, returns_nothing_of_it]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_printed_as_pytorchs(program):
    torch = pytest.importorskip("torch")
    theirs, ours = torch.fx.symbolic_trace(program(torch)), fx.symbolic_trace(program(tallow))
    assert str(ours.graph).replace("=tallow.", "=torch.").replace(" tallow.", " torch.") == str(
        theirs.graph
    )
    assert ours.code.replace("tallow.", "torch.") == theirs.code
    columns = [[(n.op, n.name, len(n.users)) for n in gm.graph.nodes] for gm in (theirs, ours)]
    assert columns[0] == columns[1]


def test_what_is_traced_runs():
    model, x = network(tallow).eval(), tallow.randn(2, 3, 5, 5)
    made = fx.symbolic_trace(model)
    assert made(x)["out"].equal(model(x)["out"]) and made(x, 7)["y"][:2] == (7, 3)
    assert not made.training
    assert set(made.state_dict()) == {*model.state_dict(), "_tensor_constant0"}
    assert repr(made).startswith("Network(\n  (conv): Conv2d(3, 4, kernel_size=(3, 3)")
    assert str(made).endswith(made.code) and made.graph.owning_module is made
    made.graph.lint()


def test_stars_are_given():
    made = fx.symbolic_trace(stars(tallow))
    assert made(1, 2, scale=4) == 7


def test_a_step_of_its_own():
    class Whole(fx.Tracer):
        def is_leaf_module(self, m, module_qualified_name):
            return super().is_leaf_module(m, module_qualified_name) or isinstance(m, nn.Sequential)

    model = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU()))
    tracer = Whole()
    tracer.root = model
    graph = fx.Tracer().trace(model)
    assert [n.target for n in graph.find_nodes(op="call_module")] == ["0.0", "0.1"]
    with pytest.raises(NameError, match="expected a submodule of the root, got ReLU"):
        tracer.path_of_module(nn.ReLU())
    assert tracer.is_leaf_module(model[0], "0")


def test_parameters_under_other_names():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)
            self.kept = [tallow.ones(2)]

        def forward(self, x):
            return nn.functional.linear(x, self.inner.weight) + self.kept[0] + tallow.ones(1)

    made = fx.symbolic_trace(Shared())
    paths = [n.target for n in made.graph.find_nodes(op="get_attr")]
    assert paths == ["inner.weight", "_tensor_constant0", "_tensor_constant1"]
    assert made(tallow.ones(1, 2)).shape == (1, 2)


@pytest.mark.parametrize(
    "program, kind, message",
    [
        (lambda x: x if x.sum() > 0 else -x, fx.TraceError, "does not depend on values"),
        (lambda x: [part for part in x], fx.TraceError, "no loops over tensors"),
        (lambda x: f(*x), fx.TraceError, "no loops over tensors"),
        (operator.length_hint, RuntimeError, "expected a length that is known while tracing"),
        (lambda x: int(x), TypeError, "int"),
        (lambda x: x + object(), NotImplementedError, "expected an argument of a simple type"),
    ],
)
def test_what_cannot_be_traced(program, kind, message):
    with pytest.raises(kind, match=message):
        fx.symbolic_trace(lambda x: program(x))
    assert nn.Module.__call__.__qualname__ == "Module.__call__"


def f(*x):
    return x


def test_values_given():
    made = fx.symbolic_trace(lambda x, up: x + 1 if up else x - 1, {"up": True})
    assert made(tallow.ones(1), True) == 2
    with pytest.raises(AssertionError, match="up has been specialized to have value True"):
        made(tallow.ones(1), False)


@fx.wrap
def opaque(x, by):
    return x * by if x.sum() > 0 else x


fx.wrap("len")


def test_wrapped():
    made = fx.symbolic_trace(lambda x: opaque(x, 2) + len(x) + math.floor(2.5) + math.sqrt(x[0]))
    targets = [n.target for n in made.graph.find_nodes(op="call_function")]
    assert opaque in targets and len in targets and math.sqrt in targets
    assert math.floor not in targets and "len" not in globals()
    assert made(tallow.ones(3)).tolist() == [8, 8, 8]
    assert opaque(tallow.ones(1), 3) == 3 and math.sqrt(4) == 2


# Graphs


def traced():
    return fx.symbolic_trace(lambda x, y: tallow.relu(x) * 2 + y)


def test_a_graph_made_by_hand():
    graph = fx.Graph()
    x = graph.placeholder("x", type_expr=tallow.Tensor, default_value=3)
    layer = graph.call_module("inner.layer", (x,))
    w = graph.get_attr("w")
    both = graph.call_function(tallow.add, (layer, w), {"alpha": 2})
    graph.output(graph.call_method("neg", (both,)))
    root = {"inner.layer": nn.Linear(2, 2), "w": tallow.ones(2)}
    made = fx.GraphModule(root, graph)
    x = tallow.ones(1, 2)
    assert made(x).equal(-(root["inner.layer"](x) + 2))
    assert "def forward(self, x : tallow.Tensor = 3):" in made.code
    assert type(made).__name__ == "GraphModule" and isinstance(made, fx.GraphModule)
    assert graph.output_node().args[0].name == "neg"


def test_table(capsys):
    traced().graph.print_tabular()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["opcode", "name", "target", "args", "kwargs"]
    assert lines[2].split() == ["placeholder", "x", "x", "()", "{}"] and len(lines) == 8
    assert set(lines[1]) == {"-", " "}


def test_changes():
    made = traced()
    graph = made.graph
    x, y, relu, mul, add, out = graph.nodes
    assert [n.name for n in reversed(graph.nodes)][0] == "output" and len(graph.nodes) == 6
    assert relu.next is mul and relu.prev is y and mul.all_input_nodes == [relu]
    with graph.inserting_after(relu):
        first = graph.call_function(tallow.sigmoid, (x,))
        graph.call_function(tallow.tanh, (x,))
    assert relu.next is first and first.next.name == "tanh"
    with graph.inserting_before(mul):
        before = graph.call_method("abs", (relu,))
    assert mul.prev is before and before.name == "abs_1"
    mul.update_arg(0, before)
    assert relu.users == {before: None}
    mul.insert_arg(1, 3)
    assert mul.args == (before, 3, 2)
    mul.args = (before, 5)
    add.update_kwarg("alpha", y)
    assert add.kwargs == {"alpha": y} and list(y.users) == [add]
    add.kwargs = {}
    assert relu.replace_all_uses_with(first) == [before] and before.args == (first,)
    add.append(y)
    with pytest.raises(ArgumentError, match="add uses y, which is not before it"):
        graph.lint()
    x.append(y)
    assert graph.eliminate_dead_code() and not graph.eliminate_dead_code()
    assert [n.name for n in graph.nodes] == [
        "x", "y", "sigmoid", "abs_1", "mul", "add", "output",
    ]  # fmt: skip
    made.recompile()
    assert made(tallow.zeros(1), 1) == 3.5
    with graph.inserting_before():
        assert graph.get_attr("w").next is x


def test_erasing():
    graph = traced().graph
    x, y, relu, mul, add, out = graph.nodes
    with pytest.raises(ArgumentError, match="expected a node that nothing uses, got mul, which ad"):
        graph.erase_node(mul)
    with pytest.raises(ArgumentError, match="expected a node of this graph"):
        graph.erase_node(traced().graph.output_node())
    for node in graph.nodes:
        if node.target is tallow.relu:
            node.replace_all_uses_with(x)
            graph.erase_node(node)
    assert len(graph.nodes) == 5 and list(x.users) == [mul]


def test_lint():
    made = traced()
    node = made.graph.output_node()
    with made.graph.inserting_before(node):
        made.graph.call_module("nowhere.at_all")
    with pytest.raises(ArgumentError, match="needs nowhere.at_all, which is not there"):
        made.graph.lint()
    other, made = traced().graph, traced()
    made.graph.output_node().args = (next(iter(other.nodes)),)
    with pytest.raises(ArgumentError, match="which is of another graph"):
        made.graph.lint()
    x, y, *_ = other.nodes
    y.name = "x"
    with pytest.raises(ArgumentError, match="two nodes are called x"):
        other.lint()


@pytest.mark.parametrize("op, target", [("call", "x"), ("call_function", "relu")])
def test_nodes_that_are_none(op, target):
    with pytest.raises(ArgumentError, match="Node: expected"):
        fx.Graph().create_node(op, target)


def noted(x, by):
    return x


def test_what_is_called_for_what_it_does():
    fx.has_side_effect(noted)
    graph = fx.Graph()
    x = graph.placeholder("x")
    graph.call_function(noted, (x, 1))
    graph.output(x)
    assert not graph.eliminate_dead_code() and "noted = " in graph.python_code().src


@pytest.mark.parametrize(
    "again", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies(again):
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    made = fx.symbolic_trace(model)
    made.graph.create_node("call_function", nn.functional.layer_norm, (1, (2,)))
    made.graph.eliminate_dead_code()
    x = tallow.ones(1, 2)
    other = again(made)
    assert other(x).equal(made(x)) and type(other).__name__ == "Sequential"
    assert other.code == made.code and list(other.state_dict()) == list(made.state_dict())


def test_functions_in_files():
    made = pickle.loads(
        pickle.dumps(fx.symbolic_trace(lambda x: nn.functional.layer_norm(x, (2,))))
    )
    assert made(tallow.tensor([1.0, 1.0])).tolist() == [0, 0]


def test_submodules():
    made = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    assert made.add_submodule("more.layer", nn.ReLU()) and made.more.layer is not None
    assert made.delete_submodule("1") and not made.delete_submodule("more.nothing")
    made.delete_all_unused_submodules()
    assert [name for name, _ in made.named_modules()] == ["", "0"]


def test_readable(capsys):
    text = traced().print_readable()
    assert text.startswith("class <lambda>(tallow.nn.Module):\n    def forward(self, x, y):")
    assert capsys.readouterr().out.strip() == text.strip()


# What is done with graphs


def test_interpreter():
    class Doubled(fx.Interpreter):
        def call_function(self, target, args, kwargs):
            return super().call_function(target, args, kwargs) * (1 + (target is tallow.relu))

    made = traced()
    assert fx.Interpreter(made).run(tallow.ones(1), 5) == 7
    assert Doubled(made).run(tallow.ones(1), 5) == 9
    relu = made.graph.find_nodes(op="call_function", target=tallow.relu)[0]
    assert fx.Interpreter(made).run(0, 5, initial_env={relu: 10}) == 25
    with pytest.raises(ArgumentError, match="run: expected an argument y, got none"):
        fx.Interpreter(made).run(tallow.ones(1))
    with pytest.raises(TypeError) as error:
        fx.Interpreter(made).run("a", 5)
    assert "While executing %relu" in error.value.__notes__[-1]


def test_interpreter_of_modules():
    model = network(tallow).eval()
    made, x = fx.symbolic_trace(model), tallow.randn(1, 3, 4, 4)
    assert fx.Interpreter(made).run(x)["out"].equal(model(x)["out"])
    assert fx.Interpreter(fx.symbolic_trace(lambda *a: a[1])).run(1, 2) == 2


def test_transformer():
    class Smooth(fx.Transformer):
        def call_function(self, target, args, kwargs):
            target = tallow.sigmoid if target is tallow.relu else target
            return super().call_function(target, args, kwargs)

    made = Smooth(traced()).transform()
    assert made(tallow.zeros(1), 3) == 4
    model = network(tallow).eval()
    x = tallow.randn(1, 3, 4, 4)
    again = fx.Transformer(fx.symbolic_trace(model)).transform()
    assert again(x)["out"].equal(model(x)["out"])


def test_shapes():
    made = fx.symbolic_trace(network(tallow))
    ShapeProp(made).propagate(tallow.ones(2, 3, 5, 5))
    metas = {n.name: n.meta for n in made.graph.nodes}
    assert metas["conv"]["tensor_meta"].shape == (2, 4, 3, 3)
    assert metas["conv"]["tensor_meta"].dtype is tallow.float32
    assert metas["getitem"]["type"] is int and "tensor_meta" not in metas["getitem"]
    assert metas["output"]["tensor_meta"]["out"].shape == (2,)


def test_patterns():
    made = fx.symbolic_trace(lambda x, w: tallow.relu(x + w) - tallow.relu(w + x) * x.sum(dim=0))
    found = fx.replace_pattern(
        made, lambda a, b: tallow.relu(a + b), lambda a, b: tallow.sigmoid(a * b)
    )
    assert [type(m) for m in found] == [Match, Match] and found[0].anchor.target is tallow.relu
    assert [n.name for n in found[0].nodes_map.values()] == ["relu", "add", "x", "w"]
    made.graph.lint()
    x = tallow.zeros(2)
    assert made(x, x).tolist() == [0.5, 0.5] and not made.graph.find_nodes(
        op="call_function", target=tallow.relu
    )


def test_patterns_that_do_not_fit():
    made = fx.symbolic_trace(lambda x: (y := tallow.relu(x)) + tallow.sigmoid(y) + x.sum(0))
    for pattern in (
        lambda x: tallow.sigmoid(tallow.relu(x)),  # relu is used elsewhere, too
        lambda x: x.sum(1),
        lambda x: x.sum(dim=0),
        lambda x: tallow.relu(x, inplace=True) if False else tallow.tanh(x),
    ):
        assert fx.replace_pattern(made, pattern, lambda x: x) == []


def test_fused_norms():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 4),
        nn.BatchNorm1d(4), nn.BatchNorm1d(4, track_running_stats=False),
    )  # fmt: skip
    for norm in (model[1], model[5]):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    model.eval()
    made, x = fuse(model), tallow.randn(3, 3, 4, 4)
    assert [name for name, _ in made.named_children()] == ["0", "2", "3", "4", "6"]
    assert made(x).allclose(model(x), atol=1e-5) and model[1].training is False


def test_feature_extraction():
    made = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    inner = next(n for n in made.graph.nodes if n.target == "1")
    end = made.graph.output_node()
    end.args = ({"inner": inner, "out": end.args[0]},)
    made.recompile()
    assert {k: tuple(v.shape) for k, v in made(tallow.ones(5, 2)).items()} == {
        "inner": (5, 3), "out": (5, 1),
    }  # fmt: skip


def test_proxies_outside_of_tracing():
    graph = fx.Graph()
    tracer = fx.proxy.GraphAppendingTracer(graph)
    x = fx.Proxy(graph.placeholder("x"), tracer)
    tallow._assert(x.shape[-1] == 2, "expected two columns")
    out = tallow.einsum("ij,ik->jk", (x, tallow.relu(x)))
    graph.output(out.node, Annotated[tallow.Tensor, "square"])
    made = fx.GraphModule({}, graph)
    assert made(tallow.ones(3, 2)).tolist() == [[3, 3], [3, 3]]
    assert graph.find_nodes(op="call_function", target=tallow.einsum)[0].args[0] == "ij,ik->jk"
    with pytest.raises(AssertionError, match="expected two columns"):
        made(tallow.ones(2, 3))
    again = fx.symbolic_trace(made)
    assert "Annotated[" in again.code and repr(x) == "Proxy(x)"


def test_a_call_of_a_proxy():
    made = fx.symbolic_trace(lambda f, x: f(x))
    assert [n.target for n in made.graph.find_nodes(op="call_method")] == ["__call__"]
    assert made(abs, -3) == 3
    with pytest.raises(fx.TraceError, match="no loops over tensors"):
        fx.symbolic_trace(lambda f, x: f(**x))
