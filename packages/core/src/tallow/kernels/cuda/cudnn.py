"""Convolution by cuDNN, where nvidia-cudnn-frontend and cuDNN are installed: `tallow[cudnn]`.

A graph of one operation is built for each kind of call, and kept. What users set is in
`tallow.backends.cudnn`.
"""

from functools import cache
from importlib import import_module
from threading import get_ident

from tallow import backend
from tallow.kernels.cuda.launch import STREAMS, address, empty

TYPES = {"float16": "HALF", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}


@cache
def library():
    """The package `cudnn`, or None where it or the library is not there."""
    try:
        package = import_module("cudnn")
        package.backend_version()
    except Exception:  # it raises what its loader raises
        return None
    return package


@cache
def _handle(device, thread):
    """A handle, which has a stream: each thread its own, that none changes another's."""
    return library().create_handle()


class Plan:
    """A graph of one convolution or gradient of it, ready to run: `operands` and `out` in it."""

    def __init__(self, name, dtype, layouts, how, exact, handle):
        cudnn = library()
        kind = getattr(cudnn.data_type, TYPES[dtype])
        wide = cudnn.data_type.DOUBLE if dtype == "float64" else cudnn.data_type.FLOAT
        graph = cudnn.pygraph(
            handle=handle, io_data_type=kind, intermediate_data_type=wide, compute_data_type=wide
        )
        *given, (shape, stride) = layouts
        self.operands = [
            graph.tensor(name=f"operand{i}", dim=list(dim), stride=list(step), data_type=kind)
            for i, (dim, step) in enumerate(given)
        ]
        steps, padding, dilation = map(list, how)
        self.out = getattr(graph, name)(
            *self.operands, pre_padding=padding, post_padding=padding, stride=steps,
            dilation=dilation, compute_data_type=wide,
        )  # fmt: skip
        self.out.set_output(True).set_data_type(kind).set_dim(list(shape)).set_stride(list(stride))
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        if exact:
            graph.deselect_numeric_notes([cudnn.numerical_note.TENSOR_CORE])
        graph.check_support()
        graph.build_plans()
        self.graph, self.workspace = graph, graph.get_workspace_size()


@cache
def _plan(name, dtype, layouts, how, exact, device):
    """A plan; None for what cuDNN does not do."""
    try:
        return Plan(name, dtype, layouts, how, exact, _handle(device, get_ident()))
    except library().cudnnGraphNotSupportedError:
        return None


def _layout(shape, strides, itemsize):
    """Shape and strides in elements, with a second spatial axis if there is but one."""
    steps = tuple(step // itemsize for step in strides)
    if len(shape) == 3:
        return (*shape, 1), (*steps, 1)
    return tuple(shape), steps


def run(name, shape, x, y, stride, padding, dilation):
    """conv_fprop(x, weight), conv_dgrad(g, weight) or conv_wgrad(x, g), of a shape; or None."""
    settings = import_module("tallow.backends.cudnn")
    if not settings.enabled or library() is None:
        return None
    out, item = empty(shape, x), x.itemsize
    how = (stride, padding, dilation)
    if len(shape) == 3:
        how = ((*stride, 1), (*padding, 0), (*dilation, 1))
    layouts = tuple(_layout(array.shape, array.strides, item) for array in (x, y, out))
    exact = x.dtype.name == "float32" and not settings.allow_tf32
    device, stream = STREAMS[backend.for_array(x).name]()
    plan = _plan(name, x.dtype.name, layouts, how, exact, device)
    if plan is None:
        return None
    handle = _handle(device, get_ident())
    library().set_stream(handle=handle, stream=stream)
    pack = dict(zip((*plan.operands, plan.out), map(address, (x, y, out)), strict=True))
    workspace = empty((max(plan.workspace, 1),), x, "uint8")
    plan.graph.execute(pack, address(workspace), handle=handle)
    return out
