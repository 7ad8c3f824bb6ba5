"""The page of `python -m tallow.demo`: what packages put on it, and visits by a browser."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from tallow import demo
from tallow.demo import __main__, tabs
from tallow.errors import ArgumentError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 180_000  # milliseconds: a loaded machine takes its time


def test_packages_say_what_is_shown(monkeypatch):
    made = {"a": ["Two", "Four"], "b": ["One"]}
    points = [EntryPoint(name, f"tallow_made_{name}:tabs", "tallow.demo") for name in made]
    for name, titles in made.items():
        module = type(sys)(f"tallow_made_{name}")
        module.tabs = lambda titles=titles: [demo.Tab(t, "", "text", {}, list) for t in titles]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(demo, "entry_points", lambda group: points)
    assert [tab.title for tab in tabs()] == ["Four", "One", "Two"]


@pytest.mark.parametrize(("found", "told"), [([], "install tallowvision"), ([1], "tallow[demo]")])
def test_what_is_missing_is_named(monkeypatch, capsys, found, told):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(demo, "import_module", absent)
    monkeypatch.setattr(demo, "tabs", lambda: found)
    assert __main__.main([]) == 1
    assert told in capsys.readouterr().err


def test_ink_of_a_sketch():
    drawn = np.zeros((2, 3, 4), np.uint8)
    drawn[0, 1] = 0, 0, 0, 255
    drawn[1, 2] = 0, 0, 0, 128
    drawn[1, 0] = 255, 255, 255, 255
    assert demo._taken("sketch", {"composite": drawn}).tolist() == [[0, 255, 0], [0, 0, 128]]
    for nothing in (None, {"composite": None}, {"composite": drawn * 0}):
        with pytest.raises(ArgumentError, match="sketch: expected one, got none"):
            demo._taken("sketch", nothing)
    assert demo._taken("text", "") == ""
    with pytest.raises(ArgumentError, match="sound: expected one, got none"):
        demo._taken("sound", None)


# In a browser


@pytest.fixture(scope="module")
def address():
    """Where the page is, served by a process of its own."""
    for package in ("gradio", "tallowvision", "tallowtext", "tallowaudio"):
        pytest.importorskip(package)
    with subprocess.Popen(
        [sys.executable, "-m", "tallow.demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as server:  # fmt: skip
        line = server.stdout.readline()
        yield line.removeprefix("tallow.demo: ").strip()
        server.terminate()
    told = server.stdout
    assert told.closed or "Traceback" not in told.read()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A file of spoken digits, 2718, and what hears it in place of a microphone."""
    tallowaudio = pytest.importorskip("tallowaudio")
    tallow = importlib.import_module("tallow")
    digits = tallowaudio.datasets.SyntheticDigits(["rms"])
    path = tmp_path_factory.mktemp("sound") / "2718.wav"
    waveform = tallow.cat([digits[digit][0] for digit in (2, 7, 1, 8)], 1)
    tallowaudio.save(path, waveform, 8000, encoding="PCM_S", bits_per_sample=16)
    return path


@pytest.fixture
def page(address, sound):
    """The page in headless Chromium, which asks nothing of other machines."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    media = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    media += [f"--use-file-for-fake-audio-capture={sound}%noloop"]
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *media])
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.set_default_timeout(PATIENCE)
        playwright.expect.set_options(timeout=PATIENCE)
        page.expect = playwright.expect
        asked, failed = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failed.append(error))
        page.goto(address)
        yield page
        elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
        assert not elsewhere and not failed
        browser.close()


def opened(page, title):
    page.get_by_role("tab", name=title).click()
    return page.locator("[role=tabpanel]:visible")


def click(page, name):
    page.get_by_role("button", name=name).locator("visible=true").click()


def shows(page, text):
    page.expect(page.get_by_text(text).locator("visible=true").first).to_be_visible()


def upload(panel, file):
    """Choose a file; returns once the server has it."""
    with panel.page.expect_response(re.compile("/upload")):
        panel.locator("input[type=file]").first.set_input_files(file)


@pytest.mark.slow
def test_a_drawn_digit(page):
    assert re.match(r"http://127\.0\.0\.1:\d+/$", page.url)
    panel = opened(page, "Draw a digit")
    page.locator("button[aria-label=Brush][data-met]").wait_for()
    click(page, "Read it")
    shows(page, "sketch: expected one, got none")
    box = panel.locator("canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 50, y - 90)
    page.mouse.down()
    for place in ((x + 50, y - 90), (x - 10, y + 100)):
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    click(page, "Read it")
    page.expect(panel.get_by_test_id("label-output-value")).to_have_text("7")


@pytest.mark.slow
def test_a_picture(page, tmp_path):
    from PIL import Image

    sea = Image.new("RGB", (64, 64), (40, 85, 120))
    sea.paste((150, 190, 225), (0, 0, 64, 40))
    sea.paste((150, 40, 35), (8, 32, 56, 44))
    sea.save(tmp_path / "sea.png")
    panel = opened(page, "Pictures")
    click(page, "Name it")
    shows(page, "picture: expected one, got none")
    upload(panel, tmp_path / "sea.png")
    panel.locator("img").first.wait_for()
    click(page, "Name it")
    page.expect(panel.get_by_test_id("label-output-value")).to_have_text("ship")


@pytest.mark.slow
def test_a_file_that_is_no_picture(page, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    panel = opened(page, "Pictures")
    upload(panel, tmp_path / "text.png")
    panel.locator("img").first.wait_for(state="attached")
    click(page, "Name it")
    shows(page, re.compile("^text.png: expected a picture, got a file of another kind"))


@pytest.mark.slow
def test_a_sentence(page):
    panel = opened(page, "The mood of a sentence")
    click(page, "Read it")
    shows(page, "expected a text with words, got ''")
    panel.get_by_label("Text").fill("A dull <b>mess</b>.")
    click(page, "Read it")
    page.expect(panel.get_by_test_id("label-output-value")).to_have_text("negative")
    page.expect(panel.locator("mark", has_text="dull")).to_be_visible()
    shows(page, "<b>")  # as it was typed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        (None, "sound: expected one, got none"),
        ("2718.wav", "2718"),
        ("text.wav", "text.wav: expected a sound file"),
        ("long.wav", "exceed the maximum allowed size"),
    ],
)
def test_uploaded_digits(page, sound, name, told):
    (sound.parent / "text.wav").write_text("no sound")
    (sound.parent / "long.wav").write_bytes(bytes(demo.MOST + 1))
    panel = opened(page, "Spoken digits")
    if name == "long.wav":  # the page itself refuses it
        panel.locator("input[type=file]").first.set_input_files(sound.parent / name)
    elif name is not None:
        upload(panel, sound.parent / name)
        panel.get_by_role("button", name="Clear").first.wait_for()
    if name != "long.wav":
        click(page, "Write it down")
    shows(page, told)


@pytest.mark.slow
def test_recorded_digits(page):
    panel = opened(page, "Spoken digits")
    panel.get_by_role("button", name="Record audio").click()
    panel.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(5000)
    with page.expect_response(re.compile("/upload")):
        panel.get_by_role("button", name="Stop", exact=True).click()
    panel.get_by_role("button", name="Play").first.wait_for()
    click(page, "Write it down")
    shows(page, re.compile(r"^\d+$"))
