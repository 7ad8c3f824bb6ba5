"""Inner outputs of networks.

A node is the output of a module, named by the module's path: "layer1", "layer4.1.conv2". Of a
module that is called several times the first output is "relu", the next "relu_1", and so on. What a
network computes between its modules has no name: wrap it in a module to see it.
"""

from difflib import get_close_matches

import tallow
from tallow import nn
from tallow.errors import ArgumentError


def get_graph_node_names(
    model, tracer_kwargs=None, suppress_diff_warning=False, concrete_args=None
):
    """The names of nodes, as in training and as in evaluation.

    These are the modules without children, in the order in which they are registered. With
    `concrete_args`, {argument: value}, the network is run on these, unrecorded and in the mode that
    it is in, and the names are those of the calls, in their order. The other arguments are there
    for torchvision's sake.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
    >>> get_graph_node_names(model)[1]
    ['0', '1.0']
    """
    leaves = [name for name, module in model.named_modules() if not list(module.children())]
    if concrete_args is not None:
        calls = _Calls(model, leaves, None)
        with tallow.no_grad():
            calls.run((), concrete_args)
        leaves = list(calls.outputs)
    return leaves, list(leaves)


def create_feature_extractor(
    model, return_nodes=None, train_return_nodes=None, eval_return_nodes=None, tracer_kwargs=None,
    suppress_diff_warning=False, concrete_args=None,
):  # fmt: skip
    """A module that gives {name: output} of nodes of a network, and computes no further than them.

    `return_nodes` is a list of nodes, or {node: name}; or there are `train_return_nodes` and
    `eval_return_nodes`. It shares the network's parameters, and has them under the same keys. The
    arguments after these are there for torchvision's sake. ValueError for nodes that are not there.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    >>> features = create_feature_extractor(model, {"1": "hidden"})
    >>> {name: out.shape for name, out in features(tallow.ones(5, 2)).items()}
    {'hidden': tallow.Size([5, 3])}
    """
    if return_nodes is None and (train_return_nodes is None or eval_return_nodes is None):
        raise ArgumentError(
            "create_feature_extractor: expected return_nodes, or both train_return_nodes and "
            "eval_return_nodes, got neither"
        )
    train = return_nodes if train_return_nodes is None else train_return_nodes
    evaluation = return_nodes if eval_return_nodes is None else eval_return_nodes
    return FeatureExtractor(model, _named(model, train), _named(model, evaluation))


def _named(model, nodes):
    """{node: name}, its nodes checked."""
    nodes = dict(nodes) if isinstance(nodes, dict) else {node: node for node in nodes}
    known = dict(model.named_modules())
    for node in nodes:
        if not isinstance(node, str) or not node or _path(node, known) not in known:
            close = get_close_matches(str(node), known, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else "see get_graph_node_names"
            raise ArgumentError(
                f"create_feature_extractor: expected paths of modules, got {node!r}; {hint}"
            )
    return nodes


def _path(node, known):
    """The path of a node's module: without the number of the call."""
    path, _, number = node.rpartition("_")
    return path if node not in known and number.isdigit() else node


class FeatureExtractor(nn.Module):
    """Runs a network up to the last of the nodes that are wanted."""

    def __init__(self, model, train_return_nodes, eval_return_nodes):
        super().__init__()
        self._whole = [model]  # a list: its parameters are registered under their own keys
        self.train_return_nodes = train_return_nodes
        self.eval_return_nodes = eval_return_nodes
        for name, parameter in model.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in model.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        for name, module in model.named_children():
            self.add_module(name, module)
        self.training = model.training

    def train(self, mode=True):
        self._whole[0].train(mode)
        return super().train(mode)

    def forward(self, *args, **kwargs):
        wanted = self.train_return_nodes if self.training else self.eval_return_nodes
        known = dict(self.named_modules())
        calls = _Calls(self._whole[0], {_path(node, known) for node in wanted}, set(wanted))
        calls.run(args, kwargs)
        missing = [node for node in wanted if node not in calls.outputs]
        if missing:
            raise RuntimeError(f"FeatureExtractor: expected {missing[0]} to be called, it was not")
        return {name: calls.outputs[node] for node, name in wanted.items()}


class _Enough(BaseException):
    """Ends a run: no network handles it, as an error."""


class _Calls:
    """The outputs of modules during a run, which ends when all that are `wanted` are there."""

    def __init__(self, model, paths, wanted):
        self.model, self.paths, self.wanted = model, paths, wanted
        self.outputs = {}
        self.counts = dict.fromkeys(paths, 0)

    def run(self, args, kwargs):
        handles = [
            self.model.get_submodule(path).register_forward_hook(self._recorder(path))
            for path in self.paths
        ]
        try:
            self.model(*args, **kwargs)
        except _Enough:
            pass
        finally:
            for handle in handles:
                handle.remove()

    def _recorder(self, path):
        def record(module, args, output):
            count = self.counts[path]
            self.counts[path] += 1
            node = f"{path}_{count}" if count else path
            if self.wanted is None or node in self.wanted:
                self.outputs[node] = output
            if self.wanted is not None and len(self.outputs) == len(self.wanted):
                raise _Enough

        return record
