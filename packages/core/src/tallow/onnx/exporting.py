"""`export`: a model as a file of ONNX."""

from pathlib import Path

import numpy as np

from tallow.autograd.modes import no_grad
from tallow.creation import arange
from tallow.errors import ArgumentError, NotSupportedError, TypeMismatchError
from tallow.nn.module import Module
from tallow.onnx import layers, shapes  # noqa: F401 - they register their writers
from tallow.onnx.graph import Graph
from tallow.onnx.operators import write
from tallow.onnx.trace import Dim, Merger, trace
from tallow.tensor import Tensor, wrap

OLDEST = 18  # the opset in which reductions take their axes as an input


def export(
    model, args, path, *, input_names=None, output_names=None, dynamic_axes=None, opset=None,
    opset_version=18, export_params=True, do_constant_folding=True, verbose=False,
):  # fmt: skip
    """Write a model to `path` (or a binary file) as ONNX; returns onnx's ModelProto.

    The model is run on `args`, a tensor or a tuple of tensors, in evaluation mode, and the
    operations are written down: loops and conditions are as these inputs took them. `dynamic_axes`
    says which dims may differ in size, {input name: [dims]} or {input name: {dim: name}}; the model
    is run once more for each, and once with other contents, and what then differs for another
    reason is an error. What depends on no input is computed here. `opset` or `opset_version` is the
    version of the operators; the last three are PyTorch's, and change nothing.

    Needs `tallow[onnx]`. Raises NotSupportedError for what ONNX, or this, cannot write.
    """
    args = tuple(args) if isinstance(args, tuple | list) else (args,)
    if not args or not all(isinstance(x, Tensor) for x in args):
        raise TypeMismatchError("onnx.export: expected a tensor or a tuple of tensors as args")
    version = opset_version if opset is None else opset
    if version < OLDEST:
        raise ArgumentError(f"onnx.export: expected an opset of {OLDEST} or later, got {version}")
    names = _names("input", input_names, len(args))
    axes = _dynamic(dynamic_axes or {}, names)
    made = _build(model, args, names, output_names, axes, version)
    if hasattr(path, "write"):
        path.write(made.SerializeToString())
    else:
        Path(path).write_bytes(made.SerializeToString())
    return made


def _names(kind, given, count):
    if given is None:
        return [kind] if count == 1 else [f"{kind}_{n}" for n in range(count)]
    if len(given) != count or len(set(given)) != count:
        raise ArgumentError(f"onnx.export: expected {count} {kind}_names, got {list(given)}")
    return list(given)


def _dynamic(dynamic_axes, names):
    """For each name of a dynamic axis the (input, dim) pairs whose size it is."""
    axes = {}
    for name, dims in dynamic_axes.items():
        if name not in names:  # an output: its dims follow
            continue
        labels = dims if isinstance(dims, dict) else {n: f"{name}_{n}" for n in dims}
        for dim, label in labels.items():
            axes.setdefault(label, []).append((names.index(name), dim))
    return axes


def _build(model, args, names, output_names, axes, version):
    traces, sizes = _traces(model, args, axes)
    merged = Merger(traces, sizes).merged()
    parameters = {}
    if isinstance(model, Module):
        parameters = {id(x.array): n for n, x in model.state_dict(keep_vars=True).items()}
    sources = {label: (names[pairs[0][0]], pairs[0][1]) for label, pairs in axes.items()}
    graph = Graph(merged, names, parameters, sources, version)
    for step in merged.steps:
        write(graph, step)
    outputs = _names("output", output_names, len(merged.results))
    for name, result in zip(outputs, merged.results, strict=True):
        node = graph.onnx.helper.make_node("Identity", [graph.name(result)], [name], name=name)
        graph.nodes.append(node)
    made = _model(graph, names, outputs)
    graph.onnx.checker.check_model(made, full_check=True)
    return made


def _traces(model, args, axes):
    """The traces of several runs, and the sizes of the dynamic axes in each (see `Merger`)."""
    modules = list(model.modules()) if isinstance(model, Module) else []
    modes = [(module, module.training) for module in modules]
    fixed = [x.array for x in model.state_dict().values()] if modules else []
    first = {label: args[at].array.shape[dim] for label, ((at, dim), *_) in axes.items()}
    sizes = [first, first]
    if axes:
        sizes += [first | {label: first[label] + 1} for label in axes]
        sizes.append({label: n + 2 + i for i, (label, n) in enumerate(first.items())})
    try:
        for module in modules:
            module.training = False
        with no_grad():
            traces = [trace(lambda *x: _flat(model(*x)), [wrap(x.array) for x in args], fixed)]
            for wanted in sizes[1:]:
                inputs = [_other(x, _sizes(axes, wanted, n)) for n, x in enumerate(args)]
                traces.append(trace(lambda *x: _flat(model(*x)), inputs, fixed))
    finally:
        for module, mode in modes:
            module.training = mode
    return traces, sizes


def _sizes(axes, wanted, n):
    """The dynamic dims of input n, and the sizes that they are to have."""
    return {dim: wanted[label] for label, pairs in axes.items() for at, dim in pairs if at == n}


def _other(x, sizes):
    """Other contents: floats smaller and all in another order, some again for another size."""
    for dim, size in sizes.items():
        x = x.index_select(dim, arange(size, device=x.device) % x.shape[dim])
    x = x.flip(tuple(range(x.ndim)))
    return wrap((x * 0.75 if x.dtype.is_floating_point else x).array)


def _flat(results):
    """The tensors that a model returns."""
    if isinstance(results, Tensor):
        return [results]
    if isinstance(results, dict):
        results = list(results.values())
    if isinstance(results, tuple | list):
        return [x for part in results for x in _flat(part)]
    raise NotSupportedError(
        f"onnx.export: expected a model that returns tensors, got {type(results).__name__}"
    )


def _model(graph, names, outputs):
    """The graph in ONNX's own form."""
    onnx, trace = graph.onnx, graph.trace
    helper = onnx.helper

    def described(name, x):
        kind = graph.element_type(graph.dtype_of(x))
        shape = [_label(n) for n in graph.shape_of(x)]
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [described(n, x) for n, x in zip(names, trace.inputs, strict=True)]
    results = [described(n, x) for n, x in zip(outputs, trace.results, strict=True)]
    constants = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
        for name, array in graph.initializers.items()
    ]
    body = helper.make_graph(graph.nodes, "tallow", inputs, results, constants)
    opset = helper.make_opsetid("", graph.opset)
    return helper.make_model_gen_version(body, producer_name="tallow", opset_imports=[opset])


def _label(n):
    """A dim as ONNX describes it: its size, the name of the axis that it is, or None."""
    if not isinstance(n, Dim):
        return n
    return n.slopes[0][0] if n.base == 0 and [s for _, s in n.slopes] == [1] else None
