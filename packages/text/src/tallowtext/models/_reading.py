"""What the classifiers that came with the package say of texts, and of which words."""

import tallow
from tallow.errors import ArgumentError
from tallowtext.models import shipped
from tallowtext.models.ngrams import importance

BATCH = 256


class Reader:
    """The model called `name`, "sentiment" or "news", loaded once; called with texts, it answers.

    An answer is a dict: "text", "label", "probability", "classes", the probabilities of the `top_k`
    likeliest, and "words", the `words` words that spoke most for the label or against it, in their
    order in the text, as {"word", "start", "end", "importance"}; see `importance`. For a text
    without words it has "text" and "error".

    >>> from tallowtext.models import Reader
    >>> (answer,) = Reader("sentiment", words=1)(["a wonderful film"])
    >>> answer["label"], answer["words"][0]["word"]
    ('positive', 'wonderful')
    """

    def __init__(self, name, top_k=1, words=3):
        known = {"sentiment": shipped.Sentiment_Weights, "news": shipped.News_Weights}
        if name not in known:
            raise ArgumentError(f"Reader: expected {' or '.join(known)}, got {name!r}")
        if top_k < 1 or words < 0:
            raise ArgumentError(
                f"Reader: expected top_k from 1 and words from 0, got {top_k} and {words}"
            )
        weights = known[name].DEFAULT
        self.model, self.features = getattr(shipped, name)(), weights.transforms()
        self.categories = weights.meta["categories"]
        self.top_k, self.words = min(top_k, len(self.categories)), words

    def __call__(self, texts):
        """A generator of answers, in the order of the texts."""
        for start in range(0, len(texts), BATCH):
            yield from self._batch(texts[start : start + BATCH])

    def _batch(self, texts):
        readable = [text for text in texts if self.features.split(text)]
        if readable:
            with tallow.inference_mode():
                chances = self.model(*self.features(readable)).softmax(-1)
        row = 0
        for text in texts:
            if not self.features.split(text):
                yield {"text": text, "error": f"expected a text with words, got {text[:60]!r}"}
                continue
            yield self._answer(text, chances[row])
            row += 1

    def _answer(self, text, chances):
        values, places = (part.tolist() for part in chances.topk(self.top_k))
        names = [self.categories[place] for place in places]
        spans = importance(self.model, self.features, text, places[0]) if self.words else []
        most = sorted(spans, key=lambda span: -abs(span[2]))[: self.words]
        found = [
            {"word": text[start:end], "start": start, "end": end, "importance": value}
            for start, end, value in sorted(most)
        ]
        classes = dict(zip(names, values, strict=True))
        return {
            "text": text, "label": names[0], "probability": values[0], "classes": classes,
            "words": found,
        }  # fmt: skip
