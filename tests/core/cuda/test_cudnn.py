"""Convolution by cuDNN: what is built for it, by a stand-in that computes on the host."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

import tallow
from tallow.kernels.cuda import cudnn
from tallow.ops import conv
from tallow.testing import assert_close


class Node:
    """A tensor of a graph: what was said of it."""

    def __init__(self, **said):
        self.said = said

    def __getattr__(self, name):
        def say(value):
            self.said[name.removeprefix("set_")] = value
            return self

        return say


def _memory(place, dim, stride, **said):
    """The float32 array that a tensor of a graph is, at an address."""
    extent = 1 + sum((n - 1) * step for n, step in zip(dim, stride, strict=True))
    buffer = (ctypes.c_float * extent).from_address(place)
    return np.ndarray(dim, np.float32, buffer, 0, [4 * step for step in stride])


class NotSupported(Exception):
    pass


class Graph:
    """A graph of one convolution, which is computed by tallow's own bodies."""

    made: list = []

    def __init__(self, **options):
        self.options, self.steps = options, []
        Graph.made.append(self)

    def tensor(self, **said):
        return Node(**said)

    def __getattr__(self, name):
        def step(*args, **options):
            self.steps.append(name)
            if name.startswith("conv_"):
                self.name, self.nodes, self.how = name, args, options
                self.out = Node()
                return self.out

        return step

    def check_support(self):
        if self.how["dilation"] == [3, 3]:
            raise NotSupported

    def get_workspace_size(self):
        return 0

    def execute(self, pack, workspace, handle):
        assert type(workspace) is int
        x, y, out = (_memory(pack[node], **node.said) for node in (*self.nodes, self.out))
        how = self.how
        assert how["pre_padding"] == how["post_padding"]
        how = {k: tuple(how[k]) for k in ("stride", "dilation")} | {
            "padding": tuple(how["pre_padding"])
        }
        if self.name == "conv_fprop":
            how["groups"] = x.shape[1] // y.shape[1]
            out[...] = conv.conv.op.body(np, x, y, None, **how)
        elif self.name == "conv_dgrad":
            how |= {"groups": out.shape[1] // y.shape[1], "size": out.shape[2:]}
            out[...] = conv.conv_grad_input.op.body(np, x, y, **how)
        else:
            how |= {"groups": x.shape[1] // out.shape[1], "kernel": out.shape[2:]}
            out[...] = conv.conv_grad_weight.op.body(np, y, x, **how)


class Names:
    def __getattr__(self, name):
        return name


@pytest.fixture
def library(emulated, monkeypatch):
    made = SimpleNamespace(
        pygraph=Graph, data_type=Names(), heur_mode=Names(), numerical_note=Names(),
        create_handle=object, set_stream=lambda handle, stream: None,
        cudnnGraphNotSupportedError=NotSupported, backend_version=lambda: 90800,
    )  # fmt: skip
    monkeypatch.setattr(cudnn, "library", lambda: made)
    for cached in (cudnn._plan, cudnn._handle):
        cached.cache_clear()
    Graph.made.clear()
    yield made
    for cached in (cudnn._plan, cudnn._handle):
        cached.cache_clear()


def passed(layer, x, where):
    """What a layer gives on a device, and the gradients of its square."""
    layer.to(where).zero_grad()
    x = x.to(where).detach().requires_grad_()
    out = layer(x)
    (out * out).sum().backward()
    return [
        tensor.detach().cpu() for tensor in (out, x.grad, *(p.grad for p in layer.parameters()))
    ]


@pytest.mark.parametrize(("layer", "size"), [
    (lambda: tallow.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), (7, 8)),
    (lambda: tallow.nn.Conv1d(4, 6, 3, padding=2, dilation=2), (9,)),
    (lambda: tallow.nn.ConvTranspose2d(4, 6, 3, stride=2), (5, 4)),
    (lambda: tallow.nn.Conv3d(4, 2, 2), (4, 3, 3)),
])  # fmt: skip
def test_layers(layer, size, library):
    layer, x = layer(), tallow.rand(2, 4, *size)
    expected = passed(layer, x, "cpu")
    for _ in range(2):
        for got, right in zip(passed(layer, x, "standin"), expected, strict=True):
            assert_close(got, right, rtol=1e-4, atol=1e-4)
    assert len(Graph.made) == 3, "a graph for each of the passes, kept"
    assert sorted({graph.name for graph in Graph.made}) == [
        "conv_dgrad",
        "conv_fprop",
        "conv_wgrad",
    ]


def test_what_it_does_not_do_is_done_without_it(library):
    layer, x = tallow.nn.Conv2d(2, 3, 3, dilation=3), tallow.rand(1, 2, 9, 9)
    expected = layer(x)
    assert_close(layer.to("standin")(x.to("standin")).cpu(), expected)
    assert Graph.made


def test_settings(library, monkeypatch):
    layer, x = tallow.nn.Conv2d(2, 3, 3).to("standin"), tallow.rand(1, 2, 5, 5).to("standin")
    settings = tallow.backends.cudnn
    monkeypatch.setattr(settings, "allow_tf32", True)
    assert settings.is_available() and settings.version() == 90800
    layer(x)
    assert "deselect_numeric_notes" not in Graph.made[-1].steps
    monkeypatch.setattr(settings, "allow_tf32", False)
    layer(x)
    assert "deselect_numeric_notes" in Graph.made[-1].steps
    monkeypatch.setattr(settings, "enabled", False)
    layer(x)
    assert len(Graph.made) == 2


def test_without_it(monkeypatch):
    monkeypatch.setattr(cudnn, "library", lambda: None)
    assert not tallow.backends.cudnn.is_available() and tallow.backends.cudnn.version() is None
