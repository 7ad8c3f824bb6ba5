"""How tensors print, against PyTorch."""

import numpy as np
import pytest

import tallow
from tallow.errors import ArgumentError

torch = pytest.importorskip("torch")

inf, nan = float("inf"), float("nan")

SOURCES = [
    "torch.tensor([1.,2.,3.])", "torch.tensor([1.5,2.25])", "torch.tensor([1e-5,1.])",
    "torch.tensor([1e5,1.5])", "torch.tensor([1e9])", "torch.tensor([1e8])",
    "torch.tensor([1e-4])", "torch.tensor([1e-3,1.])", "torch.tensor([0.001,1.0])",
    "torch.tensor([0.0001,0.00005])", "torch.tensor([100000.,2.])", "torch.tensor([1000.,1.])",
    "torch.tensor([1001.,1.])", "torch.tensor([0.,0.])", "torch.tensor([-0.])",
    "torch.tensor([nan,inf,-inf])", "torch.tensor([nan,1.])", "torch.tensor([inf,1.5])",
    "torch.tensor([-inf,1e10])", "torch.tensor([nan,1e-10,3.])", "torch.tensor(1.5)",
    "torch.tensor(nan)", "torch.tensor(3)", "torch.tensor(True)", "torch.tensor([True,False])",
    "torch.tensor([1,20,-300])", "torch.tensor([])", "torch.tensor([[]])", "torch.zeros(0,3)",
    "torch.zeros(3,0,2)", "torch.zeros(0,dtype=torch.int64)", "torch.zeros(0,dtype=torch.bool)",
    "torch.zeros(0,2,dtype=torch.float64)", "torch.tensor([1+2j,3-4.5j])",
    "torch.tensor([1e10+1j])", "torch.tensor([1e-10+1j,2j])",
    "torch.tensor([nan*1j,complex(inf,-inf)])", "torch.tensor(1+2j)",
    "torch.tensor([complex(0,-0.0)])", "torch.tensor([1+2j],dtype=torch.complex128)",
    "torch.tensor([1.5],dtype=torch.float64)", "torch.tensor([1.5],dtype=torch.float16)",
    "torch.tensor([1.5,2.3,1e-3],dtype=torch.float16)",
    "torch.tensor([1.5,3.1415],dtype=torch.bfloat16)", "torch.tensor([1,2],dtype=torch.int32)",
    "torch.tensor([1,2],dtype=torch.uint8)", "torch.tensor([1,2],dtype=torch.int8)",
    "torch.tensor([1,2],dtype=torch.uint16)", "torch.tensor([1.5],dtype=torch.float8_e5m2)",
    "torch.arange(1000)", "torch.arange(1001)", "torch.arange(1001.)", "torch.arange(30)",
    "torch.arange(30.)/7", "torch.arange(12.).reshape(3,4)", "torch.arange(24).reshape(2,3,4)",
    "torch.arange(24.).reshape(2,3,4)/3", "torch.arange(48).reshape(2,2,3,4)",
    "torch.arange(2000).reshape(2,1000)", "torch.arange(2000).reshape(1000,2)",
    "torch.arange(8000).reshape(20,20,20)", "torch.arange(16000.).reshape(10,10,10,16)/9",
    "torch.zeros(1,1,1)", "torch.ones(5,200)", "torch.ones(1001,dtype=torch.bool)",
    "torch.ones(50,50,dtype=torch.complex64)*(1+2j)", "torch.ones(2,requires_grad=True)",
    "torch.ones(2,2,requires_grad=True)", "torch.ones(2,dtype=torch.float64,requires_grad=True)",
    "torch.ones(30,requires_grad=True)", "torch.ones(15,requires_grad=True)",
    "torch.ones(13,dtype=torch.float64)", "torch.ones(12,dtype=torch.float64)",
    "torch.ones(11,dtype=torch.float64)", "torch.ones(10,dtype=torch.float64)",
    "torch.ones(9,dtype=torch.float64)", "torch.tensor([123456789.0])",
    "torch.tensor([1234567.0,0.1])", "torch.tensor([12345.6789,0.1])", "torch.tensor([-1.5,2.])",
    "torch.tensor([[-1.5],[200.25]])", "torch.tensor([1e38])", "torch.tensor([3.4e38,1e-38])",
    "torch.tensor([1e300],dtype=torch.float64)", "torch.tensor([5e-324],dtype=torch.float64)",
    "torch.tensor([2**62])", "torch.tensor([-2**63,1])",
    "torch.tensor([2**64-1],dtype=torch.uint64)", "torch.ones(3).t()", "torch.ones(2,3).t()",
    "torch.ones(2,3)[:, ::2]", "torch.eye(3)", "torch.eye(3)*1e-5", "torch.linspace(0,1,7)",
    "torch.tensor([1e-5,1e-4,1e-2,1.,1e2,1e4,1e5])", "torch.tensor([.01,.1,1.,10.,100.])",
    "torch.tensor([0.1]*40)",
    "torch.tensor([1+1e-5j]*20)", "torch.tensor([[1.5,nan],[inf,-inf]])",
    "torch.tensor([99999999.,1.])", "torch.tensor([100000000.,1.])",
    "torch.tensor([100000001.,1.])", "torch.tensor([999.9,1.])", "torch.tensor([1.0,1e-7])",
    "torch.nn.Parameter(torch.ones(2))", "torch.ones(2).to(torch.complex64)",
    "torch.ones(1,1,1,3)", "torch.zeros(2,3,0)", "torch.tensor([[[]]])",
    "torch.tensor([1.,2.]).expand(3,2)", "torch.ones(3,7,200)",
]  # fmt: skip
OPTIONS = [
    {}, {"precision": 2}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 40},
    {"edgeitems": 2, "threshold": 10}, {"profile": "short"}, {"profile": "full", "linewidth": 120},
    {"precision": 10, "threshold": 5, "edgeitems": 1},
]  # fmt: skip


@pytest.fixture
def options():
    """A function that sets the options of both libraries, which are put back afterwards."""

    def put(**given):
        torch.set_printoptions(**given)
        tallow.set_printoptions(**given)

    yield put
    put(profile="default")


def text(library, source):
    made = eval(source, {"torch": library, "nan": nan, "inf": inf})
    return repr(made).replace("tallow.", "torch.")


@pytest.mark.parametrize("given", OPTIONS, ids=str)
def test_repr(options, given):
    options(**given)
    for source in SOURCES:
        if given.get("profile") == "full" and "000" in source:
            continue
        assert text(tallow, source) == text(torch, source), source


@pytest.mark.parametrize(
    "source",
    [
        "x + 1", "x - 1", "x * 2", "x / 2", "x ** 2", "x ** 3", "-x", "x.exp()", "x.log()",
        "x.sqrt()",
        "x.tanh()", "x.sigmoid()", "x.relu()", "x.abs()", "x.sum()", "x.mean()", "x.softmax(0)",
        "x.log_softmax(0)", "x.clone()", "x.sin()", "x.double()", "(x * 2)[0].detach()",
        "(torch.ones(15) * x[0]).sqrt()", "(torch.ones(13, 1) * x)",
    ],
)  # fmt: skip
def test_names_of_nodes(source):
    ours, theirs = tallow.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    expected = repr(eval(source, {"torch": torch, "x": theirs}))
    assert repr(eval(source, {"torch": tallow, "x": ours})).replace("tallow.", "torch.") == expected


def test_name_of_a_function():
    class Twice(tallow.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    y = Twice.apply(tallow.ones(1, requires_grad=True))
    assert repr(y) == "tensor([2.], grad_fn=<TwiceBackward>)"


def test_options_are_read_back(options):
    for given in OPTIONS:
        options(profile="default")
        options(**given)
        shown = tallow.get_printoptions()
        assert given.get("profile") or all(shown[name] == given[name] for name in given)
    with pytest.raises(ArgumentError, match="set_printoptions: expected profile"):
        tallow.set_printoptions(profile="long")


def test_str_and_format():
    x = tallow.tensor([1.5])
    assert str(x) == repr(x) == f"{x}" == "tensor([1.5000])"
    assert f"{tallow.tensor(1.5):.3f}" == "1.500"
    with pytest.raises(TypeError):
        f"{tallow.tensor([1.5, 2]):.2f}"


def test_the_default_dtype_is_not_shown(options):
    x = tallow.tensor(np.ones(1))
    assert repr(x) == "tensor([1.], dtype=tallow.float64)"
    tallow.set_default_dtype(tallow.float64)
    try:
        assert repr(x) == "tensor([1.])"
        assert (
            repr(tallow.tensor([1.0], dtype=tallow.float32)) == "tensor([1.], dtype=tallow.float32)"
        )
        assert repr(tallow.tensor([1j])) == "tensor([0.+1.j])"
    finally:
        tallow.set_default_dtype(tallow.float32)


def test_other_devices_are_shown():
    x = tallow.ones(2, device="standin:1")
    assert repr(x) == "tensor([1., 1.], device='standin:1')"
    assert repr(x.long()) == "tensor([1, 1], device='standin:1')"
