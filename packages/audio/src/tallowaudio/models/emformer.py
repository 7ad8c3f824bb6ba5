"""The Emformer: attention over segments with some context, for streaming (Shi et al., 2021)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe
from tallowaudio.models._common import activation as activation_of
from tallowaudio.models._common import check_lengths, padding_mask


def _gains(strategy, layers):
    """What the initial weights of each layer's projections are scaled by."""
    if strategy is None:
        return [None] * layers
    if strategy == "depthwise":
        return [1.0 / math.sqrt(layer + 1) for layer in range(layers)]
    if strategy == "constant":
        return [1.0 / math.sqrt(2)] * layers
    raise ArgumentError(
        f"weight_init_scale_strategy: expected 'depthwise', 'constant' or None, got {strategy!r}"
    )


class _Attention(nn.Module):
    """Attention of right context, utterance and summaries over memory, right context and utterance.

    All are (time, N, dim).
    """

    def __init__(self, dim, heads, dropout, gain, tanh_on_mem, negative_inf):
        super().__init__()
        if dim % heads:
            raise ArgumentError(
                f"Emformer: expected input_dim to be a multiple of num_heads, got {dim} and {heads}"
            )
        self.num_heads = heads
        self.dropout = dropout
        self.tanh_on_mem = tanh_on_mem
        self.negative_inf = negative_inf
        self.emb_to_key_value = nn.Linear(dim, 2 * dim)
        self.emb_to_query = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)
        if gain:
            nn.init.xavier_uniform_(self.emb_to_key_value.weight, gain=gain)
            nn.init.xavier_uniform_(self.emb_to_query.weight, gain=gain)

    def _heads(self, x):
        """(time, N, dim) -> (N, heads, time, dim / heads)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).permute(1, 2, 0, 3)

    def forward(self, utterance, lengths, right, summary, memory, forbidden, past=None):
        """What the right context and utterance become, the next memory, and keys and values of the
        utterance. `forbidden` (queries, keys) says where not to look; `past` are keys and values.
        """
        query = self.emb_to_query(tallow.cat([right, utterance, summary]))
        both = self.emb_to_key_value(tallow.cat([memory, right, utterance]))
        key, value = both.chunk(2, 2)
        ahead = len(memory) + len(right) + len(utterance) - int(lengths.max())
        if past is not None:
            key = tallow.cat([key[:ahead], past[0], key[ahead:]])
            value = tallow.cat([value[:ahead], past[1], value[ahead:]])
        query, own = self._heads(query), self._heads(key)
        scores = (query * query.shape[-1] ** -0.5) @ own.transpose(2, 3)
        scores = scores.masked_fill(forbidden, self.negative_inf)
        if utterance.shape[1] > 1:
            valid = lengths + (len(key) - int(lengths.max()))
            scores = scores.masked_fill(padding_mask(valid)[:, None, None], self.negative_inf)
        shares = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        found = (shares @ self._heads(value)).permute(2, 0, 1, 3).flatten(2)
        found = self.out_proj(found)
        heard, summed = found[: len(found) - len(summary)], found[len(found) - len(summary) :]
        summed = summed.tanh() if self.tanh_on_mem else summed.clamp(-10, 10)
        own_from = len(memory) + len(right)
        return heard, summed, (key[own_from:], value[own_from:])


class _Layer(nn.Module):
    def __init__(
        self, dim, heads, hidden, segment, dropout, activation, left, memories, gain, tanh_on_mem,
        negative_inf,
    ):  # fmt: skip
        super().__init__()
        self.attention = _Attention(dim, heads, dropout, gain, tanh_on_mem, negative_inf)
        self.dropout = nn.Dropout(dropout)
        self.pos_ff = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, hidden),
            activation_of(activation, ("relu", "gelu", "silu")), nn.Dropout(dropout),
            nn.Linear(hidden, dim), nn.Dropout(dropout),
        )  # fmt: skip
        self.layer_norm_input = nn.LayerNorm(dim)
        self.layer_norm_output = nn.LayerNorm(dim)
        self.segment, self.left, self.memories, self.dim = segment, left, memories, dim

    def summaries(self, utterance):
        """The mean of each segment: (segments, N, dim); none without memory."""
        return _means(utterance, self.segment) if self.memories else utterance[:0]

    def _step(self, utterance, right, attend):
        """Normalise, `attend`, and the feed-forward step."""
        both = tallow.cat([right, utterance])
        normal = self.layer_norm_input(both)
        heard, *rest = attend(normal[len(right) :], normal[: len(right)])
        x = self.dropout(heard) + both
        x = self.layer_norm_output(x + self.pos_ff(x))
        return x[len(right) :], x[: len(right)], *rest

    def forward(self, utterance, lengths, right, memory, forbidden):
        def attend(utterance, right):
            summary = self.summaries(utterance)
            return self.attention(utterance, lengths, right, summary, memory, forbidden)

        utterance, right, memory, _ = self._step(utterance, right, attend)
        return utterance, right, memory[:-1]

    def infer(self, utterance, lengths, right, state, memory):
        """One segment. The state: memory, left keys and values, (1, N) frames heard before."""
        if state is None:
            shapes = (self.memories, self.left, self.left)
            state = [utterance.new_zeros(n, utterance.shape[1], self.dim) for n in shapes]
            state.append(tallow.zeros(1, utterance.shape[1], dtype=tallow.int32))
        heard = int(state[3][0, 0])
        kept = min(self.memories, math.ceil(heard / self.segment))
        memories = state[0][self.memories - kept :]
        past = [x[self.left - min(self.left, heard) :] for x in state[1:3]]

        def attend(utterance, right):
            summary = self.summaries(utterance)[:1]
            queries = len(right) + len(utterance) + len(summary)
            keys = len(memories) + len(right) + len(past[0]) + len(utterance)
            forbidden = tallow.zeros(queries, keys, dtype=tallow.bool)
            forbidden[-1, : len(memories)] = True
            return self.attention(utterance, lengths, right, summary, memories, forbidden, past)

        frames = len(utterance)
        utterance, right, summed, own = self._step(utterance, right, attend)
        # with a left context, keys and values begin with it
        keys, values = (tallow.cat(pair) for pair in zip(state[1:3], own, strict=True))
        state = [
            tallow.cat([state[0], memory])[-self.memories :] if self.memories else state[0],
            keys[len(keys) - self.left :],
            values[len(values) - self.left :],
            state[3] + frames,
        ]
        return utterance, right, state, summed


def _means(x, segment):
    """The means over segments of (time, N, dim), the last maybe a shorter one."""
    return nn.functional.avg_pool1d(x.permute(1, 2, 0), segment, segment, ceil_mode=True).permute(
        2, 0, 1
    )


class Emformer(nn.Module):
    """Features (N, time, input_dim) in the context of their segments, whole or as they come.

    Frames of a segment see it, `left_context_length` frames before, `right_context_length` after,
    and summaries of `max_memory_size` segments before. Shi et al., "Emformer: Efficient Memory
    Transformer Based Acoustic Model for Low Latency Streaming Speech Recognition", 2021.

    >>> import tallow
    >>> from tallowaudio.models import Emformer
    >>> model = Emformer(16, 4, 32, 2, segment_length=4, right_context_length=1)
    >>> out, lengths = model(tallow.rand(2, 13, 16), tallow.tensor([12, 9]))
    >>> out.shape
    tallow.Size([2, 12, 16])
    >>> out, lengths, state = model.infer(tallow.rand(2, 5, 16), tallow.tensor([5, 5]))
    >>> out.shape
    tallow.Size([2, 4, 16])
    """

    def __init__(
        self, input_dim, num_heads, ffn_dim, num_layers, segment_length, dropout=0.0,
        activation="relu", left_context_length=0, right_context_length=0, max_memory_size=0,
        weight_init_scale_strategy="depthwise", tanh_on_mem=False, negative_inf=-1e8,
    ):  # fmt: skip
        super().__init__()
        self.emformer_layers = nn.ModuleList(
            _Layer(
                input_dim, num_heads, ffn_dim, segment_length, dropout, activation,
                left_context_length, max_memory_size, gain, tanh_on_mem, negative_inf,
            )
            for gain in _gains(weight_init_scale_strategy, num_layers)
        )  # fmt: skip
        self.segment_length = segment_length
        self.left_context_length = left_context_length
        self.right_context_length = right_context_length
        self.max_memory_size = max_memory_size

    def _forbidden(self, frames):
        """Where no query (right context, utterance, summaries) looks for a key (memory, right
        context, utterance).
        """
        length, ahead = self.segment_length, self.right_context_length
        segments = math.ceil(frames / length)
        segment, time = tallow.arange(segments), tallow.arange(frames)
        parts = [segment.repeat_interleave(ahead), time // length]  # each query's segment
        if self.max_memory_size:
            parts.append(segment)
        query = tallow.cat(parts)[:, None]
        right = segment.repeat_interleave(ahead) == query
        own = time // length == query
        before = (time < query * length) & (time >= query * length - self.left_context_length)
        seen = [right, own | before]
        if self.max_memory_size:
            memory = segment[:-1]
            remembered = (memory < query) & (memory >= query - self.max_memory_size)
            remembered[-segments:] = False  # a summary is of its segment alone
            seen.insert(0, remembered)
        return ~tallow.cat(seen, 1)

    def _right_context(self, x):
        """What follows each segment of (time, N, dim), the last segment's being the end."""
        ahead, frames = self.right_context_length, len(x) - self.right_context_length
        starts = tallow.arange(self.segment_length, frames, self.segment_length)
        places = tallow.cat([starts, tallow.tensor([frames])])[:, None] + tallow.arange(ahead)
        return x[places.flatten()]

    def forward(self, input, lengths):
        """Of whole utterances, whose last `right_context_length` frames are context alone; the
        `lengths` (N,) in frames are without them.
        """
        if input.ndim != 3 or input.shape[1] <= self.right_context_length:
            raise ShapeError(
                f"Emformer: expected (N, time, input_dim) of more than {self.right_context_length} "
                f"frames, got {describe(input)}"
            )
        frames = input.shape[1] - self.right_context_length
        check_lengths("Emformer", lengths, len(input), input.shape[1])
        input = input.transpose(0, 1)
        right, x = self._right_context(input), input[:frames]
        forbidden = self._forbidden(frames)
        memory = _means(x, self.segment_length)[:-1] if self.max_memory_size else x[:0]
        for layer in self.emformer_layers:
            x, right, memory = layer(x, lengths, right, memory, forbidden)
        return x.transpose(0, 1), lengths

    def infer(self, input, lengths, states=None):
        """Of one segment and its right context, given the states that the call before returned."""
        expected = self.segment_length + self.right_context_length
        if input.ndim != 3 or input.shape[1] != expected:
            raise ShapeError(
                f"Emformer.infer: expected (N, {expected}, input_dim), a segment and its right "
                f"context, got {describe(input)}"
            )
        input = input.transpose(0, 1)
        x, right = input[: self.segment_length], input[self.segment_length :]
        lengths = (lengths - self.right_context_length).clamp(min=0)
        memory = _means(x, self.segment_length) if self.max_memory_size else x[:0]
        found = []
        for i, layer in enumerate(self.emformer_layers):
            before = None if states is None else states[i]
            x, right, state, memory = layer.infer(x, lengths, right, before, memory)
            found.append(state)
        return x.transpose(0, 1), lengths, found
