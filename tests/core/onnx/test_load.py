"""Graphs of ONNX that others write, run by tallow; and files that are none."""

import io

import numpy as np
import pytest

import tallow
from tallow.onnx import load

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx.reference")
make_node = onnx.helper.make_node


def f(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def model_of(kind, inputs, attributes, opset=18):
    """A model of one node, whose inputs after the first are constants."""
    names = ["" if x is None else f"x{n}" for n, x in enumerate(inputs)]
    outputs = [f"y{n}" for n in range(max(1, onnx.defs.get_schema(kind, opset).min_output))]
    node = make_node(kind, names, outputs, **attributes)
    tensors = [onnx.numpy_helper.from_array(x, n) for n, x in zip(names, inputs) if n]  # noqa: B905
    types = onnx.helper.np_dtype_to_tensor_dtype
    first = onnx.helper.make_tensor_value_info("x0", types(inputs[0].dtype), inputs[0].shape)
    results = [onnx.helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = onnx.helper.make_graph([node], "test", [first], results, tensors[1:])
    opsets = [onnx.helper.make_opsetid("", opset)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    for result in model.graph.output:
        if not result.type.tensor_type.elem_type:  # it was not inferred: that of the input
            result.type.CopyFrom(first.type)
    return model


IMAGE = f(2, 4, 6, 6)
NODES = [
    ("Flatten", [IMAGE], {}), ("Flatten", [IMAGE], {"axis": 2}), ("GlobalAveragePool", [IMAGE], {}),
    ("GlobalMaxPool", [IMAGE], {}), ("Clip", [IMAGE, np.float32(-0.5), None], {}),
    ("Gemm", [f(3, 4), f(3, 5), f(5)], {"transA": 1, "alpha": 0.5, "beta": 2.0}),
    ("AveragePool", [IMAGE], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ("MaxPool", [IMAGE], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1], "strides": [2, 2]}),
    ("MaxPool", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("Conv", [IMAGE, f(3, 4, 3, 3)], {"pads": [0, 1, 2, 1], "kernel_shape": [3, 3]}),
    ("InstanceNormalization", [IMAGE, f(4), f(4)], {"epsilon": 1e-3}),
    ("LRN", [f(4, 4, 6, 6)], {"size": 3, "alpha": 0.1}), ("PRelu", [IMAGE, f(4, 1, 1)], {}),
    ("Pad", [IMAGE, ints(0, 0, 1, 2, 0, 0, 3, 1)], {"mode": "reflect"}),
    ("Pad", [IMAGE, ints(1, 2), np.float32(7), ints(1)], {}),
    ("Pad", [IMAGE, ints(0, 0, 1, 0, 0, 0, 0, 2)], {"mode": "edge"}),
    ("Slice", [IMAGE, ints(-1, 0), ints(-100, 5), ints(2, 3), ints(-1, 2)], {}),
    ("Slice", [IMAGE, ints(1), ints(-1)], {}),
    ("Gather", [IMAGE, np.array([[0, -1], [2, 1]])], {"axis": 1}),
    ("GatherND", [IMAGE, np.array([[0, 1], [1, 3]])], {}),
    ("Reshape", [IMAGE, ints(0, -1, 6)], {}), ("Squeeze", [f(1, 3, 1)], {}),
    ("Unsqueeze", [f(2, 3), ints(0, -1)], {}), ("Shape", [IMAGE], {"start": 1, "end": -1}),
    ("Expand", [f(3, 1), ints(2, 1, 4)], {}), ("Tile", [f(2, 3), ints(2, 2)], {}),
    ("ReduceMean", [IMAGE, ints(1, -1)], {"keepdims": 0}), ("ReduceSum", [IMAGE], {}),
    ("ReduceL1", [IMAGE, ints(0)], {}), ("ReduceSumSquare", [IMAGE, ints(3)], {}),
    ("ReduceProd", [IMAGE, ints(1, 3)], {"keepdims": 0}), ("ReduceMax", [IMAGE, ints(2)], {}),
    ("ReduceSum", [IMAGE, None], {"noop_with_empty_axes": 1}),
    ("ArgMax", [IMAGE], {"axis": 2, "keepdims": 0}), ("CumSum", [IMAGE, ints(1).reshape(())], {}),
    ("Softmax", [IMAGE], {"axis": 1}), ("HardSigmoid", [IMAGE], {}), ("Elu", [IMAGE], {}),
    ("Shrink", [IMAGE], {"lambd": 0.3, "bias": 0.1}), ("Selu", [IMAGE], {}),
    ("Div", [np.array([7, -7, 8]), np.array([2, 2, -3])], {}), ("Neg", [IMAGE], {}),
    ("Mod", [np.array([7, -7, 8]), np.array([2, 2, -3])], {}),
    ("IsInf", [np.float32([1, -np.inf])], {}),
    ("Pow", [np.abs(f(3)), np.array([2, 3, 1])], {}), ("Not", [f(3) > 0], {}),
    ("Xor", [f(3) > 0, f(3) < 1], {}), ("Cast", [f(3) * 3], {"to": onnx.TensorProto.INT64}),
    ("ConstantOfShape", [ints(2, 3)], {}), ("Trilu", [f(4, 4), ints(1).reshape(())], {}),
    ("Resize", [IMAGE, None, np.float32([1, 1, 2, 2])],
     {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("Resize", [IMAGE, None, None, ints(2, 4, 9, 5)], {"mode": "linear"}),
    ("Resize", [IMAGE, None, None, ints(2, 4, 9, 5)],
     {"mode": "cubic", "cubic_coeff_a": -0.75, "coordinate_transformation_mode": "align_corners"}),
    ("LayerNormalization", [IMAGE, f(6), None], {}), ("Dropout", [IMAGE], {}),
    ("Max", [f(3), f(1)], {}), ("Sum", [f(3), f(1), f(3)], {}), ("Identity", [f(3)], {}),
    ("IsInf", [np.float32([1, -np.inf, np.inf])], {"detect_negative": 0}),
    ("IsInf", [np.float32([1, -np.inf, np.inf])], {"detect_positive": 0}),
    ("CastLike", [f(3) * 3, ints(1)], {}), ("Size", [IMAGE], {}),
    ("NonZero", [(f(3, 4) > 0).astype(np.float32)], {}),
    ("Einsum", [f(2, 3, 4), f(2, 4, 5)], {"equation": "bij,bjk->bki"}),
    ("ThresholdedRelu", [IMAGE], {"alpha": 0.5}), ("TopK", [IMAGE, ints(3)], {"axis": 2}),
    ("TopK", [IMAGE, ints(2)], {"axis": -1, "largest": 0}),
    ("OneHot", [np.array([[0, -1], [2, 1]]), np.array(4), np.float32([-1, 5])], {}),
    ("OneHot", [np.array([0, -1, 2]), np.array(4), np.float32([0, 1])], {"axis": 0}),
    ("DepthToSpace", [f(2, 8, 3, 5)], {"blocksize": 2}),
    ("DepthToSpace", [f(2, 8, 3, 5)], {"blocksize": 2, "mode": "CRD"}),
    ("SpaceToDepth", [f(2, 3, 4, 6)], {"blocksize": 2}),
    ("ScatterND", [f(4, 3), np.array([[0], [2]]), f(2, 3)], {}),
    ("ScatterElements", [f(3, 3), np.array([[0, 1, 2]]), f(1, 3)], {}),
]  # fmt: skip


@pytest.mark.parametrize("kind, inputs, attributes", NODES, ids=[f"{n}-{c[0]}" for n, c in
                                                                 enumerate(NODES)])  # fmt: skip
def test_nodes(kind, inputs, attributes):
    check(model_of(kind, inputs, attributes), inputs[0])


def check(model, x):
    """Hold a model against ONNX's own evaluation of it."""
    expected = onnx.reference.ReferenceEvaluator(model).run(None, {"x0": x})
    with tallow.no_grad():
        got = load(io.BytesIO(model.SerializeToString()))(tallow.tensor(x))
    for a, b in zip(got if isinstance(got, tuple) else (got,), expected, strict=True):
        assert a.numpy().dtype == b.dtype
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-4, atol=1e-5, strict=True)


LATER = [
    (20, "GridSample", [IMAGE, f(2, 3, 5, 2)], {"align_corners": 1, "padding_mode": "border"}),
    (20, "GridSample", [IMAGE, f(2, 3, 5, 2)], {"mode": "nearest"}),
    (21, "GroupNormalization", [IMAGE, f(4), f(4)], {"num_groups": 2, "epsilon": 1e-3}),
    (23, "RMSNormalization", [IMAGE, f(6, 6)], {"axis": 2}),
    (24, "Swish", [IMAGE], {"alpha": 0.7}),
]


@pytest.mark.parametrize("opset, kind, inputs, attributes", LATER)
def test_nodes_of_later_sets(opset, kind, inputs, attributes):
    check(model_of(kind, inputs, attributes, opset), inputs[0])


def test_older_forms():
    model = model_of("Squeeze", [f(1, 3, 1)], {"axes": [0]}, opset=11)
    assert load(io.BytesIO(model.SerializeToString()))(tallow.ones(1, 3, 1)).shape == (3, 1)
    model = model_of("Clip", [f(3)], {"min": 0.0, "max": 1.0}, opset=6)
    module = load(io.BytesIO(model.SerializeToString()))
    assert module(tallow.tensor([-1.0, 0.5, 2.0])).tolist() == [0, 0.5, 1]


REFUSED = [
    ("LSTM", [f(5, 2, 3), f(1, 16, 3), f(1, 16, 4)], {"hidden_size": 4, "clip": 1.0}, "no clip"),
    ("GRU", [f(5, 2, 3), f(1, 12, 3), f(1, 12, 4)],
     {"hidden_size": 4, "activations": ["Tanh", "Tanh"]}, r"activations .*got .'Tanh', 'Tanh'"),
    ("ConvTranspose", [f(1, 2, 4, 4), f(2, 3, 2, 2)], {"output_shape": [5, 5]}, "output's shape"),
]  # fmt: skip


@pytest.mark.parametrize("kind, inputs, attributes, message", REFUSED)
def test_what_is_refused(kind, inputs, attributes, message):
    module = load(io.BytesIO(model_of(kind, inputs, attributes).SerializeToString()))
    with pytest.raises(NotImplementedError, match=f"{kind}: expected .*{message}"):
        module(tallow.tensor(inputs[0]))


def test_weights_are_parameters():
    model = model_of("Gemm", [f(2, 3), f(3, 4), f(4)], {})
    module = load(io.BytesIO(model.SerializeToString()))
    assert [name for name, _ in module.named_parameters()] == ["constant_x1", "constant_x2"]
    module(tallow.ones(2, 3)).sum().backward()
    assert module.constant_x2.grad.tolist() == [2, 2, 2, 2]
    assert list(module.state_dict()) == ["constant_x1", "constant_x2"]


def test_unknown_operators_are_listed():
    model = model_of("StringConcat", [f(3), f(3)], {}, opset=20)
    with pytest.raises(NotImplementedError, match=r"expected known operators, got \['StringConcat"):
        load(io.BytesIO(model.SerializeToString()))


def test_what_an_operator_cannot_do_names_the_node():
    model = model_of("CumSum", [f(3), ints(0).reshape(())], {"reverse": 1})
    with pytest.raises(NotImplementedError, match="CumSum: expected a sum forwards") as caught:
        load(io.BytesIO(model.SerializeToString()))(tallow.ones(3))
    assert "in the node CumSum that gives 'y0'" in caught.value.__notes__[0]


@pytest.mark.parametrize("content", [b"no model", b"", b"\x08\x08"])
def test_files_that_are_none(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(tallow.errors.CheckpointError, match="expected a model of ONNX"):
        load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.onnx")
