"""Commands by name, files by name, and what is told of errors."""

import subprocess
import sys

import pytest

from tallow.errors import ArgumentError
from tallow.utils import commands

PROGRAM = {"stop": "what it is", "count": "counts"}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Runs a program of two commands: one that fails, one that returns what it is given."""
    (tmp_path / "shop" / "commands").mkdir(parents=True)
    texts = {
        "stop": "def arguments(parser):\n    parser.add_argument('how')\n\n\ndef run(options):\n"
        "    raise {'os': OSError, 'stop': KeyboardInterrupt}[options.how]('so it is')\n",
        "count": "def arguments(parser):\n    parser.add_argument('n', type=int)\n\n\n"
        "def run(options):\n    return options.n\n",
    }
    for name, text in texts.items():
        (tmp_path / "shop" / "commands" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda *arguments: commands.run("shop", "A shop.", PROGRAM, arguments)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_a_command_is_run(program, monkeypatch, capsys):
    assert program("count", "3") == 3
    assert program("stop", "os") == 1
    assert capsys.readouterr().err == "shop stop: so it is\n"
    assert program("stop", "stop") == 130
    monkeypatch.setattr(sys, "argv", ["shop", "count", "0"])
    assert commands.run("shop", "A shop.", PROGRAM) == 0


def test_a_reader_that_has_seen_enough():
    """As with `| head`: no message, and none when Python closes its output."""
    text = """
import sys, types
from tallow.utils import commands
many = types.ModuleType("shop.commands.many")
many.arguments = lambda parser: None
many.run = lambda options: commands.each(range(100_000), str, "shop many")
sys.modules |= {"shop": many, "shop.commands": many, "shop.commands.many": many}
sys.exit(commands.run("shop", "A shop.", {"many": "lines"}, ["many"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 1


@pytest.mark.parametrize(("arguments", "told"), [(["sell"], "stop"), (["count", "a"], "count: er")])
def test_usage(program, arguments, told, capsys):
    with pytest.raises(SystemExit) as stopped:
        program(*arguments)
    assert stopped.value.code == 2 and told in capsys.readouterr().err


def test_files_are_found(tmp_path):
    for name in ("b.PNG", "a.jpg", "text.txt", "deep/c.png", "deep/er/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()

    def find(*names):
        found = commands.find([tmp_path / name for name in names], (".png", ".jpg"), "pictures")
        return [name[len(str(tmp_path)) + 1 :] for name in found]

    assert find("") == ["a.jpg", "b.PNG", "deep/c.png", "deep/er/d.png"]
    assert find("text.txt", "gone.png", "deep") == [
        "text.txt", "gone.png", "deep/c.png", "deep/er/d.png",
    ]  # fmt: skip
    assert find("**/*.png") == ["deep/c.png", "deep/er/d.png"]
    for name, where in (("empty", "in the folder"), ("*.gif", "that fit the pattern")):
        with pytest.raises(ArgumentError, match=f"expected pictures {where}, got none"):
            find(name)


def test_an_error_is_told_and_the_rest_is_answered(capsys):
    def answer(number):
        if number == 2:
            raise ArgumentError("two")
        return f"{number}!"

    assert commands.each([1, 2, 3], answer, "shop count") == 1
    assert capsys.readouterr() == ("1!\n3!\n", "shop count: two\n")
    assert commands.each(iter([1]), answer, "shop count", total=1) == 0
