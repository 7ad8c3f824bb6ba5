"""Tacotron 2: mel spectrograms from text (Shen et al., 2018)."""

import warnings

import tallow
from tallow import nn
from tallow.errors import ShapeError, describe
from tallow.nn.functional import dropout
from tallow.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tallowaudio.models._common import check_lengths, padding_mask


def _linear(inputs, outputs, bias=True, gain="linear"):
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain(gain))
    return layer


def _convolution(inputs, outputs, kernel, bias=True, gain="linear"):
    layer = nn.Conv1d(inputs, outputs, kernel, padding=(kernel - 1) // 2, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain(gain))
    return layer


class _LocationLayer(nn.Module):
    """What earlier attention (N, 2, symbols), the last and the sum, adds: (N, symbols, dim)."""

    def __init__(self, filters, kernel, dim):
        super().__init__()
        self.location_conv = _convolution(2, filters, kernel, bias=False)
        self.location_dense = _linear(filters, dim, bias=False, gain="tanh")

    def forward(self, attention):
        return self.location_dense(self.location_conv(attention).transpose(1, 2))


class _Attention(nn.Module):
    """Which symbols the decoder looks at: their encoding (N, dim), and shares (N, symbols)."""

    def __init__(self, query, memory, dim, filters, kernel):
        super().__init__()
        self.query_layer = _linear(query, dim, bias=False, gain="tanh")
        self.memory_layer = _linear(memory, dim, bias=False, gain="tanh")
        self.v = _linear(dim, 1, bias=False)
        self.location_layer = _LocationLayer(filters, kernel, dim)

    def forward(self, hidden, memory, processed_memory, attention, mask):
        query = self.query_layer(hidden[:, None])
        energies = self.v((query + self.location_layer(attention) + processed_memory).tanh())
        shares = energies[..., 0].masked_fill(mask, float("-inf")).softmax(1)
        return (shares[:, None] @ memory)[:, 0], shares


class _Prenet(nn.Module):
    """Two layers whose dropout stays in inference, as in the paper."""

    def __init__(self, inputs, sizes):
        super().__init__()
        self.layers = nn.ModuleList(
            _linear(a, b, bias=False) for a, b in zip([inputs, *sizes], sizes, strict=False)
        )

    def forward(self, x):
        for layer in self.layers:
            x = dropout(layer(x).relu(), 0.5, True)
        return x


def _normalised(inputs, outputs, kernel, gain):
    return nn.Sequential(_convolution(inputs, outputs, kernel, gain=gain), nn.BatchNorm1d(outputs))


class _Postnet(nn.Module):
    """What convolutions add to a spectrogram (N, n_mels, frames)."""

    def __init__(self, n_mels, dim, kernel, count):
        super().__init__()
        widths = [n_mels, *[dim] * (count - 1), n_mels]
        gains = ["tanh"] * (count - 1) + ["linear"]
        self.convolutions = nn.ModuleList(
            _normalised(widths[i], widths[i + 1], kernel, gain) for i, gain in enumerate(gains)
        )

    def forward(self, x):
        *inner, last = self.convolutions
        for convolution in inner:
            x = dropout(convolution(x).tanh(), 0.5, self.training)
        return dropout(last(x), 0.5, self.training)


class _Encoder(nn.Module):
    """Embedded symbols (N, dim, symbols) -> (N, symbols, dim)."""

    def __init__(self, dim, count, kernel):
        super().__init__()
        self.convolutions = nn.ModuleList(
            _normalised(dim, dim, kernel, "relu") for _ in range(count)
        )
        self.lstm = nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        for convolution in self.convolutions:
            x = dropout(convolution(x).relu(), 0.5, self.training)
        packed = pack_padded_sequence(
            x.transpose(1, 2), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        return pad_packed_sequence(self.lstm(packed)[0], True, total_length=x.shape[2])[0]


class _Decoder(nn.Module):
    """Frames one after another, each from the frame before and the symbols looked at."""

    def __init__(
        self, n_mels, n_frames_per_step, encoder_embedding_dim, decoder_rnn_dim, decoder_max_step,
        decoder_dropout, decoder_early_stopping, attention_rnn_dim, attention_hidden_dim,
        attention_location_n_filter, attention_location_kernel_size, attention_dropout, prenet_dim,
        gate_threshold,
    ):  # fmt: skip
        super().__init__()
        self.n_mels = n_mels
        self.width = n_mels * n_frames_per_step
        self.attention_rnn_dim = attention_rnn_dim
        self.decoder_rnn_dim = decoder_rnn_dim
        self.decoder_max_step = decoder_max_step
        self.decoder_early_stopping = decoder_early_stopping
        self.attention_dropout = attention_dropout
        self.decoder_dropout = decoder_dropout
        self.gate_threshold = gate_threshold
        memory = encoder_embedding_dim
        self.prenet = _Prenet(self.width, [prenet_dim, prenet_dim])
        self.attention_rnn = nn.LSTMCell(prenet_dim + memory, attention_rnn_dim)
        self.attention_layer = _Attention(
            attention_rnn_dim, memory, attention_hidden_dim, attention_location_n_filter,
            attention_location_kernel_size,
        )  # fmt: skip
        self.decoder_rnn = nn.LSTMCell(attention_rnn_dim + memory, decoder_rnn_dim)
        self.linear_projection = _linear(decoder_rnn_dim + memory, self.width)
        self.gate_layer = _linear(decoder_rnn_dim + memory, 1, gain="sigmoid")

    def _start(self, memory):
        """The state before the first frame: both cells, the attention, what it saw."""
        count, symbols, dim = memory.shape
        cells = [
            (memory.new_zeros(count, width), memory.new_zeros(count, width))
            for width in (self.attention_rnn_dim, self.decoder_rnn_dim)
        ]
        return *cells, memory.new_zeros(count, 2, symbols), memory.new_zeros(count, dim)

    def _step(self, frame, state, memory, processed, mask):
        """One frame (N, width) from the one before, its gate (N, 1), and the state after it."""
        listening, speaking, attention, context = state
        hidden, cell = self.attention_rnn(tallow.cat([frame, context], -1), listening)
        hidden = dropout(hidden, self.attention_dropout, self.training)
        context, shares = self.attention_layer(hidden, memory, processed, attention, mask)
        attention = tallow.stack([shares, attention[:, 1] + shares], 1)
        spoken, spoken_cell = self.decoder_rnn(tallow.cat([hidden, context], -1), speaking)
        spoken = dropout(spoken, self.decoder_dropout, self.training)
        heard = tallow.cat([spoken, context], 1)
        after = (hidden, cell), (spoken, spoken_cell), attention, context
        return self.linear_projection(heard), self.gate_layer(heard), after

    def _gathered(self, frames, gates, alignments):
        """Spectrograms (N, n_mels, frames), gates (N, steps), alignments (N, steps, symbols)."""
        frames = tallow.stack(frames, 1)
        mels = frames.reshape(len(frames), -1, self.n_mels).transpose(1, 2)
        return mels, tallow.cat(gates, 1), tallow.stack(alignments, 1)

    def forward(self, memory, mel_specgram_truth, memory_lengths):
        truth = mel_specgram_truth.transpose(1, 2)
        truth = truth.reshape(len(truth), -1, self.width).transpose(0, 1)  # (steps, N, width)
        before = self.prenet(tallow.cat([tallow.zeros_like(truth[:1]), truth]))
        mask = padding_mask(memory_lengths, memory.shape[1])
        processed, state = self.attention_layer.memory_layer(memory), self._start(memory)
        frames, gates, alignments = [], [], []
        for step in range(len(truth)):
            frame, gate, state = self._step(before[step], state, memory, processed, mask)
            frames.append(frame)
            gates.append(gate)
            alignments.append(state[2][:, 0])
        return self._gathered(frames, gates, alignments)

    def infer(self, memory, memory_lengths):
        """As `forward`, each frame from the one made before, until all gates open; and lengths."""
        mask = padding_mask(memory_lengths, memory.shape[1])
        processed, state = self.attention_layer.memory_layer(memory), self._start(memory)
        frame = memory.new_zeros(len(memory), self.width)
        lengths = tallow.zeros(len(memory), dtype=tallow.int32)
        finished = tallow.zeros(len(memory), dtype=tallow.bool)
        frames, gates, alignments = [], [], []
        for _ in range(self.decoder_max_step):
            frame, gate, state = self._step(self.prenet(frame), state, memory, processed, mask)
            frames.append(frame)
            gates.append(gate)
            alignments.append(state[2][:, 0])
            lengths = lengths + (~finished).int()
            finished = finished | (gate[:, 0].sigmoid() > self.gate_threshold)
            if self.decoder_early_stopping and bool(finished.all()):
                break
        else:
            warnings.warn(
                f"Tacotron2: stopped at decoder_max_step, {self.decoder_max_step}; the spectrogram "
                "may not hold the whole text",
                stacklevel=3,
            )
        mels, gates, alignments = self._gathered(frames, gates, alignments)
        return mels, lengths, gates, alignments


class Tacotron2(nn.Module):
    """Mel spectrograms from symbols (N, symbols), padded, of lengths (N,).

    Shen et al., "Natural TTS Synthesis by Conditioning WaveNet on Mel Spectrogram Predictions",
    2018. `mask_padding` clears what lies beyond the spectrograms' lengths; `n_frames_per_step`
    frames are made at once, `decoder_max_step` times at most; a gate over `gate_threshold` ends.
    """

    def __init__(
        self, mask_padding=False, n_mels=80, n_symbol=148, n_frames_per_step=1,
        symbol_embedding_dim=512, encoder_embedding_dim=512, encoder_n_convolution=3,
        encoder_kernel_size=5, decoder_rnn_dim=1024, decoder_max_step=2000, decoder_dropout=0.1,
        decoder_early_stopping=True, attention_rnn_dim=1024, attention_hidden_dim=128,
        attention_location_n_filter=32, attention_location_kernel_size=31, attention_dropout=0.1,
        prenet_dim=256, postnet_n_convolution=5, postnet_kernel_size=5, postnet_embedding_dim=512,
        gate_threshold=0.5,
    ):  # fmt: skip
        super().__init__()
        self.mask_padding = mask_padding
        self.n_mels = n_mels
        self.n_frames_per_step = n_frames_per_step
        self.embedding = nn.Embedding(n_symbol, symbol_embedding_dim)
        nn.init.xavier_uniform_(self.embedding.weight)
        self.encoder = _Encoder(encoder_embedding_dim, encoder_n_convolution, encoder_kernel_size)
        self.decoder = _Decoder(
            n_mels, n_frames_per_step, encoder_embedding_dim, decoder_rnn_dim, decoder_max_step,
            decoder_dropout, decoder_early_stopping, attention_rnn_dim, attention_hidden_dim,
            attention_location_n_filter, attention_location_kernel_size, attention_dropout,
            prenet_dim, gate_threshold,
        )  # fmt: skip
        self.postnet = _Postnet(
            n_mels, postnet_embedding_dim, postnet_kernel_size, postnet_n_convolution
        )

    def _encode(self, tokens, lengths):
        if tokens.ndim != 2:
            raise ShapeError(f"Tacotron2: expected tokens (N, symbols), got {describe(tokens)}")
        check_lengths("Tacotron2", lengths, *tokens.shape)
        return self.encoder(self.embedding(tokens).transpose(1, 2), lengths)

    def forward(self, tokens, token_lengths, mel_specgram, mel_specgram_lengths):
        """Spectrograms (N, n_mels, frames) before and after the post-net, gates (N, steps), and
        alignments (N, steps, symbols), each frame given those of `mel_specgram` before it.
        """
        frames = mel_specgram.shape[-1]
        if frames % self.n_frames_per_step:
            raise ShapeError(
                f"Tacotron2: expected a multiple of {self.n_frames_per_step} frames, got {frames}"
            )
        memory = self._encode(tokens, token_lengths)
        mels, gates, alignments = self.decoder(memory, mel_specgram, token_lengths)
        after = mels + self.postnet(mels)
        if self.mask_padding:
            mask = padding_mask(mel_specgram_lengths, frames)
            mels, after = (x.masked_fill(mask[:, None], 0.0) for x in (mels, after))
            gates = gates.masked_fill(mask[:, :: self.n_frames_per_step], 1000.0)
        return mels, after, gates, alignments

    @tallow.no_grad()
    def infer(self, tokens, lengths=None):
        """Spectrograms (N, n_mels, frames), their lengths, and alignments (N, steps, symbols)."""
        if lengths is None:
            lengths = tallow.full((len(tokens),), tokens.shape[-1], dtype=tallow.int64)
        memory = self._encode(tokens, lengths)
        mels, frames, _, alignments = self.decoder.infer(memory, lengths)
        return mels + self.postnet(mels), frames, alignments
