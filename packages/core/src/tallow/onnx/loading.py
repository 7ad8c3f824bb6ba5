"""`load`: a model that runs a file of ONNX."""

import numpy as np

import tallow.dtypes as dtypes
from tallow.creation import from_numpy, tensor
from tallow.errors import CheckpointError, NotSupportedError
from tallow.nn.module import Module
from tallow.nn.parameter import Parameter
from tallow.onnx.graph import package
from tallow.onnx.running import RUNNERS


def load(path):
    """The model in a file (or binary file) of ONNX, as a module that computes with tallow.

    It takes the graph's inputs in their order, and returns its output, or a tuple of several.
    Needs `tallow[onnx]`. Raises CheckpointError for a file that is no ONNX model, and
    NotSupportedError that lists the operators it does not know.
    """
    onnx = package()
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, OSError, EOFError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise CheckpointError(f"{path}: expected a model of ONNX, got {error}") from error
    except Exception as error:  # protobuf has an error of its own, which is not always importable
        if type(error).__name__ != "DecodeError":
            raise
        raise CheckpointError(f"{path}: expected a model of ONNX, got none") from error
    return OnnxModule(onnx, model.graph)


class OnnxModule(Module):
    """Runs a graph. Its floating constants are parameters, others buffers; a dot becomes _."""

    def __init__(self, onnx, graph):
        super().__init__()
        unknown = sorted({node.op_type for node in graph.node} - set(RUNNERS))
        if unknown:
            raise NotSupportedError(f"onnx.load: expected known operators, got {unknown}")
        self.constants = {}  # the name of a constant -> that of the attribute
        for constant in graph.initializer:
            self._keep(constant.name, onnx.numpy_helper.to_array(constant))
        self.inputs = [x.name for x in graph.input if x.name not in self.constants]
        self.outputs = [x.name for x in graph.output]
        self.nodes = []
        for node in graph.node:
            attributes = {a.name: _plain(onnx, a) for a in node.attribute}
            self.nodes.append((node.op_type, list(node.input), list(node.output), attributes))

    def _keep(self, name, array):
        attribute = "constant_" + name.replace(".", "_").replace("/", "_").replace(":", "_")
        self.constants[name] = attribute
        value = from_numpy(np.array(array))
        if value.dtype.is_floating_point:
            self.register_parameter(attribute, Parameter(value))
        else:
            self.register_buffer(attribute, value)

    def forward(self, *inputs):
        """The graph's output(s) for its inputs."""
        values = {"": None}
        values |= {name: getattr(self, place) for name, place in self.constants.items()}
        values |= zip(self.inputs, inputs, strict=True)
        for kind, names, results, attributes in self.nodes:
            try:
                out = RUNNERS[kind](*[values[name] for name in names], **attributes)
            except Exception as error:
                error.add_note(f"in the node {kind} that gives {results[0]!r}")
                raise
            out = out if isinstance(out, tuple | list) else (out,)
            values.update(zip(results, out, strict=False))
        results = tuple(values[name] for name in self.outputs)
        return results[0] if len(results) == 1 else results


def _plain(onnx, attribute):
    """The value of an attribute: numbers, strings, lists of them, a tensor, or a dtype."""
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return tensor(onnx.numpy_helper.to_array(value))
    if attribute.name in ("to", "dtype"):
        return dtypes.FROM_NUMPY[np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value))]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | tuple):
        return [v.decode() if isinstance(v, bytes) else v for v in value]
    return value
