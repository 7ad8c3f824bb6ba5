"""The Python in every document, and in every notebook, runs."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
NOTEBOOKS = {path.stem: path for path in ROOT.glob("docs/**/*.ipynb")}
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUICK = ["quickstart"]  # notebooks that take less than five seconds


def snippets(document):
    """The code of each snippet, with line numbers as in the document."""
    text = document.read_text()
    for found in SNIPPET.finditer(text):
        yield "\n" * text.count("\n", 0, found.start(1)) + found[1]


def run(document, texts, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {"__name__": "__main__"}  # a document is read from top to bottom
    for text in texts:
        exec(compile(text, str(document), "exec"), names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_run(document, tmp_path, monkeypatch):
    run(document, snippets(document), tmp_path, monkeypatch)


def test_the_readme_has_a_snippet():
    assert list(snippets(ROOT / "README.md"))


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in sorted(NOTEBOOKS)],
)
def test_notebooks_run(name, tmp_path, monkeypatch):
    for package in ("matplotlib", "sklearn"):
        pytest.importorskip(package)
    monkeypatch.setenv("MPLBACKEND", "agg")
    cells = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    run(name, code, tmp_path, monkeypatch)
    import matplotlib.pyplot

    matplotlib.pyplot.close("all")


def test_notebooks_are_kept_without_outputs():
    """What they show depends on the machine, and would be in every difference."""
    assert NOTEBOOKS.keys() > set(QUICK)
    for path in NOTEBOOKS.values():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        for cell in notebook["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, path.name
