"""Deep Speech."""

from tallow import nn
from tallow.errors import ShapeError, describe


class FullyConnected(nn.Module):
    """A linear layer, a rectifier that stops at `relu_max_clip`, and dropout."""

    def __init__(self, n_feature, n_hidden, dropout, relu_max_clip=20):
        super().__init__()
        self.fc = nn.Linear(n_feature, n_hidden)
        self.relu_max_clip = relu_max_clip
        self.dropout = dropout

    def forward(self, x):
        x = self.fc(x).clamp(0, self.relu_max_clip)
        return nn.functional.dropout(x, self.dropout, self.training) if self.dropout else x


class DeepSpeech(nn.Module):
    """A bidirectional network over features (N, 1, time, n_feature) -> log probabilities
    (N, time, n_class).

    Hannun et al., "Deep Speech: Scaling up end-to-end speech recognition", 2014.

    >>> import tallow
    >>> from tallowaudio.models import DeepSpeech
    >>> DeepSpeech(13, 64, 29)(tallow.rand(2, 1, 50, 13)).shape
    tallow.Size([2, 50, 29])
    """

    def __init__(self, n_feature, n_hidden=2048, n_class=40, dropout=0.0):
        super().__init__()
        self.n_hidden = n_hidden
        self.fc1 = FullyConnected(n_feature, n_hidden, dropout)
        self.fc2 = FullyConnected(n_hidden, n_hidden, dropout)
        self.fc3 = FullyConnected(n_hidden, n_hidden, dropout)
        self.bi_rnn = nn.RNN(n_hidden, n_hidden, nonlinearity="relu", bidirectional=True)
        self.fc4 = FullyConnected(n_hidden, n_hidden, dropout)
        self.out = nn.Linear(n_hidden, n_class)

    def forward(self, x):
        if x.ndim != 4 or x.shape[1] != 1:
            raise ShapeError(
                f"DeepSpeech: expected (N, 1, time, {self.fc1.fc.in_features}), got {describe(x)}"
            )
        x = self.fc3(self.fc2(self.fc1(x))).squeeze(1).transpose(0, 1)  # (time, N, hidden)
        x, _ = self.bi_rnn(x)
        x = self.fc4(x[..., : self.n_hidden] + x[..., self.n_hidden :])
        return self.out(x).transpose(0, 1).log_softmax(2)
