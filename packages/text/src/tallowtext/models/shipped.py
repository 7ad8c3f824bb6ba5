"""Small models that came with the package, and work offline; `tools/pretrain` trained them."""

import json
from functools import partial

from tallowtext.models._weights import FOLDER, Weights, WeightsEnum
from tallowtext.models.gpt2 import GPT2Model
from tallowtext.models.ngrams import NgramClassifier, NgramFeatures
from tallowtext.tokenizer import Tokenizer
from tallowtext.vocab import Vectors

__all__ = [
    "News_Weights", "Sentiment_Weights", "ShakespeareGPT_Weights", "WordVectors_Weights",
    "news", "sentiment", "shakespeare_gpt", "word_vectors",
]  # fmt: skip

FACTS = json.loads((FOLDER / "shipped.json").read_text(encoding="utf-8"))


def _weights(name, transforms):
    facts = FACTS[name]
    return Weights(facts["file"], transforms, facts | {"card": str(FOLDER / f"{name}.md")})


class Sentiment_Weights(WeightsEnum):  # noqa: N801, as torchvision names them
    """Weights of `sentiment`."""

    SST2_V1 = _weights("sentiment", partial(NgramFeatures, FACTS["sentiment"]["buckets"]))
    DEFAULT = SST2_V1


class News_Weights(WeightsEnum):  # noqa: N801
    """Weights of `news`."""

    AG_NEWS_V1 = _weights("news", partial(NgramFeatures, FACTS["news"]["buckets"]))
    DEFAULT = AG_NEWS_V1


class ShakespeareGPT_Weights(WeightsEnum):  # noqa: N801
    """Weights of `shakespeare_gpt`; its transforms are the tokenizer."""

    TINYSHAKESPEARE_V1 = _weights(
        "shakespeare_gpt", partial(Tokenizer.from_pretrained, FOLDER / "shakespeare_gpt")
    )
    DEFAULT = TINYSHAKESPEARE_V1


class WordVectors_Weights(WeightsEnum):  # noqa: N801
    """Weights of `word_vectors`."""

    SMALL_V1 = _weights("word_vectors", lambda: str.lower)
    DEFAULT = SMALL_V1


def _ngrams(enum, weights, classes):
    weights = enum.verify(weights)
    buckets = (weights or enum.DEFAULT).meta["buckets"]
    model = NgramClassifier(classes, buckets)
    if weights is not None:
        model.load_state_dict(weights.get_state_dict())
    return model.eval()


def sentiment(weights=Sentiment_Weights.DEFAULT):
    """Whether sentences of film reviews are negative (0) or positive (1).

    >>> from tallowtext.models import Sentiment_Weights, sentiment
    >>> model, features = sentiment(), Sentiment_Weights.DEFAULT.transforms()
    >>> model(*features(["a dull mess", "a wonderful film"])).argmax(1).tolist()
    [0, 1]
    """
    return _ngrams(Sentiment_Weights, weights, 2)


def news(weights=News_Weights.DEFAULT):
    """What news are about: `News_Weights.DEFAULT.meta["categories"]`.

    >>> from tallowtext.models import News_Weights, news
    >>> scores = news()(*News_Weights.DEFAULT.transforms()("The striker scored twice in the final"))
    >>> News_Weights.DEFAULT.meta["categories"][scores.argmax()]
    'Sports'
    """
    return _ngrams(News_Weights, weights, 4)


def shakespeare_gpt(weights=ShakespeareGPT_Weights.DEFAULT):
    """A small GPT-2 that writes lines as in Shakespeare's plays, or an untrained one.

    >>> import tallow
    >>> from tallowtext.models import ShakespeareGPT_Weights, shakespeare_gpt
    >>> model, tokenizer = shakespeare_gpt(), ShakespeareGPT_Weights.DEFAULT.transforms()
    >>> written = model.generate(tallow.tensor([tokenizer.encode("ROMEO:")]), 20)
    >>> tokenizer.decode(written[0]).startswith("ROMEO:")
    True
    """
    known = ShakespeareGPT_Weights.verify(weights)
    model = GPT2Model.from_pretrained((known or ShakespeareGPT_Weights.DEFAULT).path.parent)
    return model if known is not None else GPT2Model(model.config)


def word_vectors(weights=WordVectors_Weights.DEFAULT):
    """`vocab.Vectors` of 10,000 words in 64 dimensions, learnt from the texts of the other models.

    >>> from tallowtext.models import word_vectors
    >>> vectors = word_vectors()
    >>> "tuesday" in [word for word, _ in vectors.nearest("monday", 5)]
    True
    """
    weights = WordVectors_Weights.verify(weights)
    words = (FOLDER / "word_vectors.txt").read_text(encoding="utf-8").split()
    return Vectors.of(words, weights.get_state_dict()["vectors"])
