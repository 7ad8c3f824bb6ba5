"""What tallowtext shows on the page of `python -m tallow.demo`."""

import re

import pytest

from tallow.errors import ArgumentError
from tallowtext import demo


@pytest.mark.parametrize("text", demo.EXAMPLES)
def test_a_sentence_is_read(text):
    (tab,) = demo.tabs()
    shares, page = tab.answer(text)
    assert set(shares) == {"negative", "positive"} and sum(shares.values()) == pytest.approx(1)
    assert re.sub("<.*?>", "", page) == text and 0 < page.count("<mark") <= 8


def test_markup_is_shown_as_it_is_typed():
    (tab,) = demo.tabs()
    _, page = tab.answer("<script>a dull & lifeless film</script>")
    assert "<script>" not in page and "&lt;" in page and "&amp;" in page
    assert re.search(r'rgb\(215 80 60 / 0.\d+\)">dull</mark>', page)


@pytest.mark.parametrize("text", ["", " ... "])
def test_a_text_without_words(text):
    (tab,) = demo.tabs()
    with pytest.raises(ArgumentError, match="expected a text with words"):
        tab.answer(text)
