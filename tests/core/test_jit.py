"""TorchScript's names: programs that compile by them stay Python, and their files are refused."""

import re

import pytest

import tallow
from tallow import jit, nn


def double(x):
    return 2 * x


def test_script_gives_the_object_itself():
    model = nn.Linear(3, 2)
    assert jit.script(double) is double
    assert jit.script(model) is model
    assert not isinstance(jit.script(model), jit.ScriptModule)
    assert jit.optimize_for_inference(jit.freeze(model.eval())) is model


@pytest.mark.parametrize("examples", [(tallow.ones(2), tallow.ones(2)), [1, 2]])
def test_trace_runs_once(examples):
    calls = []
    function = lambda *inputs: calls.append(inputs)  # noqa: E731
    assert jit.trace(function, examples, check_trace=False) is function
    assert [len(inputs) for inputs in calls] == [2]


def test_trace_of_one_input_by_name_and_of_methods():
    model = nn.Linear(3, 2)
    assert jit.trace(model, tallow.ones(1, 3)) is model
    assert jit.trace(model, example_kwarg_inputs={"input": tallow.ones(1, 3)}) is model
    assert jit.trace_module(model, {"forward": tallow.ones(1, 3), "extra_repr": ()}) is model
    with pytest.raises(RuntimeError, match="linear: "):
        jit.trace(model, tallow.ones(1, 4))


def test_decorators_give_the_function_itself():
    for decorator in (jit.export, jit.ignore, jit.unused, jit.script_method, jit.interface):
        assert decorator(double) is double
    assert jit.ignore(drop=True)(double) is double
    assert jit.script_if_tracing(double) is double


def test_modules_written_for_it():
    class Scaled(jit.ScriptModule):
        __constants__ = ["scale"]

        def __init__(self):
            super().__init__()
            self.scale = jit.Attribute(2.0, float).value

        @jit.script_method
        def forward(self, x):
            return x * jit.annotate(float, self.scale)

    assert Scaled()(tallow.ones(1)).item() == 2.0
    assert not jit.is_scripting() and not jit.is_tracing()


@pytest.mark.parametrize("value, kind, expected", [
    ([1, 2], list[int], True), ([1, "a"], list[int], False), ({"a": 1}, dict[str, int], True),
    ({"a": 1}, dict[str, str], False), ((1, "a"), tuple[int, str], True),
    ((1,), tuple[int, str], False), (None, int | None, True), (1.0, int | None, False),
    (3, int, True), (3, (str, int), True), (None, None, True),
])  # fmt: skip
def test_isinstance(value, kind, expected):
    assert jit.isinstance(value, kind) is expected


def test_names_for_annotations():
    from tallow.jit.annotations import BroadcastingList2, List

    assert List[int].__origin__ is list and BroadcastingList2[int] == list[int]


def test_functions_side_by_side():
    future = jit.fork(double, 4)
    assert jit.wait(future) == future.wait() == future.value() == 8 and future.done()


def test_settings():
    jit.enable_onednn_fusion(True)
    jit.set_fusion_strategy([("STATIC", 2)])
    with jit.optimized_execution(False):
        assert double(1) == 2


@pytest.mark.parametrize("call, message", [
    (lambda: jit.save(nn.Linear(1, 1), "a.pt"), "jit.save: .*state_dict.*onnx.export"),
    (lambda: jit.load("a.pt"), "jit.load: expected no file of TorchScript, got 'a.pt'"),
    (lambda: jit.freeze(nn.Linear(1, 1)), "jit.freeze: .*call eval"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(NotImplementedError) as raised:
        call()
    assert re.search(message, str(raised.value))
