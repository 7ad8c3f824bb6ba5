"""A page in the browser to try what the installed packages do: `python -m tallow.demo`.

Needs the extra `tallow[demo]`. What is on it the packages say: each names, as an entry point of the
group "tallow.demo", a function that returns its `Tab`s. So one's own package puts its own there:

    [project.entry-points."tallow.demo"]
    mypackage = "mypackage.demo:tabs"
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import numpy as np

from tallow.errors import ArgumentError, TallowError

__all__ = ["Tab", "page", "serve", "tabs"]

FILES = ("picture", "sound")
MOST = 10_000_000  # bytes of an upload
KEPT = 3600  # seconds that uploads are kept on disk
STYLE = """
.gradio-container, .gradio-container > main { width: 100% !important }
.gradio-container > main { max-width: 62rem !important; margin: 0 auto !important }
footer { display: none !important }
h1 { font-size: 2.4rem !important; letter-spacing: -.02em; margin: 1.2rem 0 0 !important }
.answer { font-size: 1.15rem; line-height: 1.9 } .answer .big { font-size: 2.6rem }
"""
# Chooses the brush of a sketch pad, as soon as there is one.
BRUSH = """() => setInterval(() => {
    for (const button of document.querySelectorAll('button[aria-label="Brush"]:not([data-met])')) {
        button.dataset.met = true
        button.click()
    }
}, 200)"""


@dataclass
class Tab:
    """A tab: `answer` gets what a visitor puts in, and returns what is shown, a list.

    `asks` is "sketch": how dark each pixel of a drawing is (H, W), uint8; "picture" or "sound": the
    path of a file; "text": a string. `shows` are, each with its label, "shares": {name: part of 1};
    "picture": pixels (H, W, 3), uint8; "html": a string. A TallowError or an OSError of `answer` is
    shown to the visitor.
    """

    title: str
    about: str
    asks: str
    shows: dict[str, str]
    answer: Callable[[Any], list]
    button: str = "Ask"
    examples: list[str] = field(default_factory=list)


def tabs():
    """The tabs of all packages, sorted by title."""
    found = [tab for point in entry_points(group="tallow.demo") for tab in point.load()()]
    return sorted(found, key=lambda tab: tab.title)


def page(shown):
    """The page with tabs, as a `gradio.Blocks`."""
    gradio = _gradio()
    with gradio.Blocks(
        title="tallow", analytics_enabled=False, delete_cache=(KEPT, KEPT)
    ) as blocks:
        gradio.Markdown("# tallow\nSmall models that came with its packages. All runs here.")
        for tab in shown:
            with gradio.Tab(tab.title):
                _fill(gradio, tab)
    return blocks


def serve(shown, host="127.0.0.1", port=None, browser=False):
    """Show tabs at an address of this machine, until interrupted; `port` is a free one from 7860.

    `browser` opens one. Nothing is sent elsewhere.
    """
    gradio, blocks = _gradio(), page(shown)
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["monospace"]}
    _, address, _ = blocks.launch(
        server_name=host, server_port=port, inbrowser=browser, share=False, max_file_size=MOST,
        theme=gradio.themes.Soft(primary_hue="orange", neutral_hue="stone", **fonts), css=STYLE,
        js=BRUSH, footer_links=[], quiet=True, prevent_thread_lock=True,
    )  # fmt: skip
    print(f"tallow.demo: {address}", flush=True)
    blocks.block_thread()


def _gradio():
    """The gradio package, kept from sending what it would; ImportError that names the extra."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        return import_module("gradio")
    except ImportError as error:
        raise ImportError(
            "tallow.demo: expected the gradio package, got none; pip install 'tallow[demo]'"
        ) from error


def _fill(gradio, tab):
    asks = {
        "sketch": lambda: gradio.Sketchpad(
            label="Draw", canvas_size=(280, 280), height=400, layers=False, transforms=(),
            brush=gradio.Brush(default_size=14, colors=["#000000"], color_mode="fixed"),
        ),
        "picture": lambda: gradio.Image(label="Picture", type="filepath", height=320),
        "sound": lambda: gradio.Audio(label="Recording", type="filepath", buttons=[]),
        "text": lambda: gradio.Textbox(label="Text", lines=3, max_length=5000),
    }  # fmt: skip
    shows = {
        "shares": lambda label: gradio.Label(label=label, num_top_classes=5),
        "picture": lambda label: gradio.Image(label=label, buttons=[]),
        "html": lambda label: gradio.HTML(label=label, elem_classes="answer"),
    }
    gradio.Markdown(tab.about)
    with gradio.Row():
        with gradio.Column():
            given = asks[tab.asks]()
            if tab.asks in FILES:  # Gradio opens some itself, and says nothing of what it cannot
                given.preprocess = lambda file: file and file.path
            button = gradio.Button(tab.button, variant="primary")
            if tab.examples:
                gradio.Examples(tab.examples, given, label="For example")
        with gradio.Column():
            shown = [shows[kind](label) for label, kind in tab.shows.items()]

    def answer(value):
        try:
            found = tab.answer(_taken(tab.asks, value))
        except (TallowError, OSError) as error:
            text = str(error)
            if tab.asks in FILES and value:  # its name, not where it is kept
                text = text.replace(value, os.path.basename(value))
            raise gradio.Error(text, print_exception=False) from None
        return found if len(found) > 1 else found[0]

    enter = [given.submit] if tab.asks == "text" else []
    gradio.on([button.click, *enter], answer, given, shown, api_name=False)


def _taken(kind, value):
    """What a component gave, in the form that an answer takes; ArgumentError for nothing."""
    if kind == "sketch" and value is not None:
        value = value["composite"]
    if value is None or kind == "sketch" and not value[..., 3].any():
        raise ArgumentError(f"{kind}: expected one, got none")
    if kind == "sketch":
        grey, opaque = value[..., :3].mean(-1), value[..., 3] / 255
        value = ((255 - grey) * opaque).round().astype(np.uint8)
    return value
