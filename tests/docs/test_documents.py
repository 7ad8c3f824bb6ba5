"""The Python in every document runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(document):
    """The code of each snippet, with line numbers as in the document."""
    text = document.read_text()
    for found in SNIPPET.finditer(text):
        yield "\n" * text.count("\n", 0, found.start(1)) + found[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}  # a document is read from top to bottom
    for snippet in snippets(document):
        exec(compile(snippet, str(document), "exec"), names)


def test_the_readme_has_a_snippet():
    assert list(snippets(ROOT / "README.md"))
