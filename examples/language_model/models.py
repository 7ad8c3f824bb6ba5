"""Three language models: tokens (N, T) to scores (N, T, tokens) of the token that follows each."""

import tallow
from tallow import nn


class LSTM(nn.Module):
    """A recurrent network of two layers."""

    def __init__(self, tokens, width, length, dropout=0.1):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.lstm = nn.LSTM(width, width, 2, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, tokens)

    def forward(self, x):
        states, _ = self.lstm(self.embedding(x))
        return self.head(self.dropout(states))


class Transformer(nn.Module):
    """Two layers of attention, in which each token sees those before it, up to `length`."""

    def __init__(self, tokens, width, length, dropout=0.1):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.position = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width))
        self.head = nn.Linear(width, tokens)

    def forward(self, x):
        length = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=x.device)
        places = self.position(tallow.arange(length, device=x.device))
        return self.head(self.layers(self.embedding(x) + places, mask, is_causal=True))


def gpt2(tokens, width, length, dropout=0.1):
    """A GPT-2 of two layers."""
    from tallowtext.models import GPT2Conf, GPT2Model

    return GPT2Model(GPT2Conf(tokens, width, 4, 2, max_seq_len=length, dropout=dropout))


MODELS = {"lstm": LSTM, "transformer": Transformer, "gpt2": gpt2}


@tallow.no_grad()
def generate(model, start, count, length, temperature=0.8):
    """`count` tokens drawn one after another, each from what the model expects after the last."""
    model.eval()
    numbers = start
    for _ in range(count):
        scores = model(numbers[None, -length:])[0, -1] / temperature
        drawn = tallow.multinomial(scores.softmax(-1), 1)
        numbers = tallow.cat([numbers, drawn])
    return numbers
