"""Objects of any class: saved as by pickle, built for those who trust a file, and for no others."""

import argparse
import collections
import copy
import dataclasses
import datetime
import enum
import functools
import io
import pathlib
import random
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest

import tallow
from tallow import nn, serialization
from tallow.errors import CheckpointError
from tallow.serialization import Placeholder

from .test_hostile import packed, text


class Kind(enum.Enum):
    ONE = 1


class Word(enum.StrEnum):
    A = "a"


@dataclasses.dataclass
class Settings:
    lr: float
    kind: Kind
    more: dict = dataclasses.field(default_factory=dict)


Point = collections.namedtuple("Point", "x y")


class Table(dict):
    pass


class Items(list):
    pass


class Slotted:
    __slots__ = ("a", "b")

    class Inner:
        pass


class Counted:
    """Its state is what its own methods say."""

    def __init__(self, count):
        self.count = count

    def __getstate__(self):
        return [self.count]

    def __setstate__(self, state):
        self.count = state[0] + 1


class Keyed:
    def __new__(cls, *, key):
        made = super().__new__(cls)
        made.key = key
        return made

    def __getnewargs_ex__(self):
        return (), {"key": self.key}


class Marked(tallow.Tensor):
    pass


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.activation = nn.functional.gelu
        self.register_buffer("scale", tallow.ones(4), persistent=False)
        self.rest = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2, bias=False))

    def forward(self, x):
        return self.rest(self.activation(self.norm(self.hidden(x))) * self.scale)


def through(obj, **options):
    """What an object is after it was saved and loaded."""
    file = io.BytesIO()
    tallow.save(obj, file)
    file.seek(0)
    return tallow.load(file, weights_only=False, **options)


slotted = Slotted()
slotted.a = [1]
VALUES = {
    "namespace": argparse.Namespace(lr=0.1, names=["a"]),
    "settings": Settings(0.1, Kind.ONE, {"word": Word.A}),
    "named tuple": Point(1, [2]),
    "dict": Table(a=1),
    "list": Items([1, 2]),
    "deque": collections.deque([1, 2], 3),
    "default dict": collections.defaultdict(list, {"a": [1]}),
    "counter": collections.Counter("aab"),
    "frozen": {frozenset([1]): ((1, (2,)), 3)},
    "nested key": {((1, 2), 3): 4},
    "path": pathlib.PurePosixPath("/a/b"),
    "date": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    "random": random.getstate(),
    "classes": [Net, Slotted.Inner, tallow.Tensor, nn.Linear, nn.functional.relu, tallow.tanh, len],
    "constants": [tallow.float16, tallow.strided, tallow.channels_last, tallow.device("cpu")],
    "partial": functools.partial(int, base=2).func,
    "exception": [ValueError("x").args, range(3), slice(1, 2), 2j, b"ab", bytearray(b"c")],
}


@pytest.mark.parametrize("name", VALUES)
def test_objects_come_back(name):
    loaded = through(VALUES[name])
    assert type(loaded) is type(VALUES[name]) and loaded == VALUES[name]


def test_factories_and_sizes():
    assert through(collections.defaultdict(list))["new"] == []
    assert through(functools.partial(int, base=2))("11") == 3
    assert isinstance(through(ValueError("x")), ValueError)
    assert through(tallow.Size([1, 2])) == (1, 2)


def test_states():
    assert through(slotted).a == [1] and not hasattr(through(slotted), "b")
    assert through(Counted(1)).count == 2
    assert through(Keyed(key=3)).key == 3
    assert through(random.Random(3)).random() == random.Random(3).random()
    assert through(np.random.default_rng(3)).random() == np.random.default_rng(3).random()
    generator = tallow.Generator().manual_seed(3)
    expected = tallow.rand(2, generator=copy.deepcopy(generator))
    assert tallow.rand(2, generator=through(generator)).tolist() == expected.tolist()


def test_what_is_one_object_stays_one():
    shared = argparse.Namespace()
    shared.own = shared
    loaded = through([shared, shared])
    assert loaded[0] is loaded[1] and loaded[0].own is loaded[0]


def test_a_subclass_of_tensor():
    marked = tallow.ones(2).as_subclass(Marked)
    marked.note = "a"
    loaded = through(marked)
    assert type(loaded) is Marked and loaded.note == "a" and loaded.tolist() == [1, 1]


def test_a_whole_module():
    net, x = Net().eval(), tallow.randn(5, 3)
    net.register_forward_hook(double)
    loaded = through(net)
    assert type(loaded) is Net and loaded(x).tolist() == net(x).tolist()
    assert list(loaded.state_dict()) == list(net.state_dict())
    assert loaded.hidden.weight.requires_grad and not loaded.training
    loaded.zero_grad()
    loaded(x).sum().backward()


def double(module, args, output):
    return output * 2


def test_an_optimizer_and_its_module_share_parameters():
    net = Net()
    optimizer = tallow.optim.AdamW(net.parameters())
    net(tallow.randn(5, 3)).sum().backward()
    optimizer.step()
    net, optimizer = through((net, optimizer))
    assert optimizer.param_groups[0]["params"][0] is net.hidden.weight
    optimizer.step()


def test_others_get_placeholders():
    file = io.BytesIO()
    tallow.save({"net": nn.Linear(1, 1), "args": argparse.Namespace(lr=0.1)}, file)
    file.seek(0)
    loaded = tallow.load(file)
    assert isinstance(loaded["net"], Placeholder) and loaded["args"].lr == 0.1
    with pytest.raises(TypeError, match=r"placeholder for torch.nn.Linear; .*weights_only=False"):
        loaded["net"](tallow.ones(1))


def test_listed_classes_are_built_for_everybody():
    file = io.BytesIO()
    tallow.save(argparse.Namespace(lr=0.1), file)
    file.seek(0)
    with serialization.safe_globals([argparse.Namespace]):
        assert tallow.load(file) == argparse.Namespace(lr=0.1)
    file.seek(0)
    assert isinstance(tallow.load(file), Placeholder)


def test_a_listed_module_of_ours():
    file = io.BytesIO()
    tallow.save(nn.Linear(1, 1), file)
    file.seek(0)
    with serialization.safe_globals([nn.Linear]):
        assert isinstance(tallow.load(file), nn.Linear)


def test_a_package_whose_name_begins_like_pytorchs(monkeypatch):
    module = types.ModuleType("torchlike")
    module.Point = type("Point", (), {"__module__": "torchlike"})
    monkeypatch.setitem(sys.modules, "torchlike", module)
    assert type(through(module.Point())) is module.Point


def echo(word):
    return [word]


def named(name):
    return (
        b"c" + name.rpartition(".")[0].encode() + b"\n" + name.rpartition(".")[2].encode() + b"\n"
    )


def called(name, *args):
    return named(name) + b"(" + b"".join(map(text, args)) + b"tR"


def made(name, *args):
    return named(name) + b"(" + b"".join(map(text, args)) + b"t\x81"


REFUSED = {
    "system": (called("os.system", "echo"), "os.system, which runs code"),
    "posix": (called("posix.system", "echo"), "posix.system"),
    "eval": (called("builtins.eval", "1"), "builtins.eval"),
    "popen": (called("subprocess.Popen", "ls"), "subprocess.Popen"),
    "import": (called("importlib.import_module", "this"), "importlib"),
    "not_imported": (called("this.Something"), "that the program has imported, got this.Some"),
    "a_file": (called("logging.FileHandler", "/tmp/x"), "logging.FileHandler; add_safe_globals"),
    "a_file_of_its_own": (called("_io.FileIO", "/tmp/x"), "_io.FileIO; add_safe_globals"),
    "argparse": (made("argparse.FileType", "w"), "argparse.FileType, which runs code"),
    "memmap": (called("numpy.memmap", "/tmp/x"), "numpy.memmap, which runs code"),
    "through_a_module": (called(f"{__name__}.subprocess.Popen", "ls"), "subprocess.Popen"),
    "a_function": (called(f"{__name__}.echo", "a"), "no call of .*echo; add_safe_globals"),
    "a_class_made_by_new": (called(f"{__name__}.Counted", "a"), "no call of .*Counted"),
    "type": (called("builtins.type", "a"), "builtins.type; add_safe_globals"),
    "code": (named("types.FunctionType") + b")\x81", "types.FunctionType"),
    "attribute": (
        named("builtins.getattr") + b"(" + named(f"{__name__}.echo") + text("__globals__") + b"tR",
        "a method or a class within a class, got '__globals__'",
    ),
    "state_of_a_class": (named(f"{__name__}.Counted") + b"}b", "got type"),
    "state_of_a_function": (named(f"{__name__}.echo") + b"}b", "got function"),
    "no_class": (named(f"{__name__}.VALUES"), "expected a class or function"),
    "metaclass": (named("enum.EnumMeta") + b")\x81", "a class of objects"),
    "wrong_arguments": (called("fractions.Fraction", "x"), "ValueError: Invalid literal"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_trusted_files_may_not_do(name):
    program, message = REFUSED[name]
    import fractions  # noqa: F401 - a class that is imported

    with pytest.raises(CheckpointError, match=message):
        tallow.load(packed(b"\x80\x02" + program + b"."), weights_only=False)


def test_a_listed_function_is_called():
    program = packed(b"\x80\x02" + called(f"{__name__}.echo", "a") + b".")
    with serialization.safe_globals([echo]):
        assert tallow.load(program) == ["a"]
    program = packed(b"\x80\x02" + called("else.where", "a") + b".")
    assert isinstance(tallow.load(program), Placeholder)
    program.seek(0)
    with serialization.safe_globals([(echo, "else.where")]):
        assert tallow.load(program) == ["a"]


def test_a_state_setter_runs_only_where_it_is_listed():
    made = Setting()
    made.a = 1
    with serialization.safe_globals([set_a]):
        assert through(made).a == 2
    with pytest.raises(CheckpointError, match="no call of .*set_a"):
        through(made)


def set_a(target, state):
    target.a = state + 1


class Setting:
    def __reduce_ex__(self, protocol):
        return object.__reduce_ex__(self, 2)[0], (Setting,), self.a, None, None, set_a


PROGRAM = """
import sys, {library} as torch
sys.path.insert(0, {folder!r})
from model import Net, Settings
torch.manual_seed(0)
x = torch.ones(2, 3)
if {save}:
    net = Net().eval()
    torch.save({{"net": net, "settings": Settings(), "out": net(x)}}, {path!r})
else:
    loaded = torch.load({path!r}, weights_only=False)
    out = loaded["net"](x)
    assert torch.allclose(out, loaded["out"], atol=1e-6), (out, loaded["out"])
    assert type(loaded["net"]) is Net and loaded["settings"].lr == 0.1
"""
MODEL = """
import dataclasses
import {library} as torch
from {library} import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(1, 2, 2, padding="same"), nn.ReLU6(), nn.ZeroPad1d(1))
        self.lstm = nn.LSTM(5, 3, 2, batch_first=True, bidirectional=True)
        self.layer = nn.TransformerEncoderLayer(6, 2, batch_first=True)
        self.many = nn.ModuleDict({{"up": nn.Upsample(scale_factor=2), "act": nn.PReLU()}})
        self.own = nn.ParameterList([torch.ones(1)])

    def forward(self, x):
        x = self.layer(self.lstm(self.first(x[:, None]))[0])
        return self.many["act"](self.many["up"](x)) * self.own[0]

@dataclasses.dataclass
class Settings:
    lr: float = 0.1
"""


@pytest.mark.parametrize("writer, reader", [("tallow", "torch"), ("torch", "tallow")])
def test_whole_modules_of_either_library(writer, reader, tmp_path):
    pytest.importorskip("torch")
    for save, library in (True, writer), (False, reader):
        (tmp_path / "model.py").write_text(MODEL.format(library=library))
        program = PROGRAM.format(
            library=library, folder=str(tmp_path), save=save, path=str(tmp_path / "whole.pt")
        )
        subprocess.run([sys.executable, "-B", "-c", textwrap.dedent(program)], check=True)
