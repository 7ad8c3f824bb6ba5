"""Sequence to sequence by recurrent networks, with attention (Luong et al., 2015)."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tallowtext.models._generation import Writer, reordering

__all__ = ["Seq2Seq"]


class Seq2Seq(Writer, nn.Module):
    """Tokens (N, S) and (N, L) to scores (N, L, target_vocab) of what follows each of the latter.

    A bidirectional GRU reads the source; a GRU that starts from its last states writes, and looks
    at all of the source at each step. Targets begin with `start_idx`; `padding_idx` fills both up.
    `generate(source)` writes a target.

    >>> import tallow
    >>> from tallowtext.models import Seq2Seq
    >>> model = Seq2Seq(source_vocab=20, target_vocab=10, hidden_size=16).eval()
    >>> source, target = tallow.tensor([[5, 6, 7]]), tallow.tensor([[1, 4]])
    >>> tuple(model(source, target).shape)
    (1, 2, 10)
    >>> tuple(model.generate(source, max_new_tokens=3).shape)
    (1, 4)
    """

    def __init__(
        self, source_vocab, target_vocab, embedding_dim=64, hidden_size=128, dropout=0.0,
        padding_idx=0, start_idx=1,
    ):  # fmt: skip
        super().__init__()
        self.padding_idx, self.start_idx = padding_idx, start_idx
        self.source_embedding = nn.Embedding(source_vocab, embedding_dim, padding_idx)
        self.target_embedding = nn.Embedding(target_vocab, embedding_dim, padding_idx)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.GRU(embedding_dim, hidden_size, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hidden_size, hidden_size)
        self.memory = nn.Linear(2 * hidden_size, hidden_size)
        self.decoder = nn.GRU(embedding_dim, hidden_size, batch_first=True)
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.fc = nn.Linear(hidden_size, target_vocab)

    def forward(self, source, target):
        return self._decode(target, *self._encode(source))[0]

    def attention(self, source, target):
        """How much each of the source's tokens counts at each of the target's, (N, L, S)."""
        return self._decode(target, *self._encode(source))[2]

    def _encode(self, source):
        """What is attended to (N, S, hidden), which of it is real, and a state (N, 1, hidden)."""
        if source.ndim != 2 or not source.numel():
            raise ArgumentError(
                f"Seq2Seq: expected a source (batch, length), got {tuple(source.shape)}"
            )
        real, embedded = source != self.padding_idx, self.source_embedding(source)
        packed = pack_padded_sequence(
            self.dropout(embedded), real.sum(1).clamp(1).cpu(), batch_first=True,
            enforce_sorted=False,
        )  # fmt: skip
        outputs, states = self.encoder(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=source.shape[1])
        state = tallow.tanh(self.bridge(states.transpose(0, 1).flatten(1)))
        return self.memory(outputs), real[:, None], state[:, None]

    def _decode(self, target, memory, real, state):
        """Scores (N, L, target_vocab), the last state, and where it looked (N, L, S)."""
        embedded = self.dropout(self.target_embedding(target))
        outputs, state = self.decoder(embedded, state.transpose(0, 1).contiguous())
        fits = (outputs @ memory.mT / memory.shape[-1] ** 0.5).masked_fill(~real, -tallow.inf)
        weights = F.softmax(fits, -1)
        x = tallow.tanh(self.combine(tallow.cat([outputs, weights @ memory], -1)))
        return self.fc(self.dropout(x)), state.transpose(0, 1), weights

    def _reader(self, tokens, mask, new, beams):
        """`read`, `reorder` and the first tokens for `_generation`."""
        memory, real, state = (x.repeat_interleave(beams, 0) for x in self._encode(tokens))
        cache = [(state,)]

        def read(following):
            scores, state, _ = self._decode(following, memory, real, *cache[0])
            cache[0] = (state,)
            return scores[:, -1]

        shape = (len(tokens), 1)
        first = tallow.full(shape, self.start_idx, dtype=tallow.long, device=tokens.device)
        return read, reordering(cache), first
