"""What `python -m tallow.demo` shows of tallowtext."""

from functools import cache
from html import escape

from tallow.demo import Tab
from tallow.errors import ArgumentError
from tallowtext.models import Reader

EXAMPLES = [
    "A small gem: honest, moving and wonderfully acted.",
    "The actors do what they can, but the story is a mess.",
    "Two hours of my life that I will never get back.",
]


def tabs():
    """The mood of sentences."""
    return [
        Tab(
            "The mood of a sentence",
            "A classifier that learned from sentences of film reviews. Words in green spoke for "
            "positive, words in red for negative.",
            "text", {"Mood": "shares", "The words that mattered": "html"}, _mood, "Read it",
            EXAMPLES,
        ),
    ]  # fmt: skip


@cache
def _reader():
    return Reader("sentiment", top_k=2, words=8)


def _mood(text):
    (answer,) = _reader()([text])
    if "error" in answer:
        raise ArgumentError(answer["error"])
    return [answer["classes"], marked(answer)]


def marked(answer):
    """The text of a `Reader`'s answer as HTML: words green for "positive", red for "negative".

    >>> from tallowtext.demo import marked
    >>> word = {"word": "fine", "start": 2, "end": 6, "importance": 1.5}
    >>> marked({"text": "a fine & film", "label": "positive", "words": [word]})
    'a <mark style="background: rgb(70 170 90 / 0.60)">fine</mark> &amp; film'
    """
    text, shown, end = answer["text"], "", 0
    most = max(abs(word["importance"]) for word in answer["words"]) or 1
    for word in answer["words"]:
        positive = (answer["label"] == "positive") == (word["importance"] > 0)
        colour = "70 170 90" if positive else "215 80 60"
        strength = 0.1 + 0.5 * abs(word["importance"]) / most
        shown += escape(text[end : word["start"]])
        shown += f'<mark style="background: rgb({colour} / {strength:.2f})">'
        shown += escape(word["word"]) + "</mark>"
        end = word["end"]
    return shown + escape(text[end:])
