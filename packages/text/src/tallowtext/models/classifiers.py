"""Classifiers of texts, from the numbers of their tokens (N, L), filled up with `padding_idx`."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.utils.rnn import pack_padded_sequence

__all__ = ["EmbeddingBagClassifier", "LSTMClassifier", "TextCNN"]


class _Classifier(nn.Module):
    """An embedding of tokens, what a subclass makes of it, and a linear layer."""

    def __init__(self, vocab_size, num_classes, embedding_dim, features, dropout, padding_idx):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(features, num_classes)

    def forward(self, tokens):
        if tokens.ndim != 2 or not tokens.numel():
            raise ArgumentError(
                f"{type(self).__name__}: expected tokens (batch, length), got "
                f"{tuple(tokens.shape)}; an empty text has no class"
            )
        real = tokens != self.embedding.padding_idx
        return self.fc(self.dropout(self._features(self.embedding(tokens), real)))


class EmbeddingBagClassifier(_Classifier):
    """The mean of the tokens' vectors, whatever their order (Joulin et al., fastText, 2017).

    >>> import tallow
    >>> from tallowtext.models import EmbeddingBagClassifier
    >>> model = EmbeddingBagClassifier(vocab_size=100, num_classes=2)
    >>> tuple(model(tallow.tensor([[5, 6, 7], [8, 0, 0]])).shape)
    (2, 2)
    """

    def __init__(self, vocab_size, num_classes, embedding_dim=64, dropout=0.0, padding_idx=0):
        super().__init__(
            vocab_size, num_classes, embedding_dim, embedding_dim, dropout, padding_idx
        )

    def _features(self, x, real):
        return x.sum(1) / real.sum(1, keepdim=True).clamp(1)


class TextCNN(_Classifier):
    """Convolutions over tokens, the highest value of each over the text (Kim, 2014)."""

    def __init__(
        self, vocab_size, num_classes, embedding_dim=64, kernel_sizes=(3, 4, 5), channels=64,
        dropout=0.5, padding_idx=0,
    ):  # fmt: skip
        features = channels * len(kernel_sizes)
        super().__init__(vocab_size, num_classes, embedding_dim, features, dropout, padding_idx)
        self.convs = nn.ModuleList(nn.Conv1d(embedding_dim, channels, k) for k in kernel_sizes)

    def _features(self, x, real):
        widths = [conv.kernel_size[0] for conv in self.convs]
        x = F.pad(x.transpose(1, 2), (0, max(max(widths) - x.shape[1], 0)))
        highest = []
        for conv, width in zip(self.convs, widths, strict=True):
            found = conv(x)  # (N, channels, windows)
            within = (real.sum(1) - width + 1).clamp(1)  # windows that do not reach into padding
            beyond = tallow.arange(found.shape[2], device=x.device) >= within[:, None]
            highest.append(found.masked_fill(beyond[:, None], -tallow.inf).amax(2))
        return F.relu(tallow.cat(highest, 1))


class LSTMClassifier(_Classifier):
    """The last states of an LSTM that reads the text, both ways if `bidirectional`."""

    def __init__(
        self, vocab_size, num_classes, embedding_dim=64, hidden_size=64, num_layers=1,
        bidirectional=True, dropout=0.5, padding_idx=0,
    ):  # fmt: skip
        features = hidden_size * (2 if bidirectional else 1)
        super().__init__(vocab_size, num_classes, embedding_dim, features, dropout, padding_idx)
        self.lstm = nn.LSTM(
            embedding_dim, hidden_size, num_layers, batch_first=True, bidirectional=bidirectional
        )

    def _features(self, x, real):
        lengths = real.sum(1).clamp(1).cpu()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (states, _) = self.lstm(packed)
        ways = 2 if self.lstm.bidirectional else 1
        return states[-ways:].transpose(0, 1).flatten(1)
