"""The recurrent neural network transducer (Graves, 2012), with an Emformer to listen."""

import tallow
from tallow import nn
from tallowaudio.models._common import activation as activation_of
from tallowaudio.models.emformer import Emformer


class _TimeReduction(nn.Module):
    """`stride` frames side by side as one: (N, time, dim) -> (N, time / stride, dim * stride)."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, input, lengths):
        frames = input.shape[1] // self.stride
        return input[:, : frames * self.stride].reshape(
            len(input), frames, input.shape[2] * self.stride
        ), lengths // self.stride


class _LSTM(nn.Module):
    """An LSTM over (time, N, dim) whose gates and cells are normalised if `layer_norm`."""

    def __init__(self, input_dim, hidden_dim, layer_norm, eps):
        super().__init__()
        self.x2g = nn.Linear(input_dim, 4 * hidden_dim, bias=not layer_norm)
        self.p2g = nn.Linear(hidden_dim, 4 * hidden_dim, bias=False)
        self.c_norm = nn.LayerNorm(hidden_dim, eps=eps) if layer_norm else nn.Identity()
        self.g_norm = nn.LayerNorm(4 * hidden_dim, eps=eps) if layer_norm else nn.Identity()
        self.hidden_dim = hidden_dim

    def forward(self, input, state):
        if state is None:
            state = [input.new_zeros(input.shape[1], self.hidden_dim) for _ in range(2)]
        hidden, cell = state
        outputs = []
        for gates in self.x2g(input):
            gates = self.g_norm(gates + self.p2g(hidden))
            enter, keep, new, leave = gates.chunk(4, 1)
            cell = self.c_norm(keep.sigmoid() * cell + enter.sigmoid() * new.tanh())
            hidden = leave.sigmoid() * cell.tanh()
            outputs.append(hidden)
        return tallow.stack(outputs), [hidden, cell]


class _EmformerEncoder(nn.Module):
    """What is heard: features (N, time, input_dim) -> (N, frames, output_dim) and their lengths."""

    def __init__(
        self, *, input_dim, output_dim, segment_length, right_context_length,
        time_reduction_input_dim, time_reduction_stride, **transformer,
    ):  # fmt: skip
        super().__init__()
        stride, width = time_reduction_stride, time_reduction_input_dim * time_reduction_stride
        self.input_linear = nn.Linear(input_dim, time_reduction_input_dim, bias=False)
        self.time_reduction = _TimeReduction(stride)
        self.transformer = Emformer(
            width, segment_length=segment_length // stride,
            right_context_length=right_context_length // stride, **transformer,
        )  # fmt: skip
        self.output_linear = nn.Linear(width, output_dim)
        self.layer_norm = nn.LayerNorm(output_dim)

    def forward(self, input, lengths):
        heard, lengths = self.transformer(*self.time_reduction(self.input_linear(input), lengths))
        return self.layer_norm(self.output_linear(heard)), lengths

    def infer(self, input, lengths, states):
        """One segment with its right context, given the states of the segment before."""
        reduced = self.time_reduction(self.input_linear(input), lengths)
        heard, lengths, states = self.transformer.infer(*reduced, states)
        return self.layer_norm(self.output_linear(heard)), lengths, states


class _Predictor(nn.Module):
    """What was said: symbols (N, U) -> (N, U, output_dim)."""

    def __init__(self, num_symbols, output_dim, dim, layers, layer_norm, eps, dropout):
        super().__init__()
        self.embedding = nn.Embedding(num_symbols, dim)
        self.input_layer_norm = nn.LayerNorm(dim)
        self.lstm_layers = nn.ModuleList(_LSTM(dim, dim, layer_norm, eps) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(dim, output_dim)
        self.output_layer_norm = nn.LayerNorm(output_dim)

    def forward(self, input, lengths, state=None):
        x = self.input_layer_norm(self.embedding(input.T))
        states = []
        for i, layer in enumerate(self.lstm_layers):
            x, after = layer(x, None if state is None else state[i])
            x = self.dropout(x)
            states.append(after)
        return self.output_layer_norm(self.linear(x)).transpose(0, 1), lengths, states


class _Joiner(nn.Module):
    """Scores of the next symbol for each frame and prefix: (N, frames, U, symbols)."""

    def __init__(self, input_dim, output_dim, activation="relu"):
        super().__init__()
        self.linear = nn.Linear(input_dim, output_dim)
        self.activation = activation_of(activation, ("relu", "tanh"))

    def forward(self, source_encodings, source_lengths, target_encodings, target_lengths):
        both = source_encodings[:, :, None] + target_encodings[:, None]
        return self.linear(self.activation(both)), source_lengths, target_lengths


class RNNT(nn.Module):
    """A transducer: a `transcriber` that listens, a `predictor` that reads, a `joiner` of both.

    Graves, "Sequence Transduction with Recurrent Neural Networks", 2012. Built by
    `emformer_rnnt_model`.
    """

    def __init__(self, transcriber, predictor, joiner):
        super().__init__()
        self.transcriber = transcriber
        self.predictor = predictor
        self.joiner = joiner

    def forward(self, sources, source_lengths, targets, target_lengths, predictor_state=None):
        """Scores (N, frames, U, symbols), both lengths, and the predictor's state.

        `sources` (N, time, features) end with the right context, `targets` (N, U) are symbols that
        begin with the blank.
        """
        heard, source_lengths = self.transcriber(sources, source_lengths)
        said, target_lengths, state = self.predictor(targets, target_lengths, predictor_state)
        return *self.joiner(heard, source_lengths, said, target_lengths), state

    def transcribe_streaming(self, sources, source_lengths, state):
        """The encodings of one segment with its right context, their lengths, and the state."""
        return self.transcriber.infer(sources, source_lengths, state)

    def transcribe(self, sources, source_lengths):
        """The encodings of whole utterances, and their lengths."""
        return self.transcriber(sources, source_lengths)

    def predict(self, targets, target_lengths, state):
        """The encodings of symbols (N, U), their lengths, and the state after them."""
        return self.predictor(targets, target_lengths, state)

    def join(self, source_encodings, source_lengths, target_encodings, target_lengths):
        """Scores (N, frames, U, symbols) of encodings, and both lengths."""
        return self.joiner(source_encodings, source_lengths, target_encodings, target_lengths)


def emformer_rnnt_model(
    *, input_dim, encoding_dim, num_symbols, segment_length, right_context_length,
    time_reduction_input_dim, time_reduction_stride, transformer_num_heads, transformer_ffn_dim,
    transformer_num_layers, transformer_dropout, transformer_activation,
    transformer_left_context_length, transformer_max_memory_size,
    transformer_weight_init_scale_strategy, transformer_tanh_on_mem, symbol_embedding_dim,
    num_lstm_layers, lstm_layer_norm, lstm_layer_norm_epsilon, lstm_dropout,
):  # fmt: skip
    """An `RNNT` that listens with an Emformer, of any size; lengths are in frames of features.

    The arguments that begin with transformer_ are those of `Emformer`.
    """
    encoder = _EmformerEncoder(
        input_dim=input_dim, output_dim=encoding_dim, segment_length=segment_length,
        right_context_length=right_context_length,
        time_reduction_input_dim=time_reduction_input_dim,
        time_reduction_stride=time_reduction_stride, num_heads=transformer_num_heads,
        ffn_dim=transformer_ffn_dim, num_layers=transformer_num_layers,
        dropout=transformer_dropout, activation=transformer_activation,
        left_context_length=transformer_left_context_length,
        max_memory_size=transformer_max_memory_size,
        weight_init_scale_strategy=transformer_weight_init_scale_strategy,
        tanh_on_mem=transformer_tanh_on_mem,
    )  # fmt: skip
    predictor = _Predictor(
        num_symbols, encoding_dim, symbol_embedding_dim, num_lstm_layers, lstm_layer_norm,
        lstm_layer_norm_epsilon, lstm_dropout,
    )  # fmt: skip
    return RNNT(encoder, predictor, _Joiner(encoding_dim, num_symbols))


def emformer_rnnt_base(num_symbols):
    """The `RNNT` of `EMFORMER_RNNT_BASE_LIBRISPEECH`, over 80 mel bands."""
    return emformer_rnnt_model(
        input_dim=80, encoding_dim=1024, num_symbols=num_symbols, segment_length=16,
        right_context_length=4, time_reduction_input_dim=128, time_reduction_stride=4,
        transformer_num_heads=8, transformer_ffn_dim=2048, transformer_num_layers=20,
        transformer_dropout=0.1, transformer_activation="gelu",
        transformer_left_context_length=30, transformer_max_memory_size=0,
        transformer_weight_init_scale_strategy="depthwise", transformer_tanh_on_mem=True,
        symbol_embedding_dim=512, num_lstm_layers=3, lstm_layer_norm=True,
        lstm_layer_norm_epsilon=1e-3, lstm_dropout=0.3,
    )  # fmt: skip
