"""A graph of ONNX while it is built: nodes, constants, and integers that are computed."""

from importlib import import_module

import numpy as np

from tallow.errors import NotSupportedError
from tallow.onnx.trace import Dim, Filled, Same, Value, to_host


def package():
    """The onnx package; ImportError that names the extra if it is missing."""
    try:
        return import_module("onnx")
    except ImportError as error:
        raise ImportError(
            "tallow.onnx: expected the onnx package, got none; pip install 'tallow[onnx]'"
        ) from error


class Graph:
    """Nodes and initializers. Values are known by their names, constants by what they hold.

    `axes` says of which input, and which of its dims, a dynamic axis is the size; `opset` is the
    version of ONNX's operators.
    """

    def __init__(self, trace, input_names, parameters, axes, opset):
        self.onnx = package()
        self.trace = trace
        self.axes = axes
        self.opset = opset
        self.parameters = parameters  # id of an array -> name
        self.nodes = []
        self.initializers = {}
        self.names = dict(enumerate(input_names))  # number of a value -> name
        self.dims = {}  # a Dim -> the name of what computes it
        self.contents = {}  # what a constant holds -> its name
        self.taken = set(input_names) | set(parameters.values())
        self.counts = {}

    def fresh(self, word):
        """A name that nothing has."""
        while (name := f"{word}_{self.counts.get(word, 0)}") in self.taken:
            self.counts[word] = self.counts.get(word, 0) + 1
        self.taken.add(name)
        return name

    def add(self, kind, *inputs, outputs=1, **attributes):
        """A node; its inputs are names, constants or None. Returns the name of its output(s)."""
        names = [self.name(x) for x in inputs]
        while names and not names[-1]:
            names.pop()
        out = [self.fresh(kind.lower()) for _ in range(outputs)]
        node = self.onnx.helper.make_node(kind, names, out, name=out[0], **attributes)
        self.nodes.append(node)
        return out[0] if outputs == 1 else out

    def name(self, x):
        """The name of what a step's operand stands for; "" for None."""
        if x is None or isinstance(x, str):
            return x or ""
        if isinstance(x, Value):
            return self.names[x.number]
        if isinstance(x, Filled):
            return self.add("Expand", np.asarray(x.number), self.shape(x.shape))
        return self.dim(x) if isinstance(x, Dim) else self.constant(x)

    def constant(self, x):
        """The name of an initializer: a parameter's own, and one for all of the same content."""
        array = to_host(x)
        name = self.parameters.get(id(x))
        if name is None:
            content = (array.dtype, array.shape, array.tobytes())
            name = self.contents.get(content) or self.fresh("constant")
            self.contents[content] = name
        self.initializers[name] = array
        return name

    # Integers

    def integers(self, values):
        """An int64 vector of ints."""
        return self.constant(np.array(list(values), np.int64))

    def shape(self, dims):
        """The name of an int64 vector of ints and Dims."""
        if all(isinstance(n, int) for n in dims):
            return self.integers(dims)
        parts = [self.dim(n) if isinstance(n, Dim) else self.integers([n]) for n in dims]
        return self.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]

    def dim(self, dim):
        """The name of a vector with one element, the value of a Dim."""
        if not dim.slopes:
            raise NotSupportedError(
                "onnx.export: expected sizes that grow evenly with a dynamic axis, got another"
            )
        if dim not in self.dims:
            total = None
            for axis, slope in dim.slopes:
                source, position = self.axes[axis]
                part = self.add("Shape", source, start=position, end=position + 1)
                part = part if slope == 1 else self.add("Mul", part, self.integers([slope]))
                total = part if total is None else self.add("Add", total, part)
            base = dim.base
            self.dims[dim] = self.add("Add", total, self.integers([base])) if base else total
        return self.dims[dim]

    # What is known of operands

    def shape_of(self, x):
        """The dims of an operand: ints, and Dims where they are dynamic."""
        if isinstance(x, Value):
            return self.trace.shapes[x.number]
        return x.shape if isinstance(x, Filled) else np.shape(x)

    def dtype_of(self, x):
        """The NumPy dtype of an operand, None for a number."""
        if isinstance(x, Value):
            return self.trace.dtypes[x.number]
        return getattr(x.number if isinstance(x, Filled) else x, "dtype", None)

    def typed(self, operands):
        """Operands of one dtype: numbers and other constants get that of the first value."""
        dtype = next(self.dtype_of(x) for x in operands if isinstance(x, Value))
        return [x if isinstance(x, Value) else self.as_dtype(x, dtype) for x in operands]

    def as_dtype(self, x, dtype):
        """A constant, or an integer that is computed, in a dtype."""
        if isinstance(x, Dim):
            return self.add("Cast", x, to=self.element_type(dtype))
        if isinstance(x, Filled):
            return Filled(np.asarray(x.number, dtype), x.shape)
        return x if getattr(x, "dtype", None) == dtype else np.asarray(x, dtype)

    def element_type(self, dtype):
        """ONNX's number of a NumPy dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def static(what, *values):
    """The values, if none depends on a dynamic axis; NotSupportedError if one does."""
    flat = [n for v in values for n in (v if isinstance(v, tuple) else (v,))]
    if any(isinstance(n, Dim | Filled | Same | Value) for n in flat):
        raise NotSupportedError(
            f"onnx.export: expected {what} that does not depend on a dynamic axis or an input, got "
            "one that does"
        )
    return values[0] if len(values) == 1 else values
